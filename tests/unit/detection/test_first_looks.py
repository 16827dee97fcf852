"""First looks that leave a whole search out: at numbers of no scheme, at days, at codes, at garbled letters, at cells."""

import csv
import io
import random

import pytest

from agent.detection import person_rows
from agent.detection.codes import reader
from agent.detection.evidence import _ABSENT, is_denied
from agent.detection.fold import fold, fold_term
from agent.detection.headings import LONGEST, is_heading
from agent.detection.identifiers import scan
from agent.detection.identifiers.numbers import NumberScan
from agent.detection.lexicon import Entry, columns
from agent.detection.matcher import Match
from agent.detection.structured import pmsi
from agent.document import Document, Format
from agent.extraction.formats import delimited, pdf_letters
from agent.extraction.formats.base import Job
from agent.extraction.limits import Budget, Limits, Stop
from agent.extraction.source import BytesSource
from agent.findings import FindingType

ACCOUNTS = "".join(f"Objet{n};Ville{n % 13};{n * 35}.50\n" for n in range(100_000, 100_400))
DAYS = ("12/03", "2024-05-12", "8h30", "9:15", "lundi ", "j2 ", "- ", "[", "* ", "mercredi. ", "vu", " ", "x", "7", "12:30:10", "sam")  # fmt: skip


def test_numbers_of_no_scheme_without_a_word_are_not_scanned(monkeypatch):
    monkeypatch.setattr(NumberScan, "_run", lambda *_: pytest.fail("scanned"))
    assert scan.find_in(ACCOUNTS) == []


@pytest.mark.parametrize("added", ["Tél. 06 12 34 56 78", "756.9217.0769.85", "NIR 185057800608491"])
def test_one_number_of_a_scheme_among_many_others_is_found(added):
    alone = [(hit.type, hit.value) for hit in scan.find_in(added)]
    among = [(hit.type, hit.value) for hit in scan.find_in(f"{ACCOUNTS}{added}\n{ACCOUNTS}")]
    assert alone
    assert alone == among


@pytest.mark.parametrize("seed", range(40))
def test_a_line_begins_with_a_day_whether_its_figures_are_looked_for_or_not(seed):
    dice = random.Random(seed)
    for _ in range(200):
        lines = b"\n" + "".join(dice.choices(DAYS, k=dice.randint(1, 6))).encode() + b"\n"
        assert person_rows._begins_dated(lines, 0) == (person_rows._DATED.match(lines, 0) is not None), lines


def test_the_longest_way_to_a_day_is_within_what_is_looked_at():
    line = b"\n -- mondayxxxx. 12/03 toux"
    assert person_rows._DATED.match(line) is not None
    assert line.index(b"1") < person_rows._TO_DAY
    assert person_rows._begins_dated(line, 0)


@pytest.mark.parametrize("marker", [marker for marker, _, _ in reader._READERS])
def test_every_marker_of_a_code_holds_one_of_the_signs(marker):
    assert any(sign in marker for sign in reader._SIGNS)


def test_prose_without_those_signs_is_not_searched_for_codes(monkeypatch):
    monkeypatch.setattr(reader, "_markers", lambda: pytest.fail("searched"))
    assert reader.read_text("Menu de la semaine : velouté de potiron, compote.\n" * 9) == []


@pytest.mark.parametrize("start", ["750000001", "A75000000", "          M19", "2 X 5 0 0", "a50000001", "75000000x", "Ab0000000"])  # fmt: skip
def test_records_of_fixed_width_pass_the_look_at_their_second_sign(start):
    line = start.ljust(60, "0")
    assert not pmsi._START.match(line) or line[1] in pmsi._SIGNS


@pytest.mark.parametrize("seed", range(40))
def test_letters_without_a_name_are_told_sign_by_sign_or_at_once(seed):
    """Too few for their words to be looked at: the signs alone decide."""
    dice = random.Random(seed)
    signs = dice.choices(
        ("a", "é", " ", "\n", "\x1d", "\x03", "\ufffd", "\ue000", "\uf8ff", "\u2028", "\u0378", "-"), k=5
    )
    text = "".join(dice.choices(signs, k=dice.randint(0, 99)))
    shown = [char for char in text if not char.isspace()]
    strange = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" or char < " " for char in shown)
    assert pdf_letters.is_garbled(text) == (strange > len(shown) * pdf_letters._NAMELESS)


def _job(limits: Limits) -> Job:
    return Job(BytesSource(b""), Document(Format.CSV), Budget(limits), 0, lambda *_: Document(Format.UNKNOWN))


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 512, 700])
def test_rows_are_those_of_the_library_however_many_are_charged_together(count):
    body = "".join(f'{n};"a;{n}"\n' + "\n;;\n" * (n % 5 == 0) for n in range(count))
    job = _job(Limits(soft_seconds=30))
    plain = csv.reader(io.StringIO(body, newline=""), delimiter=";")
    assert delimited._rows(job, body) == [tuple(row) for row in plain if any(row)]
    assert not job.document.truncated


def test_rows_before_a_cell_beyond_measure_are_kept():
    body = "".join(f"{n};b\n" for n in range(300)) + "x" * (delimited._FIELD + 1) + ";y\n1;2\n"
    rows = delimited._rows(_job(Limits(soft_seconds=30)), body)
    assert [row[0] for row in rows] == [str(n) for n in range(300)]


def test_rows_and_cells_beyond_the_limits_are_cut_or_refused():
    body = "a;b\n" * 300
    job = _job(Limits(soft_seconds=30, rows=20))
    assert len(delimited._rows(job, body)) == 20 * delimited._LONGER
    assert job.document.truncated
    with pytest.raises(Stop):
        delimited._rows(_job(Limits(soft_seconds=30, elements=500)), body)


def test_a_long_cell_that_is_a_document_becomes_a_child_and_a_long_sentence_does_not():
    from agent.extraction.reader import read_bytes

    message = "MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5 and what follows it"
    rows = f'nom;texte\nA;"{message}"\nB;{"une phrase longue et ordinaire " * 3}\nC;MSH|^~\n'
    document = read_bytes(rows.encode(), "csv", Budget(Limits(soft_seconds=30)))
    assert [child.format for child in document.children] == [Format.HL7V2]
    assert FindingType.NIR not in {hit.type for hit in scan.find_in(rows)}


@pytest.mark.parametrize(
    "text", ["{} NHS", "NHS {}", "{} (his NHS)", "NHS number of the person who was seen there : {}"]
)
def test_a_number_that_needs_a_word_is_read_with_the_word_on_either_side(text):
    lines = [ACCOUNTS, text.format("943 476 5919"), "\n", ACCOUNTS.partition("\n")[0]]
    assert [hit.value for hit in scan.find_in("".join(lines)) if hit.type is FindingType.FOREIGN_ID] == ["9434765919"]


@pytest.mark.parametrize("seed", range(20))
def test_a_known_heading_is_told_however_it_is_looked_for(seed):
    dice = random.Random(seed)
    known = [word.decode() for word in sorted(columns())]
    for _ in range(300):
        word = dice.choice(known)
        cell = dice.choice([word, word.upper(), word.title(), f"{word}s", f" {word}", f"{word}:", word.replace("e", "é"),
                            f"1{word}", f"É{word}", "12/03/1961", "185057800608491", "", "\u0967", word * 9])  # fmt: skip
        assert is_heading(cell) == (len(cell) <= LONGEST and fold_term(cell) in columns()), cell


@pytest.mark.parametrize("said", _ABSENT)
def test_every_word_that_denies_is_seen_and_no_other_one_at_the_same_letters(said):
    def denied(before: str) -> bool:
        page = fold(f"{before}toux")
        start = page.words.index(b"toux")
        return is_denied(page, Match(start, start + 4, Entry(b"toux", (("term", ""),), ("fr",), whole=True)))

    assert denied(said.decode())
    assert denied(f"hier{said.decode()}")
    assert not denied(f"x{said.decode().strip()} ")
    assert not denied("")
