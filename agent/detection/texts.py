"""The text of one node: parts become pages, pages see their neighbours, the best page speaks for the node.

Owns how parts are joined and cut, what a page takes over from its neighbours (whom it is about, not what it says), and
how a page's sum becomes masked findings. Takes a node, returns ``Judged``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from agent.detection import combine, masking, negatives, weights, wordings
from agent.detection.called import names_somebody
from agent.detection.combine import Score
from agent.detection.evidence import Evidence
from agent.detection.fold import fold_page
from agent.detection.identifiers import mask
from agent.detection.identifiers.base import Hit
from agent.detection.identifiers.scan import find_in
from agent.detection.judged import Judged
from agent.detection.kinds import kind_of
from agent.detection.pages import PAGE, cut, read_page
from agent.detection.persons import NOBODY, about_whom
from agent.detection.roster.search import Listed, Search, combined
from agent.document import Document, Format, Problem, Spot
from agent.findings import Finding, FindingType, Kind, Scale, Side

_PATIENT_NUMBERS = frozenset((FindingType.NIR, FindingType.INS, FindingType.FOREIGN_ID))
_MASKED = _PATIENT_NUMBERS | {FindingType.RPPS, FindingType.ADELI, FindingType.FINESS, FindingType.IPP, FindingType.NDA}
SHEETS = frozenset((Format.CSV, Format.XLSX, Format.XLS, Format.ODS))
_Ask = Callable[[bytes, list[Hit]], Listed]
"""A folded page and its identifiers → the patients of the practice's list on it."""
_NOBODY = Listed()
_MAILS = frozenset((Format.EML, Format.MSG))
_KIN = b"*kin of the writer"
_MINE = tuple(
    b"mon |ma |mes |je |j ai |my |i |mein |meine |ich |mio |mia |il mio |la mia |ho |mi |tengo |me |mijn |ik ".split(
        b"|"
    )
)
_UNWRITTEN = frozenset(
    (Format.ZIP, Format.TAR, Format.GZIP, Format.SEVENZIP, Format.RAR, Format.BZIP2, Format.XZ, Format.AGE,
     Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT, Format.DICOM, Format.SIGNAL, Format.RESEARCH)
)  # fmt: skip
"""Of these, and of what is encrypted, the text is names and fields of headers: how it sounds says nothing."""
_TOLD = 40  # features of the wording among which the words of our lexicon are shown
_SURE = 0.8  # strength from which a social security number is one, whatever stands around


@dataclass(slots=True)
class _Page:
    spot: Spot
    evidence: Evidence
    identifiers: float
    items: list[Finding]
    numbers: frozenset[str]
    listed: Listed
    cased: bytes = b""
    wording: float = 0.0  # nats: how it sounds
    heard: bytes = b""  # by which features (``wordings.telling``)


def judge_text(node: Document, search: Search | None = None) -> Judged:
    """Judge the language of all parts of a node; the most telling page decides. ``search`` asks the patient list."""
    in_rows = node.format in SHEETS and bool(node.tables)  # then the rows tell who was born when
    pages = _read_pages(node, partial(search.text, names=not in_rows) if search is not None else None)
    if not pages:
        return Judged(node)
    _spread(pages)
    listens = node.format not in _UNWRITTEN and node.problem is not Problem.ENCRYPTED
    best, score = _best_page(pages, listens=listens)
    page = pages[best]
    numbers = frozenset(number for each in pages for number in each.numbers)
    medical = score.probability >= combine.MEDICAL
    mine = node.format in _MAILS and _of_the_writer(page)
    identified = medical and (mine or _identified(pages, best))
    listed = combined([each.listed for each in pages])
    cased = [each.cased for each in pages]
    about = (
        about_whom([each.evidence for each in pages], cased, numbers, listed.keys, in_rows=in_rows)
        if medical
        else NOBODY
    )
    return Judged(
        node,
        score.probability,
        kind_of(_merge([each.evidence for each in pages[max(0, best - 1) : best + 2]])) if medical else Kind.OTHER,
        identified=identified,
        persons=about.persons if identified else frozenset(),
        anonymous=max(1, about.entries) if medical and not identified else 0,
        number=bool(numbers),
        items=_findings(page, score) + tuple(page.items),
        scale=Scale(round(score.clinical, 2), round(score.person, 2)),
        listed=listed,
    )


def _spread(pages: list[_Page]) -> None:
    """Whom a page is about may stand on the page before or after, or on the first."""
    found = [page.evidence.listed for page in pages]
    if any(found):
        for number, page in enumerate(pages):
            page.evidence.listed = max(found[max(0, number - 1) : number + 2] + found[:1])


def _read_pages(node: Document, ask: _Ask | None) -> list[_Page]:
    """Parts joined up to a page, long parts cut; member names and properties are read like text."""
    pages: list[_Page] = []
    held: list[str] = []
    spot, size = Spot(), 0
    for part in node.parts:
        if not part.text or part.text.isspace():
            continue
        if held and size + len(part.text) > PAGE:
            pages.append(_read(spot, "\n".join(held), ask))
            held, size = [], 0
        if len(part.text) > PAGE:
            pages.extend(_read(part.spot, piece, ask) for piece in cut(part.text))
            continue
        if not held:
            spot = part.spot
        held.append(part.text)
        size += len(part.text)
    if held:
        pages.append(_read(spot, "\n".join(held), ask))
    return pages


def _read(spot: Spot, text: str, ask: _Ask | None) -> _Page:
    text, page = fold_page(text)
    evidence = read_page(page)
    first: dict[FindingType, str] = {}
    counts: dict[FindingType, int] = {}
    numbers: dict[str, float] = {}
    hits = find_in(text)
    listed = ask(page.cased, hits) if ask is not None else _NOBODY
    evidence.listed = len(listed.persons)
    for hit in hits:
        if hit.type in _PATIENT_NUMBERS:
            numbers[hit.value] = max(hit.strength, numbers.get(hit.value, 0.0))
        elif hit.type is FindingType.BIRTH_DATE and hit.value:
            evidence.births.add(hit.value)
            continue
        elif hit.type in {FindingType.IPP, FindingType.NDA}:
            evidence.charts = max(evidence.charts, 1)
        first.setdefault(hit.type, hit.value)
        counts[hit.type] = counts.get(hit.type, 0) + 1
    sure = frozenset(value for value, strength in numbers.items() if strength >= _SURE)
    items = [Finding(kind, counts[kind], spot, 0.0, _sample(kind, value)) for kind, value in first.items()]
    wording, heard = wordings.heard(page.lines)
    return _Page(spot, evidence, sum(numbers.values()), items, sure, listed, page.cased, wording, heard)


def _sample(kind: FindingType, value: str) -> str:
    return mask(value)[: masking.LIMIT] if kind in _MASKED else ""


def _best_page(pages: list[_Page], *, listens: bool = True) -> tuple[int, Score]:
    """The most telling page and its sum. The most clinical pages are summed first; the rest is left out as soon as none
    of it could be more telling, could be medical at all, or could add to a certainty that is not told apart any more.
    """
    whole = negatives.weigh([pages[0].evidence, pages[-1].evidence] if len(pages) > 1 else [pages[0].evidence])
    vignettes = _vignettes([page.evidence for page in pages])
    score_page = partial(_heard if listens else _score_page, pages, whole=whole, vignettes=vignettes)
    if len(pages) == 1:
        return 0, score_page(0)
    bounds = [combine.reach(page.evidence, page.wording if listens else None) for page in pages]
    order = sorted(range(len(pages)), key=lambda number: -bounds[number])
    best, score = order[0], score_page(order[0])
    for number in order[1:]:
        if bounds[number] < max(combine.MEDICAL, score.probability) or score.probability >= combine.CERTAIN:
            break
        other = score_page(number)
        if (other.probability, -number) > (score.probability, -best):
            best, score = number, other
    return best, score


def _heard(pages: list[_Page], number: int, whole: dict[str, float], vignettes: int) -> Score:
    """The sum of a page with how it sounds."""
    said = _score_page(pages, number, whole, vignettes)
    page = pages[number].evidence
    note = len(pages) == 1 and page.size <= weights.NOTE
    return combine.heard(said, pages[number].wording, sure=page.listed > 0, note=note)


def _score_page(pages: list[_Page], number: int, whole: dict[str, float], vignettes: int) -> Score:
    """A page is clinical by itself; whom it is about may stand on the page before, after, or on the first."""
    page = pages[number]
    if len(pages) == 1:
        return combine.score(page.evidence, page.identifiers, whole, vignettes)
    near = pages[max(0, number - 1) : number + 2]
    seen = _merge_persons(page.evidence, [each.evidence for each in near + (pages[:1] if number > 1 else [])])
    here = negatives.weigh([page.evidence])
    against = {family: max(whole.get(family, 0.0), here.get(family, 0.0)) for family in {*whole, *here}}
    return combine.score(seen, max(each.identifiers for each in near), against, vignettes)


def _vignettes(pages: list[Evidence]) -> int:
    """Ages of many different persons, hardly a name and no identity: a book of cases. How many beyond three."""
    if any(page.births or page.patients or page.charts for page in pages):
        return 0
    ages, names = (len(set().union(*(getattr(page, what) for page in pages))) for what in ("ages", "names"))
    return max(0, ages - 3) if names * 2 < ages else 0


def _merge_persons(page: Evidence, near: list[Evidence]) -> Evidence:
    """The page's clinical content with the identities of its neighbours; the page itself when they name nobody."""
    others = [each for each in near if each is not page]
    if not any(each.births or each.names or each.patients or each.charts or each.named_births for each in others):
        return page
    return replace(
        page,
        births=set().union(*(each.births for each in near)),
        named_births=max(each.named_births for each in near),
        names=set().union(*(each.names for each in near)),
        patients=max(each.patients for each in near),
        charts=max(each.charts for each in near),
    )


def _merge(pages: list[Evidence]) -> Evidence:
    """What kinds.py looks at, of several pages together."""
    merged = Evidence()
    for page in pages:
        for kind, count in page.titles.items():
            merged.titles[kind] = merged.titles.get(kind, 0) + count
        for kind, count in page.mentions.items():
            merged.mentions[kind] = merged.mentions.get(kind, 0) + count
        merged.lab_values |= page.lab_values
        merged.dosed |= page.dosed
        merged.sections |= page.sections
        merged.terms |= page.terms
    return merged


def _identified(pages: list[_Page], best: int) -> bool:
    """A name with a label, a civility or an age, a birth date, a number of a patient: near the best page. On a note any
    full name does.
    """
    near = pages[max(0, best - 1) : best + 2] + pages[:1]
    said = any(
        page.numbers
        or page.evidence.patients
        or page.evidence.named_births
        or page.evidence.charts
        or page.evidence.listed
        or page.evidence.names
        or page.evidence.called
        or page.evidence.births
        for page in near
    )
    if said or any(page.evidence.told for page in near):  # last: sentences are read for it
        return True
    return any(names_somebody(page.evidence, page.cased) for page in near)


def _of_the_writer(page: _Page) -> bool:
    """A mail about the writer or the writer's own: its sender says who."""
    return any(phrase == _KIN or phrase.startswith(_MINE) for phrase in page.evidence.narrative)


def _findings(page: _Page, score: Score) -> tuple[Finding, ...]:
    """The sum as findings, with samples of our own words; identities masked."""
    merged: dict[tuple[FindingType, str, bool], tuple[int, float]] = {}
    for line in score.lines:
        key = (line.type, line.side, line.nats < 0)
        count, weight = merged.get(key, (0, 0.0))
        merged[key] = max(count, line.count), round(weight + line.nats, 2)
    against = any(line.type is FindingType.WORDING and line.nats < 0 for line in score.lines)
    samples = {kind: _shown(kind, page, against) for kind in {kind for kind, _, _ in merged}}
    return tuple(
        [
            Finding(kind, count, page.spot, weight, samples[kind], _SIDES[side])
            for (kind, side, _), (count, weight) in merged.items()
        ]
    )


def _shown(kind: FindingType, page: _Page, against: bool) -> str:
    """The sample that stands for one kind of evidence; of the wording, what spoke for or against."""
    evidence = page.evidence
    if kind is FindingType.ROSTER:
        return page.listed.sample
    if kind is FindingType.WORDING:
        return masking.words(set(wordings.telling(page.heard, _TOLD, against=against)))
    if kind in _WORDS:
        return masking.words(_WORDS[kind](evidence))
    if kind is FindingType.PERSON:
        return masking.name(min(evidence.names, default=b""))
    return masking.date(min(evidence.births)) if kind is FindingType.BIRTH_DATE and evidence.births else ""


_SIDES = {side.value: side for side in Side}
_WORDS: dict[FindingType, Callable[[Evidence], set[bytes]]] = {
    FindingType.SECTION: attrgetter("sections"),
    FindingType.PHRASE: attrgetter("phrases"),
    FindingType.TERM: attrgetter("terms"),
    FindingType.DRUG: attrgetter("drugs"),
    FindingType.LAB_LINE: attrgetter("lab_values"),
    FindingType.VITAL_SIGN: attrgetter("vitals"),
}
