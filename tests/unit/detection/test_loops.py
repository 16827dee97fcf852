"""The innermost loops: both twins do what is promised, and the same on every input."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection import loops, wordings
from agent.detection.detector import detect
from agent.detection.fold import _CASE_KEPT, _DELETED, _WORDS_ONLY, fold
from agent.detection.lexicon import entries
from agent.detection.loops import plain
from agent.document import Document, Format, Part
from tests import invented

try:
    from agent.detection.loops import _compiled as compiled
except ImportError:
    compiled = None

DOCUMENTS = Path(__file__).parents[2] / "documents"
needs_both = pytest.mark.skipif(compiled is None, reason="the loops are not compiled here: no compiler, or no headers")
twins = pytest.mark.parametrize("twin", [plain, pytest.param(compiled, marks=needs_both)], ids=["plain", "compiled"])
TEXTS = (
    b"toux",
    b"t",
    b"insuffisance",
    b"insuffisance cardiaque",
    b"insuffisance card",
    b"art",
    b"a b c",
    b"a b",
    b"39",
)
WHOLE = bytes(text in {b"art", b"t", b"39"} for text in TEXTS)
ONCE = bytes(text in {b"toux", b"a b"} for text in TEXTS)
MODEL = ((b"vu", b"ce", b"vu ce", b"00", b"00 /", b"( )", b"cours"), (5, -3, 7, 2, 1, -9, -5), (4, 9, 2, 1, 1, 6, 3))
TABLES = _CASE_KEPT, _DELETED, _WORDS_ONLY
PIECES = (
    "toux", "touxs", "touxen", "insuffisance ", "insuffisances", "insuffisance cardiaque", "insuffisance cardinale",
    "insuffisance cards", "art", "arts", "a b", "a b c", "a bs", "39", "399", "t", "t ", " ", "\n", "  ", ".", "x", "es",
    "vu ce", "vu", "ce", "12/03", "(", ")", "( )", "cours", "é", "œ", "-\n", "٣", "\x00", "☃",
    "\r\n", "\t", "|", "\x85", "\xa0", "?", "(e)", "a.b.c.d.", "a b c", "%4", "&", "\\u", "\x1f", "\x07", "\xad",
)  # fmt: skip


def found(twin, text):
    return [(start, end, TEXTS[number].decode()) for start, end, number in twin.Terms(TEXTS, WHOLE, ONCE).find(text)]


def heard(sound, lines):
    """What a model hears, the numbers of its features (four bytes each, in no order) in order."""
    *sums, numbers = sound.hear(lines)
    return *sums, sorted(memoryview(numbers).cast("i"))


@twins
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b" la toux ", [(4, 8, "toux")]),
        (b" toux touxs toux ", [(1, 5, "toux"), (6, 11, "toux")]),  # once a page, but for words with an ending
        (b" partoux toute ", []),
        (b" arts ", []),
        (b" insuffisance cardiaque ", [(1, 23, "insuffisance cardiaque")]),
        (b" insuffisance cards ", [(1, 19, "insuffisance card")]),
        (b" insuffisance cardinale ", [(1, 13, "insuffisance")]),
        (b" insuffisance card toux ", [(1, 18, "insuffisance card"), (19, 23, "toux")]),
        (b" a b ca ", [(1, 4, "a b")]),  # the longer one stands there too, and ends inside a word
        (b" t 39 ", [(1, 2, "t"), (3, 5, "39")]),
        (b"toux toux ", [(5, 9, "toux")]),  # a page begins with a blank
        (b" ", []),
        (b"", []),
        (b"   ", []),
    ],
)
def test_terms_are_found_at_word_boundaries(twin, text, expected):
    assert found(twin, text) == expected


@twins
def test_a_page_without_its_last_blank_is_a_mistake_of_the_caller(twin):
    with pytest.raises(IndexError):
        found(twin, b" la toux")


@twins
def test_the_sums_are_those_of_the_distinct_features_that_are_known(twin):
    sound = twin.Sound(*MODEL)
    assert heard(sound, b"\nvu ce vu ce\n")[:4] == (5 - 3 + 7, 4 + 9 + 2, 3, 4)  # vu, ce, «vu ce», and «ce vu» unknown
    assert heard(sound, b"12/34")[:4] == (2 + 1, 2, 2, 4)
    assert heard(sound, b"1/34") == (2, 1, 1, 5, [3])  # «00», and no pair that is known
    assert sound.hear(b"") == sound.hear(b" \n\t\x0b") == (0, 0, 0, 0, b"")
    assert heard(sound, b"cours ( ) vu")[4] == [0, 5, 6]


@twins
@pytest.mark.parametrize(
    ("text", "views", "told"),
    [
        (b"", (b"\n\n", b"\n\n", b"  "), 0),
        ("Né le 2\nà".encode("latin-1"), (b"\nNe le 2\na\n", b"\nne le 2\na\n", b" ne le 2 a "), plain.FIGURES),
        (b"a  b", (b"\na  b\n", b"\na  b\n", b" a  b "), plain.ROUGH),
        (b" a", (b"\n a\n", b"\n a\n", b"  a "), plain.ROUGH),
        (b"a-", (b"\na-\n", b"\na-\n", b" a  "), plain.ROUGH),
        (b"N(E)", (b"\nN(E)\n", b"\nn(e)\n", b" n e  "), 0),
        (b"n(e)", (b"\nn(e)\n", b"\nn(e)\n", b" n e  "), plain.ROUGH),
        (b"n(\xb0e)", (b"\nn(e)\n", b"\nn(e)\n", b" n e  "), plain.ROUGH),  # an ordinal sign is left out
        (b"x.a.b.c.d.", (b"\nx.a.b.c.d.\n", b"\nx.a.b.c.d.\n", b" x a b c d  "), plain.MARKED),
        (b"xa.b.c.d.", (b"\nxa.b.c.d.\n", b"\nxa.b.c.d.\n", b" xa b c d  "), 0),
        (b"a.b c.d.e", (b"\na.b c.d.e\n", b"\na.b c.d.e\n", b" a b c d e "), 0),
        (b"b\x06", (b"\nb \n", b"\nb \n", b" b  "), plain.MARKED | plain.ROUGH),
        (b"&amp", (b"\n&amp\n", b"\n&amp\n", b"  amp "), plain.MARKED),
        (b"& b", (b"\n& b\n", b"\n& b\n", b"   b "), 0),
    ],
)
def test_the_views_of_a_text_and_what_they_tell(twin, text, views, told):
    assert twin.Views(*TABLES).of(text) == (*views, told)


@twins
def test_the_lines_of_a_text_are_surveyed(twin):
    assert twin.survey(b"") == (1, 0, False, 0, False, 0, 0, 0)
    assert twin.survey(b"ab\n\n \xa0\t\na  b|c\n") == (5, 6, True, 3, False, 2, 6, 1)
    assert twin.survey(b"a    b\t1") == (1, 8, False, 3, True, 1, 8, 1)
    assert twin.survey(b"a \nb ")[2] and not twin.survey(b"a\nb ")[2]
    assert twin.survey(b"a?")[4] and not twin.survey(b"a!")[4]


@twins
def test_an_empty_lexicon_and_an_empty_model_know_nothing(twin):
    assert twin.Terms([], b"", b"").find(b" toux ") == []
    assert twin.Sound((), (), ()).hear(b"a b") == (0, 0, 0, 3, b"")


@twins
def test_a_lift_gives_the_probability_that_was_wanted(twin):
    for clinical, person, wanted in ((-3.0, 2.0, 0.7), (5.0, 5.0, 0.01), (0.0, 0.0, 0.5)):
        nats = twin.lift(clinical, person, wanted, 0.85)
        product = plain._sigmoid(clinical + nats) * plain._sigmoid(person + nats)
        assert (product / (1 - product)) ** 0.85 == pytest.approx(wanted / (1 - wanted), rel=2e-3)
    assert twin.lift(0.0, 0.0, 1.0, 0.85) == 40.0


@needs_both
@pytest.mark.parametrize(
    "wrong",
    [
        lambda: compiled.Terms((b"a",), b"", b"\0"),
        lambda: compiled.Terms((b"a", b"a"), b"\0\0", b"\0\0"),
        lambda: compiled.Terms((b"",), b"\0", b"\0"),
        lambda: compiled.Terms((b"A",), b"\0", b"\0"),
        lambda: compiled.Sound((b"a",), (1, 2), (1,)),
        lambda: compiled.Views(b"a", b"", bytes(256)),
        lambda: plain.Views(bytes(256), b"", bytes(255)),
    ],
)
def test_tables_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="entries|entry|feature|tables"):
        wrong()


@pytest.fixture(scope="module")
def shipped():
    model, lexicon = wordings.model(), entries()
    texts = [entry.text for entry in lexicon]
    flags = bytes(entry.whole for entry in lexicon), bytes(entry.counted for entry in lexicon)
    lengths = [1 + number % 900 for number in range(len(model.texts))]
    made = [(twin.Terms(texts, *flags), twin.Sound(model.texts, model.weights, lengths)) for twin in (plain, compiled)]
    return made, texts


def same(shipped, lines, words):
    (terms, sound), (quick_terms, quick_sound) = shipped[0]
    assert quick_terms.find(words) == terms.find(words)
    assert heard(quick_sound, lines) == heard(sound, lines)
    assert compiled.Views(*TABLES).of(lines) == plain.Views(*TABLES).of(lines)
    assert compiled.survey(lines) == plain.survey(lines)


@needs_both
@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_twins_agree_on_pieces(text):
    page = fold(text)
    assert compiled.Terms(TEXTS, WHOLE, ONCE).find(page.words) == plain.Terms(TEXTS, WHOLE, ONCE).find(page.words)
    assert heard(compiled.Sound(*MODEL), page.lines) == heard(plain.Sound(*MODEL), page.lines)
    told = text.encode("latin-1", "replace")
    assert compiled.Views(*TABLES).of(told) == plain.Views(*TABLES).of(told)
    assert compiled.survey(told) == plain.survey(told)


@needs_both
@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.text("ab ", min_size=1, max_size=5).map(lambda text: " ".join(text.split()) or "a"), unique=True),
    st.data(),
)
def test_twins_agree_on_any_lexicon(texts, data):
    texts = [text.encode() for text in texts]
    flags = st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)).map(bytes)
    whole, once = data.draw(flags), data.draw(flags)
    words = b" " + data.draw(st.text("abes ", max_size=60)).encode() + b" "
    assert compiled.Terms(texts, whole, once).find(words) == plain.Terms(texts, whole, once).find(words)


@needs_both
@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400))
def test_twins_agree_on_any_bytes(shipped, data):
    same(shipped, data, b" ")


@needs_both
@given(*[st.floats(-60, 60)] * 2, st.floats(0, 1))
def test_twins_agree_on_any_sum(clinical, person, wanted):
    assert compiled.lift(clinical, person, wanted, 0.85) == plain.lift(clinical, person, wanted, 0.85)


@needs_both
@pytest.mark.parametrize("seed", range(30))
def test_twins_agree_on_words_of_the_lexicon(shipped, seed):
    dice = random.Random(seed)
    for _ in range(20):
        words = [text.decode() for text in dice.choices(shipped[1], k=dice.randint(0, 60))]
        cut = [word[: dice.randint(1, len(word))] if dice.random() < 0.3 else word for word in words]
        page = fold(dice.choice((" ", "", "\n", "s ", "es ", "ent ", ", ")).join(cut))
        same(shipped, page.lines, page.words)


@needs_both
def test_twins_agree_on_a_page_of_signs_and_on_long_ones(shipped):
    every = bytes(range(256))
    for lines in (
        every * 40,
        bytes(reversed(every)) * 3,
        b"a" * 70_000,
        b"1" * 9,
        b"(" * 5_000,
        invented.LETTER.encode(),
    ):
        same(shipped, lines, b" " + re.sub(rb"[^a-z0-9]", b" ", lines) + b" ")


@needs_both
def test_twins_agree_on_documents(shipped):
    texts = [path.read_text("utf-8", "replace") for path in sorted(DOCUMENTS.rglob("*.txt"))[::4]]
    texts += [json.loads(line)["text"] for path in sorted(DOCUMENTS.rglob("texts/*.jsonl")) for line in path.open("rb")]
    assert len(texts) > 100
    for text in texts:
        page = fold(text[:6_000])
        same(shipped, page.lines, page.words)


@needs_both
@pytest.mark.corpus
def test_twins_agree_on_the_corpus(shipped, corpus):
    for path in sorted(each for each in corpus.rglob("*") if each.is_file())[::5]:
        page = fold(path.read_bytes()[:20_000].decode("latin-1"))
        same(shipped, page.lines, page.words)


def test_the_one_that_runs_is_the_one_that_is_named():
    assert (loops.Terms is not plain.Terms) is loops.COMPILED


WITHOUT = """
import sys
sys.modules["agent.detection.loops._compiled"] = None  # as where nothing could be compiled
from agent.detection import loops
from agent.detection.detector import detect
from agent.document import Document, Format, Part
assert not loops.COMPILED
print([detect(Document(Format.TEXT, parts=[Part(text)])) for text in sys.argv[1:]])
"""


def test_documents_are_judged_alike_without_a_compiler():
    texts = (invented.LETTER, invented.MENU, invented.INVOICE)
    said = subprocess.run([sys.executable, "-c", WITHOUT, *texts], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str([detect(Document(Format.TEXT, parts=[Part(text)])) for text in texts])
