"""The wording model: its sum is exact, bounded and explainable, and it is small."""

from __future__ import annotations

import math
import random
from importlib import resources

import pytest

from agent.detection import combine, wordings
from agent.detection.combine import Score, Weighed
from agent.detection.detector import detect
from agent.detection.evidence import Evidence
from agent.detection.fold import fold
from agent.detection.lexicon import entries
from agent.document import Document, Format, Part, Problem
from agent.findings import FindingType, Judgement
from tests import invented

HAND = wordings.parse(
    [b"# made by hand", b"bias\t-500", b"2000\t1000\tvu", b"-1000\t2000\tcours", b"3000\t1500\tvu ce"]
)


def test_features_are_words_pairs_and_shapes_of_figures():
    found = wordings.features(b"\nvu le 12/03, ta 13/8\n")
    assert {b"vu", b"00", b"/", b",", b"0", (b"vu", b"le"), (b"00", b"/"), (b"00", b",")} <= found
    assert not any(b"1" in feature for feature in found if isinstance(feature, bytes))
    assert wordings.features(b"\nvu le 99/99, ta 99/9\n") == found  # no figure is told from another


def test_the_sum_is_the_cosine_that_was_learnt(monkeypatch):
    monkeypatch.setattr(wordings, "model", lambda: HAND)
    length = math.sqrt(1.0**2 + 2.0**2 + 1.5**2)
    text = b"vu ce cours"  # five features, three of them known
    share = 3 / 5 / wordings.KNOWN * 3 / (3 + wordings.FEW)
    assert wordings.log_odds(text) == pytest.approx(((2.0 - 2.0 + 4.5) / length - 0.5) * share, abs=1e-3)
    assert wordings.log_odds(b"vu") == pytest.approx((2.0 - 0.5) / (1 + wordings.FEW), abs=1e-3)


def test_it_says_nothing_of_what_it_does_not_know(monkeypatch):
    monkeypatch.setattr(wordings, "model", lambda: HAND)
    assert wordings.log_odds(b"nothing that it knows") == 0
    assert wordings.log_odds(b"") == 0
    loud, low = wordings.log_odds(b"vu"), wordings.log_odds(b"vu " + b" ".join(b"x" * n for n in range(1, 30)))
    assert 0 < low < loud / 10


def test_the_sum_does_not_depend_on_the_order_and_is_bounded(monkeypatch):
    words = fold(invented.LETTER).lines.split()
    alone = wordings.parse([b"%d\t%d\t%s" % (7 * n - 400, 900 + n, word) for n, word in enumerate(sorted(set(words)))])
    sums = set()
    for seed in range(5):
        random.Random(seed).shuffle(words)
        sums.add(alone.sound.hear(b" ".join(words))[:3])
    assert len(sums) == 1
    monkeypatch.setattr(
        wordings, "model", lambda: wordings.parse([b"bias\t0", b"900000\t1000\tvu", b"-90000\t1000\tcours"])
    )
    monkeypatch.setattr(wordings, "FEW", 0)
    assert wordings.log_odds(b"vu") == wordings.MOST
    assert wordings.log_odds(b"cours") == -wordings.MOST


@pytest.mark.parametrize("row", [b"2000\tvu", b"x\t1\tvu", b"1\t2", b"", b"bias"])
def test_a_damaged_model_is_refused(row):
    with pytest.raises((ValueError, IndexError)):
        wordings.parse([b"bias\t0", row])


def test_the_shipped_model_is_small_and_tells_letters_from_menus():
    content = (resources.files("agent.detection") / "data" / "wording.tsv").read_bytes()
    assert len(content) < 1_000_000
    assert len(wordings.model().texts) > 5_000
    assert wordings.log_odds(fold(invented.LETTER).lines) > 1
    assert wordings.log_odds(fold(invented.MENU).lines) < -1


def score(clinical: float, person: float) -> Score:
    return Score(clinical, person, 0.0, ())


@pytest.mark.parametrize("clinical", [-4.0, 0.0, 3.0, 12.0])
@pytest.mark.parametrize("person", [-4.0, 0.0, 3.0, 12.0])
def test_how_it_sounds_moves_the_probability_one_way(clinical, person):
    said = score(clinical, person)
    heard = [combine.heard(said, nats) for nats in (-6.0, -2.0, 0.0, 2.0, 6.0)]
    assert [each.probability for each in heard] == sorted(each.probability for each in heard)
    for each in heard:  # both questions carry the same nats, so that the sums shown are those that decided
        assert sum(line.nats for line in each.lines) == pytest.approx(each.clinical - clinical + each.person - person)
    assert combine.heard(said, -6.0, sure=True) == combine.heard(said, 6.0, sure=True) == said


def test_how_it_sounds_is_not_enough():
    """Nothing clinical said, or a lesson by its own word: it may sound like a letter as much as it likes."""
    nothing = combine.score(Evidence(), 0.0, {})
    assert combine.heard(nothing, wordings.MOST).probability < combine.MEDICAL
    lesson = Score(
        3.0,
        -2.0,
        0.0,
        (
            Weighed("term", "clinical", FindingType.TERM, 9, 6.0),
            Weighed("course", "person", FindingType.COURSE, 1, -8.0),
        ),
    )
    assert combine.heard(lesson, wordings.MOST).probability < combine.MEDICAL


def test_what_is_shown_of_it_are_words_of_our_lexicon():
    ours = {entry.text.decode() for entry in entries()}
    found = detect(Document(Format.TEXT, parts=[Part(invented.LETTER)]))
    samples = [item.sample for item in found.items if item.type is FindingType.WORDING]
    assert samples and any(samples)
    assert all(word in ours for sample in samples for word in sample.split(", ") if word)
    assert "vernicourt" not in " ".join(samples).lower()


def test_names_of_members_of_a_closed_archive_do_not_sound():
    """Broken once: without ``_UNWRITTEN`` the names alone made it medical."""
    names = "\n".join(f"compte rendu consultation patient {n}.docx vu ce jour traitement" for n in range(4))
    member = Document(Format.UNKNOWN, parts=[Part(names)], problem=Problem.ENCRYPTED)
    closed = Document(Format.SEVENZIP, parts=[Part(names)], children=[member], problem=Problem.ENCRYPTED)
    assert detect(closed).judgement is Judgement.UNDECIDABLE
    assert not any(item.type is FindingType.WORDING for item in detect(closed).items)
