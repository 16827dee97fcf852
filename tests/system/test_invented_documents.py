"""Documents that people wrote who had not seen the detector: floors under what was reached, not targets.

Every set was measured before it was read and is read now: what the first look gave stands in the README of the folder.
What is missed is listed by ``python -m bench.detection tests/documents/apart/manifest.jsonl --misses 20``.
"""

from pathlib import Path

import pytest

from bench import detection

DOCUMENTS = Path(__file__).resolve().parent.parent / "documents"
pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    ("name", "recall", "identified", "false"),
    [
        ("fr", 0.98, 0.98, 0.02),
        ("xx", 0.98, 0.98, 0.03),
        ("apart", 0.97, 0.97, 0.02),
        ("short", 0.88, 0.88, 0.02),
        ("stranger2", 0.97, 0.97, 0.02),
    ],
)
def test_recall_and_false_alarms(name: str, recall: float, identified: float, false: float) -> None:
    rows = detection.run(DOCUMENTS / name / "manifest.jsonl", 2)
    assert len(rows) == sum(1 for _ in (DOCUMENTS / name / "manifest.jsonl").open())
    assert [row["path"] for row in rows if row["answer"]["judgement"] == "internal"] == []
    shares = detection.summary(rows)
    found, of = shares["recall, medical (encrypted and images apart)"]
    assert found >= recall * of
    found, of = shares["recall, identified medical"]
    assert found >= identified * of
    alarms, of = shares["false positives, all"]
    assert alarms <= false * of
