"""One node of a document: structured format first, then tables, then language; what could not be read.

Owns the order of the questions at a node and what counts as not looked at there. Takes a node and its parent, returns
``Judged``. How text is judged is texts.py, how nodes combine is verdicts.py.
"""

from __future__ import annotations

from dataclasses import replace

from agent.detection import combine
from agent.detection.aligned import tables_in
from agent.detection.codes import spoken, with_codes
from agent.detection.joins import joined
from agent.detection.judged import Judged
from agent.detection.listed import with_list, with_people
from agent.detection.roster.search import Search
from agent.detection.structured import recognise
from agent.detection.tables import ROW, TableEvidence, count_rows, read_table
from agent.detection.texts import SHEETS, judge_text
from agent.detection.weights import PRIOR_CLINICAL
from agent.document import Area, Document, Format, Problem, Spot
from agent.findings import Finding, FindingType, Kind, Scale, Side

_MAX_TABLES = 200
_PSEUDONYMS = frozenset(
    ("patient", "patiente", "pat", "pt", "sujet", "subject", "case", "cas", "proband", "paziente", "paciente")
)
_OFFICE = frozenset(
    (Format.DOCX, Format.XLSX, Format.PPTX, Format.ODT, Format.ODS, Format.ODP, Format.DOC, Format.XLS, Format.PPT,
     Format.RTF, Format.HTML, Format.PDF, Format.EML, Format.MSG)
)  # fmt: skip
_MAILS = frozenset((Format.EML, Format.MSG, Format.MBOX))
_PRINTED = _OFFICE | {Format.TEXT, Format.CSV, Format.MBOX}
_AGAINST = -2.0  # nats by which a text says that it is something else
_READABLE = 200  # characters of text beside which a picture is an illustration
_LOGO = 40_000  # bytes: a smaller picture in a mail is a signature's logo


def judge_node(node: Document, parent: Document | None, search: Search | None = None) -> Judged:
    """Judge one node by its own bytes and text; ``search`` asks the practice's patient list, where there is one."""
    problem = _problem(node, parent)
    structured = recognise(node)
    if structured is not None:
        about = Judged(
            node,
            structured.confidence if structured.patient_data else 1 - structured.confidence,
            structured.kind if structured.patient_data or structured.kind is Kind.RESEARCH else Kind.OTHER,
            structured.identified,
            structured.persons,
            structured.anonymous or int(structured.patient_data and not structured.persons),
            structured.test_data,
            problem=problem or structured.problem,
            items=structured.items,
        )
        return with_people(about, structured.people, search)
    text = _judge_words(node, search)
    readings = _readings(node, text)
    tables = [_judge_table(node, rows) for reading in readings for rows in reading]
    table = max(tables, key=lambda found: found.probability, default=None)
    best = text
    if table is not None and (table.probability >= combine.MEDICAL or table.number):
        best = table if table.probability >= combine.MEDICAL else replace(text, number=True)
        listed = _persons(tables, [len(reading) for reading in readings])
        if text.identified and text.persons and all(who.startswith(ROW) for who in listed):
            listed = text.persons  # the lines of one person's table: readings, medicines
            best = replace(best, identified=True)
        best = replace(
            best,
            probability=max(best.probability, text.probability),
            items=best.items + (_aside(text.items) if best is table else table.items),
            persons=max(listed, text.persons, key=len) if listed and not node.tables else listed or best.persons,
        )
    elif text.probability >= combine.MEDICAL and node.format in SHEETS:
        best = _with_rows(node, text)
    best = with_list(node, with_codes(node, best), search)
    unread = _unread(node, parent)
    if unread == best.unread and (problem is None or problem is best.problem):
        return best  # nearly every node: nothing to add
    return replace(best, problem=problem or best.problem, unread=unread)


def _readings(node: Document, text: Judged) -> list[list[list[tuple[str, ...]]]]:
    """The tables of a node with what refers to one another laid side by side; else the ways to read tables in its text,
    unless that is known for something else: source code, a course, a specification.
    """
    if node.tables:
        rows_of = node.tables[:_MAX_TABLES]
        return [[*rows_of, *joined(rows_of)]]
    against = any(item.weight <= _AGAINST and item.type is not FindingType.WORDING for item in text.items)
    if node.format not in _PRINTED or against:
        return []
    return tables_in("\n".join(part.text for part in node.parts[:_MAX_TABLES]))


def _with_rows(node: Document, text: Judged) -> Judged:
    """Its words say that a sheet is about patients, its columns alone do not: then the rows say how many they are."""
    rows = frozenset[str]().union(*map(count_rows, node.tables[:_MAX_TABLES]))
    if len(rows) <= max(len(text.persons), text.anonymous):
        return text
    named = text.identified or sum(map(_is_named, rows)) * 2 > len(rows)
    return replace(text, persons=rows, identified=True) if named else replace(text, anonymous=len(rows))


def _is_named(key: str) -> bool:
    """Whether the key of a row is a name of two words: not a number, not «patient a»."""
    words = key.split("|", maxsplit=1)[0].replace(",", " ").split()
    return len(words) > 1 and not any(map(str.isdigit, key.split("|", maxsplit=1)[0])) and words[0] not in _PSEUDONYMS


def _persons(tables: list[Judged], sizes: list[int]) -> frozenset[str]:
    """Everyone in the tables of that reading which tells of most persons."""
    most: frozenset[str] = frozenset()
    for size in sizes:
        most = max(most, frozenset[str]().union(*(each.persons for each in tables[:size])), key=len)
        tables = tables[size:]
    return most


def _judge_words(node: Document, search: Search | None) -> Judged:
    """The language of a node, what its codes hold for people to read included."""
    words = spoken(node)
    if not words:
        return judge_text(node, search)
    return replace(judge_text(replace(node, parts=node.parts + words), search), node=node)


def _problem(node: Document, parent: Document | None) -> Problem | None:
    """What could not be looked at here. A picture within a readable document is an illustration, alone it is a scan."""
    problem = node.problem
    if problem is None and node.format is Format.IMAGE and not node.looked:
        problem = Problem.IMAGE
    if problem is Problem.IMAGE and parent is not None and _illustrates(node, parent):
        problem = None
    if problem is None and node.truncated:
        problem = Problem.TOO_LARGE
    return problem


def _unread(node: Document, parent: Document | None) -> bool:
    """A picture that could be a page and passes for an illustration: said apart, for whoever can read pictures."""
    if node.format is not Format.IMAGE or node.looked or node.problem not in {None, Problem.IMAGE} or parent is None:
        return False
    return (node.problem is not None or node.size >= _LOGO) and _illustrates(node, parent)


def _illustrates(node: Document, parent: Document) -> bool:
    """A picture inside a document with text of its own; in a mail, where scans travel, only one as small as a logo."""
    return parent.format in _OFFICE and _has_text(parent) and (parent.format not in _MAILS or node.size < _LOGO)


def _has_text(node: Document) -> bool:
    total = 0
    for part in node.parts:
        total += len(part.text)
        if total >= _READABLE:
            return True
    return node.format in _MAILS


def _aside(items: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Evidence that is part of no sum, because another part of the document decided."""
    return tuple(replace(item, side=None) for item in items)


def _judge_table(node: Document, rows: list[tuple[str, ...]]) -> Judged:
    found: TableEvidence = read_table(rows)
    spot = Spot(Area.SHEET)
    medical = found.probability >= combine.MEDICAL
    sides = ((Side.CLINICAL, found.clinical), (Side.PERSON, found.person)) if medical else ()
    items = [
        Finding(FindingType.PATIENT_COLUMN, found.columns, spot, round(total - PRIOR_CLINICAL, 2), "", side)
        for side, total in sides
    ]
    if medical:
        items.append(Finding(FindingType.PATIENT_ROW, len(found.keys), spot))
    if found.numbered:
        items.append(Finding(FindingType.NIR, len(rows), spot))
    return Judged(
        node,
        found.probability,
        Kind.PATIENT_TABLE if medical else Kind.OTHER,
        identified=found.identified and medical,
        persons=found.keys,
        number=found.numbered,
        items=tuple(items),
        scale=Scale(round(found.clinical, 2), round(found.person, 2)) if medical else None,
    )
