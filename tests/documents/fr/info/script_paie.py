def net(brut, taux=0.22):
    """calcul simplifié du net"""
    return round(brut * (1 - taux), 2)

if __name__ == '__main__':
    for b in (1800, 2200, 3100):
        print(b, net(b))