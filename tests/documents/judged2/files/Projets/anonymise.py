import re

NOM = re.compile(r"(?:M\.|Mme|Mlle) ([A-Z][A-Z-]+)")
EXEMPLES = ["Mme DURAND a de la fièvre", "M. PETIT, 71 ans, diabète"]


def anonymise(texte: str) -> str:
    """Remplace les noms précédés d'une civilité."""
    return NOM.sub("XXX", texte)
