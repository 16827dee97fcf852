"""The same document gets the same answer, findings and their order, in every process: sets have no say in it."""

from __future__ import annotations

import os
import subprocess
import sys

TEXT = (
    "Facture n° 12. Net à payer. Article 4 du code civil. Tribunal judiciaire. Salaire brut. Bulletin de paie. "
    "Spécification. La présente notice. Hôpital. Ordonnance. Résumé. Abstract. DOI 10.1000/1. Curriculum vitae."
)


def test_the_order_does_not_depend_on_the_process() -> None:
    script = (
        "import sys; from agent.detection.detector import detect; from agent.extraction.limits import Budget; "
        "from agent.extraction.reader import read_bytes; print(detect(read_bytes(sys.argv[1].encode(), 'txt', Budget())))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", script, TEXT], env=os.environ | {"PYTHONHASHSEED": seed}, check=True, text=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3", "4", "5")
    }  # fmt: skip
    assert len(answers) == 1
    assert answers.pop().count("Finding(") > 2
