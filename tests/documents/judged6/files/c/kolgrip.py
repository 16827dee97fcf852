"""Calcule les indemnités kilométriques du cabinet à partir du relevé de l'odomètre (CSV)."""

import csv
import sys
from collections import defaultdict
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

BAREME_2024 = {3: Decimal("0.529"), 4: Decimal("0.606"), 5: Decimal("0.636"), 6: Decimal("0.665"), 7: Decimal("0.697")}


def lire(chemin):
    with open(chemin, newline="", encoding="utf-8-sig") as f:
        for ligne in csv.DictReader(f, delimiter=";"):
            jour = datetime.strptime(ligne["date"], "%d/%m/%Y").date()
            try:
                km = int(ligne["arrivee"]) - int(ligne["depart"])
            except ValueError:
                print("ligne ignorée :", ligne, file=sys.stderr)
                continue
            if km < 0:  # compteur recopié à l'envers, ça arrive le lundi
                km = -km
            yield jour, km, ligne.get("motif", "")


def par_mois(lignes):
    total = defaultdict(int)
    for jour, km, motif in lignes:
        if motif.strip().lower() == "perso":
            continue
        total[jour.strftime("%Y-%m")] += km
    return dict(sorted(total.items()))


def main():
    chevaux = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    taux = BAREME_2024[chevaux]
    somme = Decimal(0)
    for mois, km in par_mois(lire(sys.argv[1])).items():
        montant = (km * taux).quantize(Decimal("0.01"), ROUND_HALF_UP)
        somme += montant
        print(f"{mois}  {km:5d} km  {montant:>9} EUR")
    print(f"TOTAL {somme} EUR (barème {chevaux} CV)")


if __name__ == "__main__":
    main()
