"""What counts as the name of a person in running text, and what only looks like one.

Owns the words beside which a capital makes no name, and how a name is kept for counting: lower case, without order.
Takes bytes of a folded page and its ``Evidence``, adds to it. Names never leave the process.
"""

from __future__ import annotations

import re

from agent.detection.evidence import Evidence
from agent.detection.lexicon import family, given

_MEMORY = 64  # names kept of a page
VOWELS = frozenset(b"aeiouy")
NAME = re.compile(rb"[A-Z][A-Za-z'\-]+")
PARTICLES = frozenset(b"le la de du des d van von der den ter ten el al ben bin da das do dos del della di".split())
JOINING = (
    rb"(?:(?:de la|de l'|de|du|des|d'|van der|van den|van de|van 't|van|von der|von|vom|zu|ter|ten|el|al|ben|bin|da|"
    rb"das|do|dos|del|della|di) ?)"
)
"""What stands before a family name in small letters; not « le », for « M. le préfet »."""
CIVILITIES = frozenset(
    b"m mr melle pt pte pz monsieur madame mme mlle mrs miss herr frau sig sra dhr mevr sigra lit letto bed bett"
    b" zimmer chambre hab kamer cama "
    b"box stanza room bay zi ch sr patient patiente pat".split()
)
NOT_NAMES = frozenset(
    b"dr pr prof drs dott dra dre docteur doctor doktor maitre "
    b"the le la les il el der die das de et und and y e het een art article rue avenue via calle page "
    b"chapitre kapitel capitolo table tableau version "
    b"figure fig no nr num bus tram ligne phase type grade stade score total since depuis seit dal desde "
    b"from lundi mardi mercredi jeudi vendredi samedi dimanche "
    b"monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag "
    b"freitag samstag sonntag lunedi martedi mercoledi "
    b"giovedi venerdi sabato domenica lunes martes miercoles jueves viernes sabado domingo maandag "
    b"dinsdag woensdag donderdag vrijdag zaterdag zondag "
    b"garantie contrat abonnement dauer laufzeit duree durata looptijd age edad eta leeftijd alter date "
    b"datum data fecha paris london berlin".split()
)


def parts_of(text: bytes) -> list[bytes]:
    """The words with capitals in lower case; without those that only join them, where one is a given name: «La
    Fontaine Marie», but not « La Dame ».
    """
    parts = [part.lower().replace(b"-", b" ") for part in NAME.findall(text)]
    return parts if given().isdisjoint(parts) else [part for part in parts if part not in PARTICLES]


def add_name(evidence: Evidence, text: bytes) -> bool:
    """Note the name that ``text`` spells; False when it spells none."""
    parts = parts_of(text)
    if not parts or any(part in NOT_NAMES for part in parts[:3]) or len(evidence.names) >= _MEMORY:
        return False
    if evidence.loud and given().isdisjoint(parts) and family().isdisjoint(parts):
        return False
    if any(VOWELS.isdisjoint(part) for part in parts[:2] if part not in CIVILITIES):
        return False  # «Bilan VM», «MTK»: letters for words
    if CIVILITIES.issuperset(parts):  # «Mme V.»
        note_initial(evidence)
        return True
    evidence.names.add(b" ".join(sorted(parts[:3])))
    return True


def note_initial(evidence: Evidence) -> None:
    """«Mme V.»: somebody in particular, whom nothing names."""
    evidence.narrative.add(b"*initial")
