"""Persons as clinicians write them in a hurry: «F 72», «26YOM», «Joan Tickle 79», «*01.10.1941», «L4 Rossi Bruno».

Owns the shapes that name a person without a label: a name with an age, a sex with an age, a birth date under a star or
behind a name, a bed or a number at the beginning of a line. Counts the lines that hold a person and something clinical:
several of them are a list of patients. Takes a folded page and its ``Evidence``, adds to it. Names and dates never
leave the process. Labels («né le», «Patient:») are identity.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import islice

import re2

from agent.detection.evidence import Evidence
from agent.detection.fold import Folded
from agent.detection.identifiers.birth import date, numeric
from agent.detection.linear import spans

_MOST = 120  # persons looked at a page
_MEMORY = 64
_OLDEST = 108  # years: «112 cas» is a number of something else
_VOWELS = frozenset(b"aeiouy")
_LOG = 3  # clinical entries that may be those of a diary
_DIARY = 2600  # folded bytes of a page that may be one
_CAP = r"[A-Z][A-Za-z'\-]{1,24}"
_SHORT = r"(?:[A-Z][A-Za-z'\-]{1,24}|[A-Z]\.?-?(?:[A-Z]\.?)?)"
_FULL = (
    rf"{_CAP},? (?:(?:de|du|d'|la|le|van|von|el|ben|da|di|do|dos|del|der|den|ter|ten|De|La|Van|Von|El|Ben) ?){{0,2}}"
    rf"{_SHORT}(?: {_SHORT})?"
)
_YEARS = (
    r"(?:ans?|ANS?|a\.?|A\.?|aa|y ?\d{1,2}m|y\.?|Y|yo|YO|y/o|yrs?|YRS|years?(?: old)?|j\.?|J\.?|jr\.?|JR|jaar|JAAR|"
    r"Jahre?|JAHRE|J\.|anni|ANNI|anos|ANOS|ani|mois|MOIS|months?|mths?|Monate|"
    r"mesi|meses|maanden|mnd|sem|wks?|ST)"
)
_SEX = (
    r"(?:[Hh]omme|HOMME|[Ff]emme|FEMME|[Gg]arcon|[Ff]ille(?:tte)?|[Nn]ourrisson|[Pp]atiente?|[Pp]atientin|"
    r"[Pp]at\.?|[Pp]te?|[Pp]z\.?|PZ|[Pp]ac\.?|[Pp]aciente|PACIENTE|[Pp]aziente|"
    r"[Vv]aron|VARON|[Mm]ujer|MUJER|[Hh]ombre|[Nn]in[oa]|[Bb]imb[oa]|[Uu]omo|UOMO|[Dd]onna|DONNA|"
    r"[Rr]agazz[oa]|Mann|Frau|Junge|Madchen|[Mm]an|[Vv]rouw|[Jj]ongen|[Mm]eisje|"
    r"[Cc]liente?|[Uu]tente|[Dd]oente|[Hh]omem|[Mm]ulher|[Mm]enin[oa]|[Mm]ale|MALE|[Ff]emale|FEMALE|"
    r"[Ww]oman|[Bb]oy|[Gg]irl|[Ll]ady|[Gg]entleman|[Gg]estante|[MFHWVDmfhwvd])"
)
_DATE = r"(?:[0-3]?\d[./-][01]?\d[./-](?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d-?[01]\d-?[0-3]\d)"
_BED = (
    r"(?:[Ll]it|[Ll]etto|[Bb]ed|BED|[Bb]ett|[Zz]i(?:mmer)?|ZI|[Cc]h(?:ambre|br)?|CH|[Hh]ab|[Kk]amer|[Cc]ama|[Bb]ox|BOX|"
    r"[Ss]t(?:anza)?|[Rr]oom|[Bb]ay|SR|[LBKZC])"
)
_SIGNS = {
    "star": rf"\* ?{_DATE}\b",
    "named_age": rf"\b{_FULL}(?: ?\([MFHmfhw]\))?[ ,]{{1,2}}(?:- )?\(?\d{{1,3}} ?(?:{_YEARS}|[MF])(?:[ ,.;:)/\n-])",
    "named_birth": rf"\b{_FULL}(?:(?: ?\(?|,? [-/|,] ?)[MFHWVmfhwv]\)?)?(?:[ ,;]{{1,3}}| ?[-/|] )"
    rf"\(?{_DATE}(?:[^\d]|\b)",
    "sexed_age": (
        rf"\b{_SEX}[ ,.:(]{{1,3}}(?:de |di |agee? de |von |van |ca\.? |env\.? |environ )?"
        rf"\d{{1,3}} ?{_YEARS}(?:[ ,.;:)/\n-])"
    ),
    "year_old": (
        r"\b\d{1,3}[ -]?(?:years?|yrs?|months?|weeks?|days?)[ -]old[ -](?:[A-Za-z-]{2,20} ){0,4}(?:male|"
        r"female|man|woman|boy|girl|lady|gentleman|patient|infant|child|baby|MALE|FEMALE)\b"
    ),
    "jahrig": (
        r"\b\d{1,3}[ -]?(?:jahrige[rnms]?|jarige) (?:[A-Za-z-]{3,20} ){0,2}(?:Patient(?:in|en)?|Mann(?:es)?|"
        r"Frau|Junge|Madchen|Kind|man|vrouw|patient|patiente|jongen|meisje|dame|heer)\b"
    ),
    "first_age": (
        rf"\b{_CAP}(?:, ?| ?\(|[ \"]{{0,2}} - )\d{{1,3}} ?"
        r"(?:ans|ANS|anni|anos|Jahre|jaar|yo|y/o|years|mois|mesi|meses|Monate|a\.|mo\b|mths)"
    ),
    "comma_name": r"\b[A-Z]{3,24}, [A-Z][a-z]{2,24} \((?:pt|ID|id|MRN|DOB|dob|ddn|DDN|nee?|born|geb|[MFmf]\b|\d)",
    "young": (
        rf"\b(?:[Ll]e petit|[Ll]a petite|[Ll]e jeune|[Ll]a jeune|[Bb]aby|[Ll]'enfant|[Kl]leine[rn]?|[Ee]l nino|"
        rf"[Ll]a nina|[Ii]l piccolo|"
        rf"[Ll]a piccola|[Kk]indje) {_CAP}"
    ),
    "first_initial": r"(?:\n|[-:] )[A-Z][a-z]{3,14} [A-Z]\.?(?:[,(:]| -| \d)",
    "alone_age": rf"[\n:] ?{_CAP} \d{{1,2}} ?(?:ans|mois|anni|anos|Jahre|jaar|yo|y/o|years|mesi|meses|Monate)\b",
    "infant": (
        r"\b(?:[Nn]ourrisson|NOURRISSON|[Ee]nfant|RN|NN|[Bb]ebe|[Ss]augling|[Nn]eugeborenes|[Nn]eonato|[Ll]actante)"
        r"(?: ?[,:]? ?[MFGHmfgh])?[ ,]{1,2}(?:de )?\d{1,2} ?(?:sem|semaines|mois|jours|j|m|h|Wochen|Monate|gg|"
        r"mesi|meses|dias)\b"
    ),
    "bed_age": (
        r"(?:\b(?:[Bb]ed|BED|Rm|[Rr]oom|[Bb]ay|[Cc]ama|[Ll]etto|[Kk]amer|[Ll]it|"
        r"[Bb]ox) ?#?\d{1,3}[A-Za-z]?[*:.) -]{0,4}"
        rf"(?:{_CAP},? )?|\n[-*> ]{{0,3}})\d{{2}} ?[MFHWV]\b"
    ),
    "initials_age": r"\([A-Z]\.?-?[A-Z]\.?(?:[A-Z]\.?)?, ?\d{1,3}(?: ?(?:ans?|a|y|J|j))?\)",
    "initial": (
        r"\b(?:Mme|Mlle|Mr|M\.|Mrs|Ms|Frau|Fr\.|Hr\.|Herr|Hrn\.|Sig\.?(?:ra)?|Sra\.?|Sr\.|Mw\.?|Dhr\.?|Pat\.|Pt|Pte) "
        rf"[A-Z]\.(?:-?[A-Z]\.)?(?:,? ?\(?\d{{1,3}} ?{_YEARS}\b)?"
    ),
    "paren_age": r"\([A-Z][a-z]{2,14} [A-Z][a-z]{2,18}, \d{1,2}\)",
    "complains": r"\b[1-9]\d[MF] (?:[a-z]{4,}|\?|c/o|w/|with|p/w|presents|presenting|presented|hx|pmh|"
    r"here|seen|s/p|who|known)\b",
    "line_age": r"\n(?:[1-9]?[GP]\d? ?)*\d{1,3} ?(?:ans|ANS|anni|anos|jaar|Jahre|yo|YO)(?:,|\.| \d)",
    "line_sex": r"\n(?:[-*>] ?)?(?:[MFHWVmfhwv] ?\d{2}(?: ?[aAyYjJ]\.?)?(?:, | [a-z]{3,})"
    r"|(?:[Vv]aron|VARON|[Mm]ujer|[Hh]ombre|Homme|Femme|Mann|Frau|Uomo|Donna|Man|Vrouw|Homem|Mulher|Male|Female) "
    r"\d{2}[,.: ])",
    "edad": r"\b(?:di anni|aged|AGED|(?:[Ee]dad|EDAD|[Aa]ge|AGE|Eta|ETA|Alter|Leeftijd|Idade|IDADE) ?:) ?\d{1,3}\b",
    "aged_sex": (
        r"\b\d{1,3} ?-?(?:yom|YOM|yof|YOF|"
        r"[yY]/?[oO](?: ?(?:[mfMF]|male|female|lady|gentleman|man|woman|boy|girl))?|(?:jahrig|jarig|"
        r"JAHRIG)[a-zA-Z]{0,2}|[yY] ?[MF]|[jJa]\.?,? ?(?:[mwvMWV]|man|vrouw|varon|mujer))\b"
    ),
    "named_year": (
        rf"\b{_FULL}[ ,]{{1,2}}\(?(?:cl\.? ?|classe |Jg\.? ?|Jahrgang |geb\.? ?|ne en |"
        rf"nee en )?19[2-9]\d\)?(?:[ ,.;:)\n-])"
    ),
}
WITHOUT_FIGURES = "|".join(_SIGNS[name] for name in ("comma_name", "young", "first_initial", "initial"))
"""All of the shapes above that can stand in a text without a figure; of the beds below, none can."""
_BEDS = re2.compile(
    (
        rf"\n(?:[-*>] ?)?(?:(?:{_BED}\.? ?\d{{1,3}}[a-zA-Z]?|"
        rf"\d{{3}}[a-zA-Z]?)(?: ?[:.\-] ?| )(?:[MFHWmfhw] ?\d{{2}}\b|[A-Z][A-Za-z'.\-]{{1,24}})|"
        r"\(?\d{1,2}[).] ?(?:[MFHWmfhw] ?\d{2}\b|[A-Z]{2,},? [A-Z]))"
    ).encode("ascii")
)
_options = re2.Options()
_options.max_mem = 32 << 20  # bytes: with the usual 8 MB, names and dates in columns make the search five times slower
_options.log_errors = False  # a hostile page may need more than any: it is searched all the same, without a table
_FIND = re2.compile("|".join(_SIGNS.values()).encode("ascii"), _options)
_CLASS = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in _SIGNS.items()).encode("ascii"))
_AGE = re.compile(rb"(\d{1,3}) ?[^\d]{0,12}$")
_DATED = re.compile(  # a line that begins with a day or an hour, as in a diary
    rb"\n? ?[-*>\[]{0,2} ?(?:[a-z]\d{1,2} )?(?:(?:lun|mar|mer|jeu|ven|sam|dim|mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|"
    rb"fr|sa|so|gio|sab|dom|vie|mie|zo|za|vr)[a-z]{0,7}\.? ?)?(?:[0-3]?\d[./-][01]?\d\b|(?:19|20)\d\d-[01]\d-[0-3]\d|"
    rb"[0-2]?\d ?(?:h ?(?:[0-5]\d)?|: ?[0-5]\d)\b(?!:))"
)
_TO_DAY, _DIGITS = 20, b"0123456789"  # bytes from a line's end within which its first figure must stand
_NUMERIC = re.compile(rb"([0-3]?\d)[./-]([01]?\d)[./-](\d{2,4})(?!\d)")
_SOLID = re.compile(rb"((?:19|20)\d\d)-?([01]\d)-?([0-3]\d)")
NAME = re.compile(rb"[A-Z][A-Za-z'\-]+")
_GROWN = "2012"  # without a clock: a date behind a name is a birth date only when it is that old
_STAFF = re.compile(rb"(?:\b(?:Dr|Dre|Dra|Drs|Pr|Prof|Dott|Doc|Docteur|Doctor|Doktor|Maitre|Me|IDE|RN|MD)\.?) ?$")
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


def read_people(
    evidence: Evidence, page: Folded, clinical: Sequence[int], persons: Sequence[int], *, some: bool = True
) -> None:
    """Add the persons without a label. ``clinical`` and ``persons`` are places of clinical entries and of persons with
    a civility; both count for the lines that hold one of each. ``some``: not ruled out that there are any.
    """
    places = [*persons, *_found(evidence, page)] if some else persons
    if clinical and (places or len(clinical) >= _LOG):
        _count_rows(evidence, page, clinical, places)


def _found(evidence: Evidence, page: Folded) -> list[int]:
    """Note the persons without a label; where they and the beds stand."""
    cased = page.cased
    places: list[int] = []
    for start, end in islice(spans(_FIND, cased), _MOST):
        text = cased[start:end]
        kind = _CLASS.match(text)
        name = kind.lastgroup if kind else None
        if name is None:
            continue
        if _STAFF.search(cased, max(0, start - 10), start) or not _READ[name](evidence, text):
            continue
        places.append(start)
    if page.figures:
        places += [start + 1 for start, _ in islice(spans(_BEDS, cased), _MOST)]
    return places


def _born(evidence: Evidence, text: bytes, before: str) -> bool:
    iso = ""
    if found := _SOLID.search(text):
        iso = date(int(found[1]), int(found[2]), int(found[3]))
    elif found := _NUMERIC.search(text):
        iso = numeric(found[1].decode(), found[2].decode(), found[3].decode())
    if not iso or iso >= before or len(evidence.births) >= _MEMORY:
        return False
    evidence.births.add(iso)
    evidence.named_births += 1
    return True


def add_name(evidence: Evidence, text: bytes) -> bool:
    """Note the name that ``text`` spells; False when it spells none."""
    parts = [part.lower().replace(b"-", b" ") for part in NAME.findall(text)]
    if not parts or any(part in NOT_NAMES for part in parts[:3]) or len(evidence.names) >= _MEMORY:
        return False
    if any(_VOWELS.isdisjoint(part) for part in parts[:2] if part not in CIVILITIES):
        return False  # «Bilan VM», «MTK»: letters for words
    if CIVILITIES.issuperset(parts):  # «Mme V.»
        return _initial(evidence, b"")
    evidence.names.add(b" ".join(sorted(parts[:3])))
    return True


def _named_birth(evidence: Evidence, text: bytes) -> bool:
    parts = [part.lower() for part in NAME.findall(text)]
    if any(part in NOT_NAMES for part in parts[:3]):
        return False
    return _born(evidence, text, _GROWN)


def _named_age(evidence: Evidence, text: bytes) -> bool:
    cut = re.split(rb"[ ,(-]+\d", text, maxsplit=1)[0]
    return add_name(evidence, cut) and _age(evidence, text[len(cut) :])


def _paren_age(evidence: Evidence, text: bytes) -> bool:
    name, _, age = text.strip(b"()").rpartition(b",")
    return add_name(evidence, name) and _age(evidence, age)


def _first_age(evidence: Evidence, text: bytes) -> bool:
    word = NAME.match(text)
    return word is not None and word[0].lower() not in NOT_NAMES and _age(evidence, text[word.end() :])


def _alone_age(evidence: Evidence, text: bytes) -> bool:
    return _first_age(evidence, text.lstrip(b"\n: "))


def _comma_name(evidence: Evidence, text: bytes) -> bool:
    return add_name(evidence, text.split(b"(")[0])


def _young(evidence: Evidence, text: bytes) -> bool:
    return add_name(evidence, text[text.rindex(b" ") :])


def _initial(evidence: Evidence, text: bytes) -> bool:
    evidence.narrative.add(b"*initial")
    _age(evidence, text)
    return True


def _age(evidence: Evidence, text: bytes) -> bool:
    found = re.search(rb"\d{1,3}", text)
    if found and int(found[0]) <= _OLDEST and len(evidence.ages) < _MEMORY:
        evidence.ages.add(found[0])
        return True
    return False


def _named_year(evidence: Evidence, text: bytes) -> bool:
    cut = re.split(rb"[ ,(-]+(?:[a-zJ][a-z]+\.? ?)?\d", text, maxsplit=1)[0]
    if not add_name(evidence, cut):
        return False
    evidence.ages.add(text[-5:-1])
    return True


def _age_last(evidence: Evidence, text: bytes) -> bool:
    return _age(evidence, text[max(0, len(text) - 9) :])


_READ = {
    "named_year": _named_year, "star": lambda evidence, text: _born(evidence, text, "9"),
    "named_age": _named_age, "named_birth": _named_birth, "sexed_age": _age,
    "aged_sex": _age, "year_old": _age, "line_sex": _age, "jahrig": _age, "edad": _age, "line_age": _age_last,
    "first_age": _first_age, "complains": _age, "alone_age": _alone_age, "infant": _age, "bed_age": _age_last,
    "initials_age": _age, "paren_age": _paren_age, "initial": _initial, "young": _young, "comma_name": _comma_name,
    "first_initial": _initial,
}  # fmt: skip


def _count_rows(evidence: Evidence, page: Folded, clinical: Sequence[int], places: Sequence[int]) -> None:
    """Lines with a person and something clinical, and the different persons that begin them."""
    told = sorted(clinical)
    if len(page.lines) <= _DIARY:
        begun = {page.lines.rfind(b"\n", 0, place + 1) for place in told}
        evidence.dated = sum(_begins_dated(page.lines, line) for line in begun)
    rows: dict[int, frozenset[bytes]] = {}
    for place in sorted(places):
        line = page.lines.rfind(b"\n", 0, place + 1)
        if line in rows:
            continue
        near, end = bisect_left(told, line), page.lines.find(b"\n", line + 1)
        if near < len(told) and told[near] < (end if end >= 0 else len(page.lines)):
            rows[line] = _who(page.cased[place : place + 60])
    evidence.rows = len(rows)
    known: list[frozenset[bytes]] = []
    for words in rows.values():
        if words and not any(words & other for other in known):  # «Mme DUPONT» and «DUPONT Jeanne» are one
            known.append(words)
    evidence.row_names = {b" ".join(sorted(words)) for words in known}


def _begins_dated(lines: bytes, line: int) -> bool:
    """Whether the line, told by where the line end before it stands, begins with a day or an hour."""
    head = lines[line : line + _TO_DAY]
    return len(head.translate(None, _DIGITS)) < len(head) and _DATED.match(lines, line) is not None


def _who(text: bytes) -> frozenset[bytes]:
    """The words of the name that stands there, in lower case, civility and bed apart."""
    words = (word.lower() for word in NAME.findall(text.split(b"\n")[0])[:4])
    return frozenset([word for word in words if word not in NOT_NAMES and len(word) > 2 and word not in CIVILITIES][:2])
