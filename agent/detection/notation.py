"""Clinical notation: what medicine writes in figures, whatever the language.

Owns the shapes of doses and rhythms (1-0-1, 3dd1, 500 mg), laboratory values by their unit alone, vital signs by their
shape, weeks of gestation, parity, tumour stages, refractions, teeth, and codes of diagnoses beside the name of their
classification. They are the same in seven languages, or differ by a letter. Takes a folded page, returns distinct
readings by class. A limit («> 140 mmHg», «< 5 mg/l») is a rule or a reference, not a reading of somebody, and is left
out. One linear search finds them; only what it found is looked at again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import re2

from agent.detection.fold import Folded
from agent.detection.linear import holding, spans

_FIGURES = b"0123456789/., "
_SERIES = 3  # pairs of figures without a label («152/91») that are the blood pressures of somebody
_MOST = 160  # notations looked at a page
_BEHIND = 36  # bytes behind a dose where its rhythm stands
_NUMBER = r"\d{1,5}(?:[.,']\d{1,3})?"
_UNIT = (
    r"(?:[munp]?mol ?/ ?(?:l|mol|24 ?h|d)|[munpk]?g ?/ ?(?:dl|ml|24 ?h|mmol|mol|l)|"
    r"k?[mu]?(?:ui|iu|u) ?/ ?(?:ml|dl|l)|m?eq ?/ ?l|"
    r"mm ?3|/ ?(?:mm ?3|ul)|(?:tsd|mio|mill|giga|tera|[tk])\.? ?/ ?[unp]?l|"
    r"(?:x ?)?10 ?[\^*e] ?\d{1,2} ?/ ?[unpm]?l|mm ?/ ?(?:h|1h|ora)|"
    r"ml ?/ ?min|[fp]g|fl|mosm[a-z]* ?/ ?(?:kg|l)|mm ?hg|kpa|mm/h|copies ?/ ?ml)"
)
_DOSE = (
    r"(?:mg|mcg|ug|mikrogramm|microg|ui|ie|iu|units?|unites|einheiten|unidades|unita|eenheden|meq|cps?|"
    r"cpr?s?|cpm|compr?\.?|comprimes?|comprimidos?|"
    r"compress[ae]|tabl?s?\.?|tbl\.?|tablets?|tabletten?|caps?|capsules?|capsulas?|kapseln?|gel\.?|"
    r"gelules?|supp\.?|amp\.?|puffs?|hub|hube|bouffees?|"
    r"inhal\.?|gtte?s?|gouttes?|gocce|gotas|tropfen|druppels|trpf?|sachets?|bustin[ae]|sobres?|btl|pfl|"
    r"patchs?|ml|gr?|m?g/m2|ug/h|mg/kg|mg/ml)"
)
_GRAVIDA = r"\b(?:i{1,3}|iv|vi?) ?-?(?:g|gravida),? ?-?(?:0|i{1,3}|iv|v) ?-?(?:p|para)\b"
_STAGED = (
    r"\b[cpyra]{0,2}t(?:[0-4][a-d]?|is|x) ?,?(?:\([a-z0-9]{1,2}\) ?)?n(?:[0-3][a-c]?|x)[a-z0-9()/]{0,6}|"
    r"\bpt(?:[1-4][a-d]?|is)\b"
)
_BOTH_EYES = r"\bod ?/ ?os\b"
_CODED = (
    r"\b(?:ccam|ops|snomed(?: ct)?|atc)[ :]{1,3}[a-z0-9]|\b(?:ami|amx|bs[abc]|amk|amy|ais) ?(?:\d|"
    r"\+ ?(?:ifa|ifi|ik|di|mau))"
)
WITHOUT_FIGURES = f"{_GRAVIDA}|{_STAGED}|{_BOTH_EYES}|{_CODED}"
"""All of the shapes below that can stand in a text without a figure."""
_FIND = re2.compile(
    (
        r"[<>]?[<>=]? ?" + _NUMBER + r"[ .]{0,2}[*+!hl-]{0,3} {0,2}(?:" + _UNIT + "|" + _DOSE + r")\b|"
        r"[\n \t|;(][0-4]-[0-4]-[0-4](?:-[0-4])?[\n .,;|)a-z(]|\b\d ?dd ?(?:\d|\n|[ ,.;])|"
        r"\b\d{1,2} ?x ?(?:/ ?(?:j|d|sem|tag|w)|tgl|taglich|daags|die\b|al di|ao di)|"
        r"\b(?:sa|ssw|sg|eg|ega|ga|am|amd|terme|sdg) ?:? ?[1-4]\d ?\+ ?[0-6]\b|\b[1-4]\d ?\+ ?[0-6] ?(?:/ ?40|"
        r"sa\b|ssw|wks?\b|weeks|sem|w\b)|\b[1-4]\d ?(?:sa|ssw)\b|\b\d{2}/40\b|"
        r"\bg ?\d{1,2},? ?p ?\d{1,2}\b|" + _GRAVIDA + "|" + _STAGED + r"|\bgleason ?(?:score)? ?\d ?\+ ?\d|"
        r"\b(?:od|og|os|oi|ou|re|le|ra|la)\b ?[:.]? ?(?:sph?\.? ?)?[+-] ?\d{1,2}[.,]\d{2}\b|" + _BOTH_EYES + "|"
        r"\b(?:dents?|zahn|zahne|tooth|teeth|elementen|element|elemento|pieza|piezas|diente|dente|denti|"
        r"dentes) ?(?:n ?)?:? ?[1-4][1-8]\b|"
        r"\b(?:ta|pa|rr|bp|td|t\.a\.?|p\.a\.?|pa ?s/d|tension|blutdruck|bloeddruk|presion|pressione?|"
        r"tensao) ?[:=]? ?\d{2,3} ?/ ?\d{2,3}\b|\b(?:ta|pa|bp) ?[:=]? ?\d{1,2}(?:[.,]\d)? ?/ ?\d{1,2}\b|"
        r"\b1\d\d/(?:[5-9]\d|1[01]\d)\b|\b1\d[.,]\d ?/ ?(?:[5-9]|1[0-2])(?:[.,]\d)?\b|"
        r"\b\d{2,3} ?(?:bpm|lpm|spm|/ ?min\b)|\b(?:s[ap]?t?o2|sats?|satur?\.?|sato2|spo2) ?[:=]? ?\d{2,3}\b|"
        r"\b(?:t|tc|ta|temp\.?|temperatur[ae]?|fievre|fieber|febbre|fiebre|febre|koorts) ?[:=a]? ?(?:3[4-9]|"
        r"4[0-2])[.,]\d\b|"
        r"\b3[89][.,]\d ?c\b|\b(?:eva|en|vas|nrs|evs|ens|pain) ?[:=]? ?\d{1,2} ?/ ?10\b|\b(?:apgar|gcs|"
        r"glasgow|news2?|bmi|imc|fevg|lvef|nyha|mmse|mmst|phq-?9|epds)\b[^\n\da-z]{0,6}\d{1,3}|"
        r"\b(?:icd|cim|cie|icpc)[ -]?(?:10|9|2)?(?:[ -]?(?:gm|cm|es|"
        r"mc))?[^\na-z0-9]{0,4}(?:[a-z]{4,10}[^\na-z0-9]{1,4})?[a-z]\d\d|"
        r"\b[a-tv-z]\d{2}(?:\.\d{1,2})? ?[gvaz](?:[ ,.;)]|\n)|" + _CODED
    ).encode("ascii")
)
_CLASS = re.compile(
    (
        r"(?P<limit>[<>])|(?P<lab>"
        + _NUMBER
        + r"[ .]{0,2}[*+!hl-]{0,3} {0,2}"
        + _UNIT
        + r"$)|(?P<dose>\d[^a-z]*"
        + _DOSE
        + r"$)|"
        r"(?P<rhythm>\W?\d-\d-\d|\d ?dd|\d{1,2} ?x)|(?P<pregnancy>(?:sa|ssw|sg|eg|ega|ga|am|amd|terme|"
        r"sdg) ?:? ?\d\d ?\+|\d\d ?(?:\+|sa|ssw|/40)|g ?\d{1,2},? ?p|[iv]+ ?-?g)|"
        r"(?P<stage>[cpyra]{0,2}t(?:[0-4][a-d]?|is|x) ?,?(?:\([a-z0-9]{1,2}\) ?)?n|pt[1-4i]|gleason)|"
        r"(?P<eye>(?:od|og|os|oi|ou|re|le|ra|la)\b)|"
        r"(?P<tooth>dent|zahn|tooth|teeth|element|piez|diente)|(?P<code>icd|ami|amx|bs[abc]|amk|amy|ais|cim|"
        r"cie|icpc|ccam|ops|snomed|atc|[a-z]\d{2})|(?P<vital>.)"
    ).encode("ascii"),
    re.DOTALL,
)
_has_rhythm = holding(
    re2.compile(
        rb"\d ?-\d ?-\d|\bmatin|\bmidi\b|\bsoir|\bmat\b|coucher|par jour|/ ?(?:j|d|die|tag|dia|24 ?h|"
        rb"\d{1,2} ?h)\b|\bx ?\d|\d ?x\b|fois|toutes les|pendant \d|si (?:douleur|besoin|dolor)|\bbid\b|"
        rb"\btid\b|\btds\b|\b[qb]d\b|\bqds\b|\bqid\b|\bqhs\b|\bprn\b|\bpo\b|\bp\.o\.?|\biv\b|\bi\.v\.?|"
        rb"\bs\.?c\.?\b|\bim\b|\bsl\b|nocte|\bmane\b|bedtime|daily|twice|once|\bod\b|every \d|morgens|abends|"
        rb"mittags|"
        rb"taglich|\btgl|zur nacht|bei bedarf|\bb\.? ?bed|al giorno|ore \d|ogni|al bisogno|mattin[ao]|\bsera\b|"
        rb"cada \d|al dia|por dia|noche|manana|ao deitar|de \d+/\d|per dag|"
        rb"\d ?dd|zo nodig|\bzn\b|voor de nacht|cada noche|every|al di\b|\bdie\b|\bnuit|par semaine|/ ?sem|"
        rb"hebdo|\bj\d|per os|voie orale"
    )
)
_SURE_DOSE = re.compile(rb"(?:mg|mcg|ug|ui|ie|iu|meq|cpr?s?|tbl|gtts?|ug/h|mg/m2|mg/kg|mg/ml)$")


@dataclass(slots=True)
class Notation:
    """Distinct readings of one page by class, and where they stand (offsets of the folded text)."""

    labs: set[bytes] = field(default_factory=set)
    doses: set[bytes] = field(default_factory=set)  # with a rhythm or a route in the same line
    strengths: set[bytes] = field(default_factory=set)  # an amount of a medicine alone: «500 mg»
    rhythms: set[bytes] = field(default_factory=set)
    vitals: set[bytes] = field(default_factory=set)
    findings: set[bytes] = field(default_factory=set)  # weeks of gestation, parity, stages, refractions, teeth
    codes: int = 0
    places: list[int] = field(default_factory=list)


def read_notation(page: Folded) -> Notation:
    """All notations of a page, at most 160, in time linear in its length."""
    found = Notation()
    lines = page.lines
    names: dict[bytes, str | None] = {}
    for number, (start, end) in enumerate(spans(_FIND, lines)):
        if number >= _MOST:
            break
        text = lines[start:end].strip()
        if text not in names:
            names[text] = _name(text)
        name = names[text]
        if name is None:
            continue
        if name == "dose":
            stop = lines.find(b"\n", end, end + _BEHIND)
            if _has_rhythm(lines[end - 1 : stop if stop >= 0 else end + _BEHIND], 1):
                name = "dosed"
            elif not _SURE_DOSE.search(text):
                continue
        _add(found, name, text)
        found.places.append(start + 1)
    bare = {text for text in found.vitals if text[:1].isdigit() and b"/" in text and not text.strip(_FIGURES)}
    if len(bare) < _SERIES:
        found.vitals -= bare
    return found


def _name(text: bytes) -> str | None:
    """The class of a notation; None for a limit."""
    kind = _CLASS.match(text)
    name = kind.lastgroup if kind else None
    if name == "lab" and text.endswith(b"mg/ml"):  # the strength of an ampoule
        return "dose"
    return None if name == "limit" else name


def _add(found: Notation, name: str, text: bytes) -> None:
    if name == "code":
        found.codes += 1
    elif name == "lab":
        found.labs.add(text)
    elif name == "vital":
        found.vitals.add(text)
    elif name == "dosed":
        found.doses.add(text)
    elif name == "dose":
        found.strengths.add(text)
    elif name == "rhythm":
        found.rhythms.add(text)
    else:
        found.findings.add(text)
