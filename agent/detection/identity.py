"""The personal side: does this page speak of one particular person, and can that person be recognised?

Owns the rules that start from an anchor word (born, Mr, patient, years old, record number) and read what stands right
beside it, in six languages. Fills the personal fields of ``Evidence``. A professional (Dr, Pr, RPPS) is not a patient;
a field left open («Né(e) le : ___») is a blank, not an identity. Names and dates never leave the process.
"""

from __future__ import annotations

import re
from itertools import dropwhile

from agent.detection.dictated import spelled_name, spoken_date
from agent.detection.evidence import Evidence
from agent.detection.firsts import unknown
from agent.detection.fold import Folded
from agent.detection.lexicon import family, given, medicines
from agent.detection.matcher import Match
from agent.detection.morphology import shaped
from agent.detection.person_names import JOINING, PARTICLES

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "janvier january januar gennaio enero januari jan",
            "fevrier february februar febbraio febrero februari feb",
            "mars march marz marzo maart mar", "avril april aprile abril apr", "mai may maggio mayo mei",
            "juin june juni giugno junio jun", "juillet july juli luglio julio jul", "aout august agosto augustus aug",
            "septembre september settembre septiembre sept sep", "octobre october oktober ottobre octubre oct okt",
            "novembre november novembre noviembre nov", "decembre december dezember dicembre diciembre dec dez",
        ), 1)
    for name in names.split()
}  # fmt: skip
_DATE = re.compile(
    rb"[^\w\n]{0,6}(?:(?:le|on|am|il|el|op|the)[ :]{1,2})?\s?(?:(?:lun|mar|mercre|jeu|vendre|same)di |dimanche )?(?:"
    rb"(?P<iso>(?:18|19|20)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.](?:[0-2]?\d|3[01]))|"
    rb"(?P<day>[0-3]?\d)(?:er|st|nd|rd|th)?[ ./-]{1,2}(?:of |de |di )?"
    rb"(?P<month>[0-3]?\d|[a-z]{3,10})\.?[ ./,-]{1,2}(?:de |del )?(?P<year>(?:1[89]|20)?\d\d)\b|"
    rb"(?P<word>[a-z]{3,10})\.? (?P<wday>[0-3]?\d)(?:st|nd|rd|th)?,? (?P<wyear>(?:1[89]|20)\d\d)|"
    rb"(?P<solid>(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01]))\b)"
)
_SCANNED = re.compile(rb"[^\w\n]{0,6}(?:le )?([0-9oil]{1,2})[ ./-]([0-9oil]{1,2})[ ./-]([0-9oil]{4})\b")
_FIGURES = bytes.maketrans(b"oil", b"011")  # what a scanner takes a figure for
_AT_PLACE = re.compile(rb"[^\w\n]{0,4}(?:(?:a|in|at) )?[a-z'() -]{2,40}?,? (?=(?:le|il|am|el|on|op) )")
_NAME = re.compile(
    rb"[A-Z][A-Za-z'\-]{1,24}(?: (?:de |du |d'|la |le |van |von |el |ben |da |di )?[A-Z][A-Za-z'\-]{1,24}){0,3}"
)
_NAME_AFTER_CIVILITY = re.compile(
    rb"(?!\.-?[A-Z]\.)\.?(?:a\b)? ?(?:l'enfant )?" + JOINING + rb"?(?:[A-Z]\.? ?-?){0,3}?(" + _NAME.pattern + rb")"
)
_AGE_BEHIND = re.compile(  # «Mw. Jansen 84j», «Mrs Croft (91)»; a number before a street is none
    rb"[ ,(]{1,3}(\d{1,3})(?: ?(?:ans?|ANS|a|A|aa|j|J|jr|y|yo|yrs?|Jahre|jaar|anni|anos)\b|(?=[,.;:)\n]|$|"
    rb" (?!rue|av|bd|bis|ter|place|chemin|impasse|all|quai|route|street|road|lane|mill|via|calle|str)[a-z#?+=-]))"
)
_LABELLED = re.compile(
    rb"\.?(?:\(e\)|\(s\)|e)?(?: (?:nom|name|identite|complet|du patient))?[^\S\n]?(?:[:=|]|- )[^\S\n]?\n?"
    rb"(?:(?:M|Mr|Mme|Mlle|Mrs|Ms|Monsieur|Madame|Herr|Frau|Sig|Sr|Sra|Dhr|Mevr)\.? )?"
    + JOINING
    + rb"?("
    + _NAME.pattern
    + rb")"
)
_DIRECT = re.compile(  # «Pat. Jannis Kobelt», «Paciente GARCIA LOPEZ Ana»: two words of a name and no colon
    rb"[.:]? (?:(?:M|Mr|Mme|Mlle|Mrs|Ms|Herr|Frau|Hr|Fr|Sig|Sig\.ra|Sr|Sra|Dhr|Mw)\.? )?"
    rb"([A-Z][A-Za-z'\-]{1,24},? [A-Z][A-Za-z'\-]{1,24})"
)
_DIRECTLY = frozenset(
    b"pat patient patiente patientin paziente paciente utente doente client cliente gestante bewoner bewohner "
    b"bewohnerin resident versicherte versicherter assistito assistita naam pz pt pac".split()
) | frozenset(
    b"certifie que|certifie avoir examine|certifie avoir examine ce jour|certify that|certify that i have examined|"
    b"bescheinige dass|certifico que|certifico che|certifica che|verklaar dat".split(b"|")
)
_BLANK = re.compile(rb"(?:\(e\)|\(s\))?[^\w\n]{0,4}(?:[_.]{3,}|_+ ?/|\[ ?\]|[_ ]{3,}\n|(?:jj|dd|tt|gg)[ /.-]?mm)")
_NUMBER = re.compile(rb"(?:/nir|/ipp| permanent)?[^\w\n]{0,4}(?:n[o.]{0,2}\s?)?[:= ]{0,3}[a-z]{0,4}-?\d[\d /.-]{3,}\d")
_NAMES_NEAR = re.compile(
    rb"\b(?:[A-Z]{2,24}(?:[-' ][A-Z]{2,24})* [A-Z][a-z]{2,}|[A-Z][a-z]{2,}(?:-[A-Z][a-z]+)? [A-Z]{2,24}|"
    rb"[A-Z][a-z]{2,} (?:de |van |van de |von |del |di |le |la )?[A-Z][a-z]{2,})\b"
)
_PERSON_BEFORE_AGE = re.compile(
    rb"\b(?:patiente?|homme|femme|garcon|fille|fillette|nourrisson|enfant|monsieur|madame|mme|m\.|dame|"
    rb"demoiselle|jeune|sujet|"
    rb"retraitee?|paciente|varon|mujer|uomo|donna|paziente)\b"
    rb"[^\d\n.;<>]{0,40}?(?:agee?s? )?\(?(?:de |di |d')?(\d{1,3})[ -]?$"
)
_AGED = re.compile(rb"\bag(?:ee?|ed)\s(?:de )?(\d{1,3})[ -]?$")
_BARE_AGE = re.compile(rb"(\d{1,3})[ -]?$")
_PERSON_AFTER_AGE = re.compile(
    rb"[- ]?(?:old )?(?:[a-z-]{2,20} ){0,3}?(?:male|female|man|woman|boy|girl|lady|gentleman|patient|patientin|mann|"
    rb"frau|vrouw|infant|rhm|rhf|lhm|wm|wf|bm|bf|m|f)\b"
)
_PLURAL_AGE = re.compile(
    rb"(?:plus|moins|partir|au-dela|entre|over|under|above|than|between|uber|unter|jusqu'a|ages) (?:de |d')?\d+[ -]?$"
)
_NOT_A_NAME = frozenset(
    b"le la les l de du des dr docteur pr professeur president presidente maire directeur directrice ministre maitre "
    b"et ou si pour a au nom prenom date ne nee sexe age patient patiente service the dear sir "
    b"chambre lit adresse telephone heure medecin signature taille poids "
    b"mme mlle mr mrs monsieur madame herr frau madam chef procureur juge inspecteur notre votre son cher chere "
    b"bonjour merci".split()
)
_AFTER_NAME = frozenset(b"ne nee sexe age date ddn ipp dr patient patiente born geb nato nata geboren dob mrn".split())
_SEX = re.compile(rb"\W{1,3}(?:m|f|h|w|masculin|feminin|male|female|mannlich|weiblich)\b")
_JOINED = frozenset(
    (
        b"",
        b" ",
        b", ",
        b". ",
        b" (",
        b" - ",
        b" et ",
        b" / ",
        b" and ",
        b" und ",
        b" e ",
        b" y ",
        b" en ",
        b"\n",
        b",\n",
        b": ",
        b" : ",
    )
)
_BEHIND_NAME = frozenset((b", ", b" (", b" - ", b" -- ", b"\n", b",\n", b" / "))
_NEVER_WORDS = frozenset((b"mw", b"mr"))  # civilities that hurried people write small
_MARKS = frozenset((b"IDE", b"IDEL", b"IBODE", b"IADE", b"AS", b"ASH", b"RN", b"RGN", b"MFA", b"OSS", b"TCAE", b"DUE"))
_COLON = frozenset((b": ", b" : ", b" :", b":"))
_KIN_NAME = re.compile(rb"(?: |, | \()([A-Z][a-z'-]{2,24}(?: [A-Z][A-Za-z'-]{1,24}){0,2})\b")
_FIRST_BEFORE = re.compile(rb"\b[A-Z][a-z-]{2,20}[ ,]{1,2}\(?$")
_MESSAGE = 2600  # folded bytes of a page that may be a message; a longer one may be a story
_AGE_LIMIT = 120  # years
_DON = b"d"
_FIGURE_BEHIND = re.compile(rb",? \(?\d")
_BRIEF = 4  # letters of « Pat. », « Pac. », « pz »
_MEMORY = 64  # identities kept a page: a hostile page must not grow the sets without end


def read_born(evidence: Evidence, page: Folded, match: Match) -> None:
    """A birth date right after its label; blank when the field is open. Notes whether a name stands close by."""
    lines = page.lines
    place = _AT_PLACE.match(lines, match.end, match.end + 50)
    found = _DATE.match(lines, place.end() if place else match.end, match.end + 80)
    if found is None and (date := _scanned(lines, match.end) or spoken_date(lines, match.end)):
        evidence.births.add(date)
        return
    if found is None:
        evidence.blanks += _BLANK.match(lines, match.end, match.end + 40) is not None
        return
    date = iso_date(found)
    if date and len(evidence.births) < _MEMORY:
        evidence.births.add(date)
        window = page.cased[max(0, match.start - 120) : found.end() + 80]
        before = page.cased[max(0, match.start - 24) : match.start]  # «Inaya (née le …»
        evidence.named_births += _NAMES_NEAR.search(window) is not None or _FIRST_BEFORE.search(before) is not None


def _scanned(lines: bytes, start: int) -> str:
    """The date there, read as a scanner writes it: «2l.O6.l949»."""
    found = _SCANNED.match(lines, start, start + 40)
    if found is None or found[0].translate(None, b"0123456789") == found[0]:
        return ""
    read = _DATE.match(b" " + b"/".join(found.groups()).translate(_FIGURES))
    return iso_date(read) if read else ""


def iso_date(found: re.Match[bytes]) -> str:
    """The matched date as YYYY-MM-DD (day first when both orders fit), or "" when it is no date of birth."""
    groups = found.groupdict()
    if groups["iso"]:
        year, month, day = (int(part) for part in re.split(rb"[-/.]", groups["iso"]))
    elif groups["solid"]:
        year, month, day = int(groups["solid"][:4]), int(groups["solid"][4:6]), int(groups["solid"][6:])
    else:
        word = (groups["month"] or groups["word"] or b"").decode("ascii", "replace")
        month = int(word) if word.isdigit() else _MONTHS.get(word, 0)
        day = int(groups["day"] or groups["wday"] or 0)
        year = int(groups["year"] or groups["wyear"] or 0)
        if month > 12 >= day:
            day, month = month, day
        if year < 100:
            year += 1900 if year > 26 else 2000
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1850 <= year <= 2100):
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}"


def read_civility(evidence: Evidence, page: Folded, match: Match) -> None:
    """«Mme DUPONT Jeanne»: a person, unless a title of office follows."""
    if (
        page.cased[match.start] > 0x5A and len(match.entry.text) < 3 and match.entry.text not in _NEVER_WORDS
    ):  # a lone m or sr must be a capital
        return
    found = _NAME_AFTER_CIVILITY.match(page.cased, match.end, match.end + 90)
    works = found is not None and found.group(1).rpartition(b" ")[2] in _MARKS  # «Mme S. DELORME IDE»
    if found and (works or (evidence.staff and page.lines[evidence.staff : match.start] in _JOINED)):
        evidence.staff = found.end(1)  # «Présents : M. X, Mme Y»
        return
    if found is None and (name := spelled_name(page.lines, match.end)):
        _add_name(evidence, name)
    if found and match.entry.text == _DON and found.group(1).isupper() and len(found.group(1)) < _BRIEF:
        return  # «D. EP : Wells > 6», the fourth point of a list
    known = len(evidence.names)
    if found and _add_name(evidence, found.group(1)):
        evidence.last_name = found.end(1), len(evidence.names) > known
        evidence.heads.append(match.start)
        age = _AGE_BEHIND.match(page.cased, found.end(1), found.end(1) + 40)
        if age and int(age[1]) <= _AGE_LIMIT and len(evidence.ages) < _MEMORY:
            evidence.ages.add(age[1])


def read_office(evidence: Evidence, page: Folded, match: Match) -> None:
    """«Mme DUPONT, cadre de santé», «Contact : M. DUPONT»: who works there is nobody's patient."""
    _dismiss(evidence, page, match)
    evidence.staff = match.end


def read_role(evidence: Evidence, page: Folded, match: Match) -> None:
    """«M. DUPONT, infirmier», «Kiné : Mme DUPONT»; without a colon the name behind may be the patient's."""
    behind = page.lines[match.end : match.end + 3]
    if not _dismiss(evidence, page, match) and (behind.rstrip() in _COLON or behind == b", m"):
        evidence.staff = match.end


def read_kin(evidence: Evidence, page: Folded, match: Match) -> None:
    """«Mon frère», «maman», «my mum»: the writer's own, who is one particular person though nobody says the name."""
    if len(page.lines) > _MESSAGE:
        return
    evidence.narrative.add(b"*kin of the writer")
    found = _KIN_NAME.match(page.cased, match.end, match.end + 70)
    if found and _add_name(evidence, found.group(1)):  # «mon frère Hervé Colin»
        evidence.narrative.add(b"*kin by name")
    evidence.heads.append(match.start)


def _dismiss(evidence: Evidence, page: Folded, match: Match) -> bool:
    """Take back the name that ends right before the profession; True when there was one."""
    end, new = evidence.last_name
    if not end or page.lines[end : match.start] not in _BEHIND_NAME:
        return False
    evidence.last_name = (0, False)
    evidence.staff = match.end
    evidence.workers.append(evidence.newest)
    if new:
        evidence.names.discard(evidence.newest)
        evidence.heads.pop()
    return True


def _add_name(evidence: Evidence, name: bytes) -> bool:
    folded = name.lower().replace(b"-", b" ").split()
    folded = list(dropwhile(PARTICLES.__contains__, folded)) or folded  # «M. Le Goff» is one, «M. Le Maire» is none
    if not folded or folded[0] in _NOT_A_NAME or len(evidence.names) >= _MEMORY:
        return False
    if len(folded) == 1 and _is_medicine(folded[0]):  # «bei der Frau Fosfomycin 3 g»
        return False
    stop = next((place for place, word in enumerate(folded) if word in _AFTER_NAME), len(folded))
    evidence.newest = b" ".join(sorted(word for word in folded[:stop] if word not in PARTICLES)[:3])
    evidence.names.add(evidence.newest)
    return True


def _is_medicine(word: bytes) -> bool:
    return word in medicines() or any(medicine for _, _, medicine in shaped(b" " + word + b" "))


def read_patient(evidence: Evidence, page: Folded, match: Match) -> None:
    """«Patient : GAUTIER Nicolas», «Nom : …»: a named person, or a field left open."""
    if page.cased[match.start - 1 : match.start] in _NOT_A_LABEL:  # «118 ml/PT», «(1000 PT»: patient days
        return
    found = _LABELLED.match(page.cased, match.end, match.end + 110)
    if found:
        if _add_name(evidence, found.group(1)) and match.entry.text not in _WEAK_LABELS:
            evidence.patients += 1
            evidence.labelled.add(evidence.newest)
    elif match.entry.text in _DIRECTLY and (found := _DIRECT.match(page.cased, match.end, match.end + 60)):
        sure = not evidence.loud and (
            len(match.entry.text) <= _BRIEF or _FIGURE_BEHIND.match(page.cased, found.end()) is not None
        )
        if _is_somebody(found.group(1), sure=sure, loud=evidence.loud):
            _add_name(evidence, found.group(1))
    elif _BLANK.match(page.lines, match.end, match.end + 40):
        evidence.blanks += 1


def _is_somebody(name: bytes, *, sure: bool, loud: bool) -> bool:
    """«Patient Safety Dashboard», «Resident Care Plan» are titles; behind «Pat.», or with a date behind them, two words
    that are none are a name.
    """
    words = name.lower().replace(b"-", b" ").replace(b",", b"").split()
    if not (given() | family()).isdisjoint(words):
        return True
    return all(map(unknown, words)) and (sure or (not loud and any(map(bytes.isupper, name.split()))))


_NOT_A_LABEL = frozenset((b"/", b"-"))
_WEAK_LABELS = frozenset(
    b"nom|name|client|re|concerne|nom et prenom|nom prenom|resident|assure|beneficiaire".split(b"|")
)


def read_age(evidence: Evidence, page: Folded, match: Match) -> None:
    """«patient de 54 ans», «a 65-year-old woman»: one person; «plus de 65 ans» is a population."""
    before = page.lines[max(0, match.start - 70) : match.start]
    if _PLURAL_AGE.search(before):
        return
    found = _PERSON_BEFORE_AGE.search(before) or _AGED.search(before)
    if found is None:
        found = _BARE_AGE.search(before)
        if found is None or not _PERSON_AFTER_AGE.match(page.lines, match.end, match.end + 60):
            return
    if int(found.group(1)) <= _AGE_LIMIT and len(evidence.ages) < _MEMORY:
        evidence.ages.add(found.group(1))


def read_chart(evidence: Evidence, page: Folded, match: Match) -> None:
    """A record number after its label."""
    if _NUMBER.match(page.lines, match.end, match.end + 40):
        evidence.charts += 1
    elif _BLANK.match(page.lines, match.end, match.end + 40):
        evidence.blanks += 1


def read_sex(evidence: Evidence, page: Folded, match: Match) -> None:
    """«Sexe : F»."""
    if _SEX.match(page.lines, match.end):
        evidence.sex += 1
