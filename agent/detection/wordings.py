"""How the wording of a page sounds: a linear model over words, pairs of words and the shapes of figures.

The rules ask what is said; this listens to how. Words that bind notes about somebody together (« vu ce jour », « ras »,
« controle a 00 j ») are too many and too weak for a list, and a course says them otherwise than a letter. The model is
one weight a feature, learnt from labelled documents (``bench/wording.py``, which names its sources), so that what it
went by can be shown. Owns the reading of ``data/wording.tsv`` and the sum; ``combine`` decides what it is worth.

Features are those of the view ``lines`` of a folded page, with every digit a 0: runs of letters, runs of digits, other
signs, and what stands next to each other; besides, the beginnings and ends of words (``>card``, ``<ite``), which say
what a word is that nobody has seen. Each counts once a page; the sum is over the length of the vector of inverse
document frequencies (cosine normalisation), so that a long page says no more than a short one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from agent.detection.loops import Sound
from agent.detection.loops.plain import Feature, affixes, features

__all__ = [
    "FEW",
    "KNOWN",
    "MOST",
    "Model",
    "affixes",
    "features",
    "heard",
    "log_odds",
    "model",
    "parse",
    "shown",
    "telling",
    "vocabulary",
]

_WEIGHT_SCALE, _LENGTH_SCALE = 10_000, 1_000
_COMMON = 53_300  # squared inverse document frequency, scaled: about one page in 600
MOST = 8.0  # nats either way: beyond it the model has seen too little to be believed
FEW = 4  # known features from which a page is heard at half its loudness
KNOWN = 0.7  # share of a page's features that the model knows in the languages that it saw most of


class Model(NamedTuple):
    """``sound`` sums up features by their numbers, which run from what speaks most for to what speaks most against.
    ``weights`` and ``texts`` (the words of each) by number; from ``neither`` on they say nothing, from ``against`` on
    they speak against. ``bias`` in nats. ``common``: the words of many pages (``vocabulary``).
    """

    sound: Sound
    bias: float
    weights: tuple[int, ...]
    texts: tuple[bytes, ...]
    neither: int
    against: int
    common: frozenset[bytes]


def log_odds(lines: bytes) -> float:
    """How much a page sounds like one about the care of somebody: nats, at most ``MOST`` either way.

    Said less loudly the less of the page the model knows: another language, figures, a few words.
    """
    return heard(lines)[0]


def heard(lines: bytes) -> tuple[float, bytes]:
    """The same, with the features by which it was told, for ``telling``."""
    known = model()
    weight, length, count, distinct, numbers = known.sound.hear(lines)
    if not count:
        return 0.0, b""
    nats = weight / _WEIGHT_SCALE / math.sqrt(length / _LENGTH_SCALE) + known.bias
    loudness = min(1.0, count / distinct / KNOWN) * count / (count + FEW)
    return max(-MOST, min(MOST, nats * loudness)), numbers


def telling(numbers: bytes, count: int, *, against: bool) -> list[bytes]:
    """The features that weighed most among those heard, for or against, in order; words of our own list, so that they
    may be shown.
    """
    known = model()
    found = memoryview(numbers).cast("i").tolist()
    if against:
        found = [number for number in found if number >= known.against]
        found.sort(key=lambda number: (known.weights[number], known.texts[number]))
    else:
        found = sorted([number for number in found if number < known.neither])
    return [known.texts[number] for number in found[:count]]


def shown(feature: Feature) -> bytes:
    """A feature as text: the tokens with a blank between them."""
    return feature if isinstance(feature, bytes) else b" ".join(feature)


@lru_cache(maxsize=1)
def model() -> Model:
    """The shipped model; read once a process."""
    content = (resources.files("agent.detection") / "data" / "wording.tsv").read_bytes()
    return parse(content.splitlines())


def vocabulary() -> frozenset[bytes]:
    """The words that stand on many of the pages which the model was learnt from: words of a language, few names."""
    return model().common


def parse(rows: Iterable[bytes]) -> Model:
    """``bias<TAB>nats``, then ``weight<TAB>frequency<TAB>token[ token]`` with weight and inverse document frequency in
    thousandths. Lines that begin with ``# `` say where it comes from. Raises ValueError for anything else.
    """
    read: dict[bytes, tuple[int, int]] = {}
    bias = 0.0
    for row in rows:
        if row.startswith(b"# "):
            continue
        weight, frequency, *text = row.split(b"\t")
        if weight == b"bias":
            bias = int(frequency) / 1000
            continue
        idf = int(frequency) / 1000
        read[text[0]] = round(int(weight) / 1000 * idf * _WEIGHT_SCALE), round(idf * idf * _LENGTH_SCALE)
    return _ordered(read, bias)


def _ordered(read: dict[bytes, tuple[int, int]], bias: float) -> Model:
    texts = sorted(read)
    texts.sort(key=lambda text: -read[text][0])  # what weighs the same stays in the order of its letters
    weights = tuple([read[text][0] for text in texts])
    sound = Sound(texts, weights, [read[text][1] for text in texts])
    neither = sum(weight > 0 for weight in weights)
    against = len(weights) - sum(weight < 0 for weight in weights)
    common = frozenset([text for text, (_, length) in read.items() if length <= _COMMON and text.isalpha()])
    return Model(sound, bias, weights, tuple(texts), neither, against, common)
