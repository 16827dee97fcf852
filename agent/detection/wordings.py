"""How the wording of a page sounds: a linear model over words, pairs of words and the shapes of figures.

The rules ask what is said; this listens to how. Words that bind notes about somebody together (« vu ce jour », « ras »,
« controle a 00 j ») are too many and too weak for a list, and a course says them otherwise than a letter. The model is
one weight a feature, learnt from labelled documents (``bench/wording.py``, which names its sources), so that what it
went by can be shown. Owns the reading of ``data/wording.tsv`` and the sum; ``combine`` decides what it is worth.

Features are those of the view ``lines`` of a folded page, with every digit a 0: runs of letters, runs of digits, other
signs, and what stands next to each other. Each counts once a page; the sum is over the length of the vector of inverse
document frequencies (cosine normalisation), so that a long page says no more than a short one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from itertools import pairwise, repeat
from typing import NamedTuple

_TOKEN = re.compile(rb"[a-z]+|0+|[^\sa-z0]")
_SHAPES = bytes(0x30 if 0x30 <= code <= 0x39 else code for code in range(256))
_LENGTH_BITS, _COUNT_BITS = 40, 16  # a page has a few thousand features, each at most 2^20 long
_WEIGHT = _LENGTH_BITS + _COUNT_BITS  # from which bit on
_WEIGHT_SCALE, _LENGTH_SCALE = 10_000, 1_000
MOST = 8.0  # nats either way: beyond it the model has seen too little to be believed
FEW = 15  # known features from which a page is heard at half its loudness
KNOWN = 0.7  # share of a page's features that the model knows in the languages that it saw most of
_Feature = bytes | tuple[bytes, bytes]


class Model(NamedTuple):
    """``packed``: feature → its weight, a one, and its squared frequency in one whole number, so that one sum adds up
    all three exactly, in whatever order. ``bias`` in nats.
    """

    packed: dict[_Feature, int]
    bias: float


def features(lines: bytes) -> set[_Feature]:
    """The distinct features of a folded page (view ``lines``)."""
    tokens = _TOKEN.findall(lines.translate(_SHAPES))
    return {*tokens, *pairwise(tokens)}


def log_odds(lines: bytes) -> float:
    """How much a page sounds like one about the care of somebody: nats, at most ``MOST`` either way.

    Said less loudly the less of the page the model knows: another language, figures, a few words.
    """
    known, found = model(), features(lines)
    total = sum(map(known.packed.get, found, repeat(0)))
    length, count = total & ((1 << _LENGTH_BITS) - 1), total >> _LENGTH_BITS & ((1 << _COUNT_BITS) - 1)
    if not count:
        return 0.0
    nats = (total >> _WEIGHT) / _WEIGHT_SCALE / math.sqrt(length / _LENGTH_SCALE) + known.bias
    heard = min(1.0, count / len(found) / KNOWN) * count / (count + FEW)
    return max(-MOST, min(MOST, nats * heard))


def telling(lines: bytes, count: int, *, against: bool) -> list[bytes]:
    """The features that weighed most, for or against, in order; words of our own list, so that they may be shown."""
    known = model().packed
    weights = [(known.get(feature, 0) >> _WEIGHT, feature) for feature in features(lines)]
    ordered = sorted(weights, key=lambda each: (each[0] if against else -each[0], shown(each[1])))
    said = [feature for weight, feature in ordered[:count] if (weight < 0 if against else weight > 0)]
    return [shown(feature) for feature in said]


def shown(feature: _Feature) -> bytes:
    """A feature as text: the tokens with a blank between them."""
    return feature if isinstance(feature, bytes) else b" ".join(feature)


@lru_cache(maxsize=1)
def model() -> Model:
    """The shipped model; read once a process."""
    content = (resources.files("agent.detection") / "data" / "wording.tsv").read_bytes()
    return parse(content.splitlines())


def parse(rows: Iterable[bytes]) -> Model:
    """``bias<TAB>nats``, then ``weight<TAB>frequency<TAB>token[ token]`` with weight and inverse document frequency in
    thousandths. Lines that begin with ``# `` say where it comes from. Raises ValueError for anything else.
    """
    packed: dict[_Feature, int] = {}
    bias = 0.0
    for row in rows:
        if row.startswith(b"# "):
            continue
        weight, frequency, *text = row.split(b"\t")
        if weight == b"bias":
            bias = int(frequency) / 1000
            continue
        first, *second = text[0].split(b" ")
        idf = int(frequency) / 1000
        value = round(int(weight) / 1000 * idf * _WEIGHT_SCALE), round(idf * idf * _LENGTH_SCALE)
        packed[(first, second[0]) if second else first] = (value[0] << _WEIGHT) + (1 << _LENGTH_BITS) + value[1]
    return Model(packed, bias)
