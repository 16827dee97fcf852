"""How a page speaks: to an examinee, to whoever is on duty, to readers, or of one person under care.

Owns the speech acts that show that nobody in particular is meant though the words are clinical: a question with options
to choose from, a rule («si K < 3», «ne jamais»), a row of infinitives, the stage direction, the life dates of a
biography, the owner of an animal. Takes a folded page, notes markers of the families of negatives.py. Weighs nothing.
Pages without anything clinical are not looked at.
"""

from __future__ import annotations

from itertools import islice

import re2

from agent.detection.evidence import Evidence
from agent.detection.fold import Folded
from agent.detection.linear import any_of, holding, sharing, spans

_MOST = 40
_SPOKEN = 2  # lines that begin with a quotation mark
_QUESTIONS = 5  # question marks of a page: more than a patient asks, as many as a list of questions and answers has
_HEAD, _PROPERTY = 80, 24  # bytes of the first words, and of a property that is passed over
_NOT_GIVEN = frozenset((b"untitled", b"anonymous", b"unspecified", b"untitled document", b"sans titre", b"unknown"))
_OPTION = re2.compile(rb"[\n ]\(?(?:[ab] ?[.):/-]|c ?[.):/-] )")
_has_third = holding(re2.compile(rb"[\n ]\(?c ?[.):/-] "))
_ASKED, _APART = 81, 201  # bytes between a question and its first option, and from one option to the next
_MOST_OPTIONS = 300
_A = ord("a")
_QUESTION = re2.compile(
    rb"(?:\n|\. )(?:(?:q(?:uestion)? ?)?\d{0,2} ?[.):-]{0,2} ?)?(?:quel|quelles?|quels|comment|pourquoi|que |what|"
    rb"which|how |why |was |welche|"
    rb"warum|cual|como |que |quale|quali|come |perche|qual |quais|welke|wat |hoe |citez|list |name |define|"
    rb"discuss|explain)[^\n?]{3,200}\?"
)
_POINTS = re2.compile(rb"\(\d{1,2} ?(?:pts?|points?|punkte|puntos|punti|marks?|pontos|punten)\)")
_RULE = re2.compile(
    rb"\b(?:si|sauf si|if|wenn|falls|bei|se|when|unless|als|devant)\b[^\n.,;:?]{1,40}?(?:[<>]|inferieure? a|"
    rb"superieure? a|less than|"
    rb"greater than|above|below|under|over) ?\d"
)
_FORBIDDEN = re2.compile(
    rb"[\n.;:-] ?(?:ne (?:pas|jamais) [a-z']{3,}|toujours [a-z]{3,}er\b|do not |never |always |nie |niemals |"
    rb"immer |non [a-z]+are\b|"
    rb"no [a-z]+[aei]r\b|nao [a-z]+[aei]r\b|nooit |altijd )"
)
_INFINITIVE = re2.compile(
    rb"[\n.;:*-] ?(?:\d{1,2}[.)] ?)?(?:se |s'|le |la |les )?(?:administr|appel|alert|control|verifi|recherch|"
    rb"realis|evalu|elimin|surveill|"
    rb"not|trac|pos|nettoy|appliqu|utilis|evit|chang|retir|expliqu|propos|debut|arret|respect|install|desinfect|"
    rb"ponctionn|fix|mass|inform|"
    rb"prepar|inject|dilu|perfus|orient|hospitalis|adapt|frictionn|lav|deterg|rinc|sech|prelev|renseign|conserv|"
    rb"jet|signal|priviligi|"
    rb"privilegi|dos|repet|mesur|calcul|envisag|discut)er\b|[\n.;:*-] ?(?:\d{1,2}[.)] ?)?(?:reconnaitre|"
    rb"prescrire|prevenir|maintenir|"
    rb"introduire|reduire|remplir|traiter|obtenir|ralentir)\b"
)
_STAGE = re2.compile(
    rb"\b(?:int|ext)\. ?[a-z' ]{0,30}[.-] ?[a-z -]{0,20}(?:nuit|jour|night|day|nacht|tag|noche|dia|notte|"
    rb"giorno)\b|\bint\. (?:nuit|jour|"
    rb"couloir|hopital|night|day)|\bfondu au noir\b|\bfade (?:in|out)\b|\bcut to\b|\bseq(?:uence)?\.? ?\d"
)
_TOLD = re2.compile(
    rb"\b(?:pensa|dit|demanda|repondit|murmura|soupira|chuchota|cria|s'ecria|songea|souffla|"
    rb"lacha)[ -](?:t-)?(?:il|elle|l')\b|"
    rb"\b(?:murmura|chuchota|soupira|songea|s'ecria)\b|\b(?:she|he) (?:whispered|murmured|thought|sighed|"
    rb"muttered|replied)\b|"
    rb"\b(?:flusterte|seufzte|murmelte|dachte er|dachte sie)\b|\b(?:susurro|murmuro|sussurro|mormoro|fluisterde)\b"
)
_LIFE = re2.compile(rb"\((?:[a-z0-9', ]{0,24} )?1[4-9]\d\d ?-{1,2} ?(?:[a-z0-9', ]{0,24} )?(?:1[4-9]|20)\d\d\)")
_OWNER = re2.compile(
    rb"\b(?:owners?|proprietaire|besitzer(?:in)?|halter(?:in)?|tierhalter(?:in)?|propietari[oa]|"
    rb"proprietari[oa]|eigenaar|"
    rb"eigenaresse|tutora?) ?[:=.]|\b(?:o|owner) (?:consents|reports|declined|advised)\b|\bproprio ?[:=]"
)
_ANIMAL = re2.compile(  # no « CAT : », which in French is what is to be done
    rb"\n(?:dog|horse|chien|cheval|gatto|cavallo|hund|katze|pferd|perro|caballo|hond|paard) ?: ?[a-z]|"
    rb"\b(?:gatt[oa]|cane|cagna|chat|chatte|chien|chienne|katze|kater|hund|cat|dog|perr[oa]|gat[oa]|hond|kat|"
    rb"lapin|coniglio)[ ,]{1,2}"
    rb"(?:[a-z.]{2,14} ){0,3}?(?:mc|fs|mn|fn|fc|maschio|femmina|femelle|male|female|macho|hembra|mannlich|"
    rb"weiblich),? ?\d{1,2} ?[a-z]|"
    rb"\b(?:male|female|femelle|chien|chienne|chat|chatte|lapine?|hund|katze|kater|hundin|gatt[oa]|cane|cagna|"
    rb"perr[oa]|gat[oa]|cao|cadela|"
    rb"hond|kat|teef|reu|dog|cat|bitch|tom|mare|jument)[ ,]{1,2}(?:neutered|castre|castree|sterilisee?|spayed|"
    rb"kastriert|castrat[oa]|"
    rb"sterilizzat[oa]|castrad[oa]|esterilizad[oa]|gecastreerd|gesteriliseerd|entier|entiere|intact)\b|"
    rb"\b(?:neutered|spayed|castrated) "
    rb"(?:male|female|dog|cat|bitch)\b|\b(?:dsh|dlh|labr?|gsd|jrt|ckcs|wht?|bc|lab)[ ,]{0,2}(?:x )?(?:mn|fn|me|fe|mc|"
    rb"fs)\b|\b(?:mn|fn|fs|mc) \d{1,2} ?y\b"
)


_ASKS = ord("?")
_speaks = any_of(_POINTS, _RULE, _FORBIDDEN, _INFINITIVE, _STAGE, _TOLD, _LIFE, _OWNER, _ANIMAL)  # seldom
_FIRST = {
    "exam": re2.compile(
        rb"\A[^a-z]{0,6}(?:\d+ ?)?(?:cours|diaporama|riassunto|dispensa|resumen de|zusammenfassung|lernzettel|"
        rb"td|tp|atelier|ronde|tutorial|teaching|lecture (?:notes|[0-9])|"
        rb"revision|handout|"
        rb"flashcards?|anatomy flashcards|vorlesung|"
        rb"seminar|kasuistik|lezione|corso|apuntes|curso|aula|college (?:[0-9]|over)|casus|station|exercice|"
        rb"examen (?:blanc|de|"
        rb"final)|exam|quiz|partiel|ifsi|operatietechniek|operationstechnik|op-technik|surgical technique|"
        rb"technique operatoire|tecnica chirurgica|tecnica quirurgica|tecnica cirurgica)\b"
    ),
    "rule": re2.compile(
        rb"\A[^a-z]{0,6}(?:protocole de (?:service|soins|prise)|protocole [-:]|procedure|consignes?|"
        rb"fiche (?:reflexe|memo|technique|pratique)|memento|"
        rb"memo|guide|guideline|recommandations?|conduite a tenir|cat devant|antibiotherapie probabiliste|"
        rb"policy|sop|checklist|check-list|leitlinie|"
        rb"verfahrens|arbeitsanweisung|standard|procedura|linee guida|scheda operativa|istruzione operativa|"
        rb"pdta|istruzione|manual de|guia|richtlijn|"
        rb"[a-z]+ protocol |que faire si|"
        rb"trial |study |protocol )"
    ),
    "administrative": re2.compile(
        rb"\A[^a-z]{0,6}(?:inventaire|commande|planning|annonce|rapport d'activite|bilan d'activite|"
        rb"compte[ -]rendu (?:de (?:la )?reunion|du conseil|du "
        rb"clin|du clan|de la cme)|retex|inventory|stock|minutes|rota|rotation|report [0-9]|"
        rb"protokoll [a-z]*(?:kommission|sitzung)|verbale riunione|"
        rb"acta|notulen|inventario|bestand)\b"
    ),
}
"""What the first words call the page, when they call it something about nobody."""
_OPENS = {family: holding(shape) for family, shape in _FIRST.items()}


def read_speech(evidence: Evidence, page: Folded) -> None:
    """Note what the page's way of speaking says against a particular person. Linear in the page."""
    lines = page.lines
    head = _head(lines)
    for family, opens in _OPENS.items():
        if opens(head):
            _note(evidence, family, "d", b"*first words")
    asks = _ASKS in lines
    if (asks or b"a. " in lines or b"a) " in lines) and _offers_options(lines):
        _note(evidence, "exam", "s", b"*options", b"*choose")
    if asks and (count := _count(_QUESTION, lines)) > 1:
        _note(evidence, "course", "s", *(b"*question %d" % number for number in range(min(count, 3))))
    if asks and lines.count(b"?") >= _QUESTIONS:
        _note(evidence, "general", "s", b"*asked", b"*answered")
    if lines.count(b'\n"') >= _SPOKEN and b'";' not in lines and b'",' not in lines:  # no sheet with quoted cells
        _note(evidence, "fiction", "s", b"*spoken", b"*dialogue")
    if _speaks(lines):
        _note_acts(evidence, lines)


def _head(lines: bytes) -> bytes:
    """The first words, behind what programs write for a title or an author that nobody gave."""
    start = 1
    while (stop := lines.find(b"\n", start, start + _PROPERTY)) >= 0 and lines[start:stop] in _NOT_GIVEN:
        start = stop + 1
    return lines[start : start + _HEAD]


def _note_acts(evidence: Evidence, lines: bytes) -> None:
    if _POINTS.search(lines):
        _note(evidence, "exam", "s", b"*points", b"*marks")
    rules = _count(_RULE, lines) + _count(_FORBIDDEN, lines)
    orders = _count(_INFINITIVE, lines)
    if rules > 1 or orders > 3 or (rules and orders > 1):
        _note(evidence, "rule", "s", *(b"*rule %d" % number for number in range(min(4, rules + orders // 2))))
    if stage := _count(_STAGE, lines):
        _note(evidence, "fiction", "s", *(b"*stage %d" % number for number in range(min(3, stage + 1))))
    if told := _count(_TOLD, lines):
        _note(evidence, "fiction", "s", *(b"*told %d" % number for number in range(min(3, told))))
    if _LIFE.search(lines):
        _note(evidence, "fiction", "s", b"*life", b"*dates")
    if _OWNER.search(lines):
        _note(evidence, "veterinary", "s", b"*owner")
    if _ANIMAL.search(lines):
        _note(evidence, "veterinary", "s", b"*animal", b"*sex of an animal")


def _offers_options(lines: bytes) -> bool:
    """A question, or what asks for an answer, then options a, b, c, with no other question between."""
    if not _has_third(lines):
        return False
    reached: tuple[list[int], ...] = ([], [], [])  # where the options a, b, c end that follow from a question
    for start, end in islice(sharing(_OPTION, lines), _MOST_OPTIONS):
        letter = lines[start:end].strip(b"\n (")[0] - _A
        if letter == 0:
            before = lines[max(0, start - _ASKED) : start]
            follows = b"?" in before or b":" in before
        else:
            stop = next((stop for stop in reversed(reached[letter - 1]) if stop < start), None)
            follows = stop is not None and start - stop <= _APART and b"?" not in lines[stop:start]
        if follows:
            reached[letter].append(end)
    return bool(reached[2])


def _count(shape: re2._Regexp, lines: bytes) -> int:
    return sum(1 for _ in islice(spans(shape, lines), _MOST))


def _note(evidence: Evidence, family: str, strength: str, *markers: bytes) -> None:
    evidence.against.setdefault(family, {}).setdefault(strength, set()).update(markers)
