"""Calcul de scores cliniques."""
from dataclasses import dataclass


@dataclass
class Patient:
    nom: str
    age: int
    creatinine: float  # µmol/L
    poids: float


def cockcroft(p: Patient, femme: bool) -> float:
    """Clairance de la créatinine, mL/min."""
    return (140 - p.age) * p.poids * (1.04 if femme else 1.23) / p.creatinine


if __name__ == "__main__":
    print(cockcroft(Patient("DUPONT", 72, 110, 68), femme=False))
