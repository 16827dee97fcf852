#!/usr/bin/env python3
"""Simulatore di letti: quante dimissioni al giorno servono perché il PS non si blocchi.

Uso: python letti.py --letti 48 --arrivi 14 --dms 6.2 --giorni 365
I dati sono casuali: nessun paziente vero.
"""
import argparse
import random
import statistics


class Paziente:
    __slots__ = ("arrivo", "codice", "degenza")

    def __init__(self, arrivo, dms):
        self.arrivo = arrivo
        self.codice = random.choices(["rosso", "arancione", "azzurro", "verde"], [3, 17, 45, 35])[0]
        # log-normale: pochi restano tantissimo (i "bed blocker")
        self.degenza = max(1, round(random.lognormvariate(0, 0.8) * dms * 0.73))


def simula(letti, arrivi, dms, giorni, seme=42):
    random.seed(seme)
    occupati, coda, attese, boarding = [], [], [], []
    for g in range(giorni):
        weekend = g % 7 >= 5
        occupati = [fine for fine in occupati if fine > g or (weekend and random.random() < 0.5)]
        nuovi = sum(random.random() < arrivi / 40 for _ in range(40))
        coda += [Paziente(g, dms) for _ in range(nuovi)]
        coda.sort(key=lambda p: (["rosso", "arancione", "azzurro", "verde"].index(p.codice), p.arrivo))
        while coda and len(occupati) < letti:
            p = coda.pop(0)
            attese.append(g - p.arrivo)
            occupati.append(g + p.degenza)
        boarding.append(len(coda))
    return statistics.mean(attese), max(boarding), len(occupati) / letti


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--letti", type=int, default=48)
    ap.add_argument("--arrivi", type=float, default=14)
    ap.add_argument("--dms", type=float, default=6.2)
    ap.add_argument("--giorni", type=int, default=365)
    a = ap.parse_args()
    media, picco, tasso = simula(a.letti, a.arrivi, a.dms, a.giorni)
    print(f"attesa media {media:.2f} gg, barelle in corridoio (max) {picco}, occupazione finale {tasso:.0%}")
