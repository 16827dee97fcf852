"""Does ``confidence`` mean what it says? Reliability over labelled documents, whole sources at a time.

    python -m bench.calibration [MANIFEST...]

The confidence of a decided document is the probability that its judgement is right. The table sets, for each range of
it, how often the judgement was right beside how often that was promised; the errors behind it are the expected
calibration error (mean distance, weighted by documents) and the log loss (nats; a wrong answer said with 0.999 costs
6.9). ``slope`` is what the weights' product would best be stretched by, fitted on the other sources: near 1 is well.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import detection
from bench.detection import Row

EDGES = (0.5, 0.7, 0.9, 0.97, 0.99, 0.998, 1.0001)
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Said:
    """One decided document: the probability that was given to « medical », whether it is, and its source."""

    medical: float
    truth: bool
    source: str

    @property
    def confidence(self) -> float:
        return max(self.medical, 1 - self.medical)

    @property
    def right(self) -> bool:
        return (self.medical >= 0.5) == self.truth


def said(rows: Sequence[Row]) -> list[Said]:
    """The decided documents among judged rows."""
    found = []
    for row in rows:
        answer = row["answer"]
        if answer["judgement"] in {"medical", "not_medical"}:
            confidence = answer["confidence"]
            medical = confidence if answer["judgement"] == "medical" else 1 - confidence
            found.append(Said(medical, row["label"] == "medical", detection.source_of(row)))
    return found


def bins(all_said: Sequence[Said]) -> list[tuple[float, float, int, float, float]]:
    """(from, to, how many, mean confidence, share that was right) of each range that holds any."""
    table = []
    for low, high in itertools.pairwise(EDGES):
        inside = [one for one in all_said if low <= one.confidence < high]
        if inside:
            mean = sum(one.confidence for one in inside) / len(inside)
            table.append((low, min(high, 1.0), len(inside), mean, sum(one.right for one in inside) / len(inside)))
    return table


def expected_error(all_said: Sequence[Said]) -> float:
    """Expected calibration error over the ranges of EDGES, 0 to 1."""
    return sum(count * abs(mean - right) for _, _, count, mean, right in bins(all_said)) / max(1, len(all_said))


def log_loss(all_said: Sequence[Said], slope: float = 1.0) -> float:
    """Mean negative log-likelihood in nats, the log-odds stretched by ``slope``."""
    total = 0.0
    for one in all_said:
        odds = slope * math.log(max(one.medical, 1e-6) / max(1 - one.medical, 1e-6))
        total += math.log1p(math.exp(-odds if one.truth else odds))
    return total / max(1, len(all_said))


def best_slope(all_said: Sequence[Said]) -> float:
    """The slope of least log loss, to a twentieth."""
    return min((step / 20 for step in range(4, 60)), key=lambda slope: log_loss(all_said, slope))


def show(all_said: Sequence[Said]) -> None:
    print("confidence        documents   promised      right")
    for low, high, count, mean, right in bins(all_said):
        print(f"{low:.3f} to {high:.3f} {count:>11} {100 * mean:>9.1f} % {100 * right:>8.1f} %")
    sources = sorted({one.source for one in all_said})
    slopes = []
    for fold in range(FOLDS):
        apart = set(sources[fold::FOLDS])
        if known := [one for one in all_said if one.source not in apart]:
            slopes.append(best_slope(known))
    print(
        f"expected calibration error {expected_error(all_said):.4f}, log loss {log_loss(all_said):.4f} nats, "
        f"slope fitted on the other sources {min(slopes):.2f} to {max(slopes):.2f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="*", type=Path, default=[detection.DEFAULT])
    options = parser.parse_args()
    found: list[Said] = []
    for manifest in options.manifests:
        if not manifest.is_file():
            print(f"no manifest at {manifest}", file=sys.stderr)
            return 64
        found += said(detection.run(manifest, 2))
    show(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
