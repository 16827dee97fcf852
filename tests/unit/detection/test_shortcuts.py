"""What a rule leaves out for speed must never change what it finds: with and without the short-cut, on many texts."""

import random
import re
import textwrap
from dataclasses import fields, replace

import pytest
import re2

from agent.detection import aligned, heads, jottings, notation, pages, people, person_shapes, speech
from agent.detection.aligned import tables_in
from agent.detection.disguise import readable
from agent.detection.evidence import _ABSENT, Evidence, is_denied
from agent.detection.fold import Folded, fold, fold_page, fold_readable
from agent.detection.identifiers import scan
from agent.detection.identifiers.scan import find_in
from agent.detection.linear import sharing, which
from agent.detection.matcher import Match
from agent.detection.people import read_people
from agent.detection.rounds import beds
from agent.detection.weights import CLINICAL
from tests.invented import MENU

OPTIONS = re2.compile(
    rb"[?:][^?]{0,80}?[\n ]\(?a ?[.):/-] ?[^?]{1,200}?[\n ]\(?b ?[.):/-] ?[^?]{1,200}?[\n ]\(?c ?[.):/-] "
)
OPTION_PIECES = (
    b" a. ", b" b. ", b"\nc) ", b" c. ", b"\n(a) ", b"\n(b)", b"?", b":", b"x" * 30, b"y" * 77, b"z" * 99, b" ", b"a/ ",
    b"b- z", b"c: ", b" b", b" c- w",
)  # fmt: skip
NOTES = {
    jottings._RUN: " Na 128 K 5,9 ",
    jottings._SERIES: "tropo 84 -> 212",
    jottings._TOOTH: "26 extraite",
    jottings._FEVERISH: "elle a 39 depuis hier",
    jottings._CERTIFIED: "certifie avoir examine",
    jottings._STAY: "forfait journalier",
    jottings._COURSE[b"*day after"]: "J+45",
    jottings._COURSE[b"*session"]: "séance 6/10",
    jottings._COURSE[b"*for weeks"]: "depuis 3 sem ",
    jottings._COURSE[b"*see again"]: "revoir jeudi",
    jottings._COURSE[b"*kin"]: "fille prévenue",
    jottings._COURSE[b"*tolerated"]: "bien toléré",
    jottings._COURSE[b"*patient is"]: "patiente vue",
    jottings._COURSE[b"*done"]: "bilan demandé",
    jottings._COURSE[b"*bed"]: "chambre 12",
}
SHOWN = {jottings._LETTER: "\nS: toux", jottings._SIDED: "index G", jottings._MYSELF: "je suis Paul Durand"}
PROSE = (
    "La réunion de jeudi est reportée au lundi suivant, chacun est prié de le dire à ses collègues du premier étage. "
    "Il y sera question du parking, des horaires d'été, de la cafetière que personne ne nettoie, et du budget. Les "
    "comptes de l'année passée sont à disposition au secrétariat, ainsi que le plan de l'extension que la mairie a "
    "fini par accepter. Prière d'apporter son propre gobelet, car le fournisseur ne livre plus avant septembre."
)
CELLS = (
    "DUPONT",
    "12/03/1951",
    "20250114",
    "750000001",
    "1847",
    "a b",
    "",
    "Paul ",
    "cardio",
    "12",
    "x",
    "  7",
    "0 12",
)
NUMBER_PIECES = (
    *"0123456789012345678901234567890123456789 .-/|()AB+:x\u00a0\u202f", "٣", "06 12 34 56 78 ", "2 84 05 78 006 084 97",
    "756.1234.5678.97", "010190-123A", "85.07.30-033.28", " 284057800608436 ", "+33 6 12 34 56 78", "1 8 5 0 5 7 8 0 0 6",
)  # fmt: skip
BEDS = (
    "Lit 4 MARTIN Anne ",
    "- Ch. 12 : Mme ROY",
    "\u20031٠3 DUPONT",
    "101A NGUYEN Van",
    "• L7 Weber Karl",
    "\xa0B2 ROY Anne",
    "Total",
)


@pytest.mark.parametrize("seed", range(60))
def test_options_are_found_as_one_pattern_would(seed):
    dice = random.Random(seed)
    for _ in range(50):
        lines = b"\n" + b"".join(dice.choices(OPTION_PIECES, k=dice.randint(3, 14))) + b"\n"
        assert speech._offers_options(lines) == (OPTIONS.search(lines) is not None), lines


def test_a_question_with_options_is_one():
    assert speech._offers_options(fold("Que faites-vous ?\na) rien\nb) ECG\nc) TDM cérébral").lines)
    assert not speech._offers_options(fold("Que faites-vous ?\na) rien\nb) ECG ?\nc) TDM cérébral").lines)


@pytest.mark.parametrize(("shapes", "view"), [(NOTES, "lines"), (SHOWN, "cased")], ids=["by line", "by case"])
def test_the_one_search_of_a_note_tells_each_of_its_shapes(shapes, view):
    together = jottings._told if shapes is NOTES else jottings._shown
    known = (*jottings._BY_LINE, *jottings._COURSE.values()) if shapes is NOTES else jottings._BY_CASE
    assert set(known) == set(shapes)
    for shape, text in shapes.items():
        seen = getattr(fold(f"le {text} ."), view)
        assert shape.search(seen), text
        assert sorted(together(seen)) == [number for number, each in enumerate(known) if each.search(seen)], text
    assert not together(getattr(fold("Menu de la semaine : velouté de potiron"), view))


def test_which_names_all_patterns_that_match():
    some = which(re2.compile(rb"\Aa"), re2.compile(rb"b"), re2.compile(rb"\d$"))
    assert [sorted(some(text)) for text in (b"ab", b"xb1", b"zz")] == [[0, 1], [1, 2], []]


def test_matches_may_share_a_blank():
    assert list(sharing(re2.compile(rb" [a-z] "), b" a b c d ")) == [(0, 3), (2, 5), (4, 7), (6, 9)]
    assert list(sharing(re2.compile(rb"x*"), b"ab")) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("seed", range(60))
def test_records_of_fixed_width_are_cut_the_same_without_a_first_look(seed, monkeypatch):
    dice = random.Random(seed)
    widths = [dice.randint(2, 12) for _ in range(dice.randint(2, 6))]
    column = [dice.choice(CELLS) for _ in widths]
    lines = [
        "".join(
            (dice.choice((cell, cell, dice.choice(CELLS))))[:width].ljust(width)
            for cell, width in zip(column, widths, strict=True)
        )
        for _ in range(dice.randint(3, 30))
    ]
    looked = aligned._fixed(lines)
    monkeypatch.setattr(aligned, "_may_be_cut", lambda *_: True)
    assert looked == aligned._fixed(lines)


TABLE_PIECES = (
    "DUPONT Jeanne", "12/03/1951", "2 51 03 75 116 001 44", "a  b", "\t", "|", " ", "\n", "\n", "\n", "\n ", " \n", "\r\n", "x" * 30,
    "é", "?", "…", "Lit 4 Mme ROY", "\xa0", "\x85", "750000001DUPONT    19510314A", "x" * 1001, "\n\n", "y" * 16,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_tables_are_read_the_same_without_a_survey(seed):
    dice = random.Random(seed)
    pieces = dice.choices(TABLE_PIECES, k=6)
    text = "".join(dice.choices(pieces, k=dice.randint(0, 60))) if seed % 3 else "\n".join([pieces[0]] * seed)
    assert tables_in(text) == aligned._among(aligned._lines(text), text)


def test_records_of_one_width_are_read_though_nothing_in_them_is_a_figure_or_a_gap():
    text = "\n".join(["ABCDEFGH IJKLMNOPQ RSTUVWXYZ ABCDE"] * 4)
    assert tables_in(text) == aligned._among(aligned._lines(text), text)
    assert len(tables_in(text)) == 2


def test_only_the_first_lines_are_looked_at(monkeypatch):
    monkeypatch.setattr(aligned, "_LINES", 7)
    monkeypatch.setattr(aligned, "_STEP", 5)
    for count in range(12):
        text = "\n".join(["ab"] * count)
        assert aligned._first_lines(text.encode()) == "\n".join(aligned._lines(text)).encode()


def test_prose_without_figures_is_no_table_by_the_survey_alone(monkeypatch):
    monkeypatch.setattr(aligned, "_among", lambda *_, **__: pytest.fail("looked at line by line"))
    assert tables_in(MENU) == [[]]


def _needs_a_figure(tree):
    """Whether nothing without a figure fits: by the parsed pattern, one way of each choice at least being open."""
    for operation, value in tree:
        name = str(operation)
        if name == "IN" and all(
            str(each[0]) in {"RANGE", "LITERAL", "CATEGORY"} and _is_figure(each) for each in value
        ):
            return True
        if name == "LITERAL" and chr(value).isdigit():
            return True
        if name == "SUBPATTERN" and _needs_a_figure(value[-1]):
            return True
        if name == "BRANCH" and all(map(_needs_a_figure, value[1])):
            return True
        if name == "MAX_REPEAT" and value[0] > 0 and _needs_a_figure(value[2]):
            return True
    return False


def _is_figure(part):
    kind, value = str(part[0]), part[1]
    if kind == "CATEGORY":
        return str(value) == "CATEGORY_DIGIT"
    return all(chr(code).isdigit() for code in (value if kind == "RANGE" else (value,)))


@pytest.mark.parametrize(
    ("shapes", "without"),
    [
        (notation._FIND, notation.WITHOUT_FIGURES),
        (people._FIND, person_shapes.WITHOUT_FIGURES),
        (person_shapes.BEDS, ""),
    ],
)
def test_what_is_left_out_where_there_is_no_figure_needs_one(shapes, without):
    tree = re._parser.parse(shapes.pattern)  # the standard library's own reading of a pattern
    assert str(tree[0][0]) in {"BRANCH", "LITERAL"}
    ways = tree[0][1][1] if str(tree[0][0]) == "BRANCH" else [tree]
    open_ways = [way for way in ways if not _needs_a_figure(way)]
    kept = re._parser.parse(f"{without}|x9".encode())[0][1][1] if without else []
    assert [str(way) for way in open_ways] == [str(way) for way in kept if not _needs_a_figure(way)]


@pytest.mark.parametrize(
    "text",
    ["OD/OS", "iv g iii p", "ptis", "ccam x", "pTisNx", "MARTIN, Paul (pt", "le petit Anselme", "\nAnna B.,", "Mme V."],
)
def test_what_needs_no_figure_is_found_without_one(text):
    page = fold(f"Vu ce jour\n{text} ")
    assert not page.figures
    assert pages._wordy(page.cased)
    assert not pages._wordy(fold(PROSE).cased)


DISGUISED = (
    "C.o.m.p.t.e", "a b c d e f", "a\xa0b\xa0c\xa0d\xa0", "é-è-à-ù-", "a_b_c_d", "a b-c-d-", "&eacute;", "&#233;", "\\u00e9",
    "%C3%A9", "\x02", "\x08", "\xad", "\u200b", "а", "\u202e", "ＮＩＲ", "’", "…", "œ", "•", "\u202f", "é", "mot ", " ", "\n", ".",
    "a", "b", "1", "/", "\r", "\xb0", "\x00", "x(e)", "  ", "-\n",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(300))
def test_a_text_is_folded_as_if_it_had_been_searched_for_disguise(seed):
    dice = random.Random(seed)
    text = "".join(dice.choices(dice.choices(DISGUISED, k=4), k=dice.randint(0, 30)))
    clear, page = fold_page(text)
    assert clear == readable(text)
    assert page[:3] == fold_readable(readable(text))[:3]
    assert page.figures or not any(digit in page.words for digit in b"0123456789")


def test_prose_is_not_searched_for_disguise(monkeypatch):
    monkeypatch.setattr("agent.detection.fold.readable", lambda _: pytest.fail("searched"))
    assert fold_page(PROSE)[1].words.startswith(b" la reunion de jeudi")


def test_prose_is_not_cut_and_a_list_is():
    prose = textwrap.wrap(PROSE, 50, expand_tabs=False)
    assert aligned._fixed(prose) == []
    assert not aligned._may_be_cut(prose, 50)
    assert aligned._fixed(["123ABCDEF456GHIJKL789MNOPQR", "124ABCDEG457GHIJKM790MNOPQS"] * 3)
    assert tables_in("\n".join(f"750000001DUPONT    1951031{day}A{day}" for day in range(1, 8)))[1:]


@pytest.mark.parametrize("seed", range(30))
def test_a_round_is_the_same_without_a_first_look(seed):
    dice = random.Random(seed)
    lines = [dice.choice(BEDS).replace("4", str(dice.randint(1, 40))) for _ in range(dice.randint(3, 12))]
    assert beds(lines) == beds(lines, b"101\n" * 9)


@pytest.mark.parametrize("line", [line for line in BEDS if line != "Total"])
def test_each_way_to_name_a_bed_passes_the_first_look(line):
    sign = next(sign for sign in line if sign in "0123456789")
    assert len(beds([line.replace(sign, digit) for digit in "12345"])) == 6


@pytest.mark.parametrize("seed", range(40))
def test_numbers_are_found_the_same_run_by_run(seed, monkeypatch):
    dice = random.Random(seed)
    texts = ["".join(dice.choices(NUMBER_PIECES, k=dice.randint(40, 160))) for _ in range(25)]
    at_once = [find_in(text) for text in texts]
    monkeypatch.setattr(scan, "MANY", 1 << 30)
    assert at_once == [find_in(text) for text in texts]


def test_a_number_may_hold_digits_of_another_script():
    numbers_ = "06 12 34 56 7\u0668, 06 12 34 56 79, 12345678 , 12345679 , 12345680 "
    assert [hit.start for hit in find_in(numbers_)] == [0, 16]


@pytest.mark.parametrize("before", [*_ABSENT, b" none ", b" nova ", b" d", b" ", b""])
def test_a_complaint_is_denied_by_each_of_the_words(before):
    words = b" x y" + before + b"toux "
    start = words.index(b"toux")
    page = Folded(words, words, words)
    match = Match(start, start + 4, None)  # type: ignore[arg-type]  # only its place is looked at
    assert is_denied(page, match) == words[max(0, start - 14) : start].endswith(_ABSENT)


def test_rows_are_lines_with_a_person_and_something_clinical():
    page = fold("Anne MARTIN, 54 ans, toux\nPaul ROY, 61 ans, rien\n\nLise FAUR, 71 ans, fièvre")
    places = [page.lines.index(b"toux"), page.lines.index(b"fievre"), page.lines.index(b"fievre")]
    evidence = Evidence()
    read_people(evidence, page, places, [])
    assert evidence.rows == 2
    assert evidence.row_names == {b"anne martin", b"faur lise"}


HEADS = (
    "Mme DUPONT", "M. Le Goff", "DUPONT Jeanne", "Jeanne DUPONT", "ROY 84 ans", "Lit 4 ", "- ", "12) ", "8h30 ", "72 ans",
    "Zi 3 ", "Kamer 12:", "hab. 7 ", "Box 2", "> (", "Femme, 34 ans ", "Pat. 77 ", "(81 yo) ", "Mujer 50", "* ", ". ",
    "H 64a", "Petite Anna", "né en 1951 ", "de ", "Dr Roy", " vu ce jour, stable", "\n", "\n", "\n", ", ", "12/03/1951", "(",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_heads_of_lines_are_counted_the_same_without_a_first_look(seed, monkeypatch):
    dice = random.Random(seed)
    written = [fold("".join(dice.choices(HEADS, k=dice.randint(5, 60)))).cased for _ in range(8)]
    looked = [heads.patients([page]) for page in written]
    read = [list(heads._entries_of(page)) for page in written]
    monkeypatch.setattr(heads, "_may_name", lambda _: True)
    monkeypatch.setattr(heads, "_told", lambda page: range(page.count(b"\n")))
    assert looked == [heads.patients([page]) for page in written]
    assert read == [list(heads._entries_of(page)) for page in written]


@pytest.mark.parametrize("lead", ["1{}) ", "1{} ", "- ", "Lit 1{} ", "1{}h30 ", "Kamer 1{}: "])
def test_the_look_for_entries_tells_each_way_to_begin_one(lead):
    names = ("DUPONT Jeanne", "ROY Paul", "FAUR Lise", "MARTEL Anne", "COLIN Yves")
    page = fold("\n".join(f"{lead.format(number)}{name}, stable ce jour" for number, name in enumerate(names))).cased
    assert heads._told(b"\n" + page.strip(b"\n")) == set(range(5))
    assert lead == "- " or len(heads.patients([page])) == 5


def test_a_line_that_names_nobody_is_not_looked_at():
    assert not heads._may_name(b"Traitement de sortie : bisoprolol 2,5 mg, controle dans 3 semaines")
    assert heads._may_name(b"Mme DUPONT, vue ce jour")


@pytest.mark.parametrize("name", [each.name for each in fields(Evidence) if each.name != "teller"])
def test_a_page_says_nothing_only_where_no_clinical_weight_counts(name):
    default = getattr(Evidence(), name)
    some = {bool: True, int: 3, float: 0.1, set: {b"a b"}, dict: {"a": 1}, list: [3], bytes: b"a", tuple: (3, True)}
    some[type(None)] = [3]  # who is told of
    page = replace(Evidence(), **{name: {"a": {"s": {b"b"}}} if name == "against" else some[type(default)]})
    assert page.says_nothing == (not any(weight.count(page) > 0 for weight in CLINICAL))
    assert Evidence().says_nothing
