"""Fits the weights of the evidence to labelled documents, each source judged by the others; shows what that changes.

    .venv/bin/python -m bench.fit MANIFEST... [--strength S]

Reads the documents whose verdict comes from their text (structured formats and tables decide otherwise), takes the sum
of the most telling page apart into what each weight counted, and looks for the weights of greatest likelihood under
the model of ``agent.detection.combine``, held near the present ones by a Gaussian prior (``--strength``: nats of doubt
in a weight of one). Signs are kept. The left-out figures come from folds of whole sources; a set of one author is dealt
into folds by document. Prints the table of weights, present and fitted; nothing is written.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

from bench import detection, peers

FOLDS = 5


def features_of(path: Path) -> dict[str, float] | None:
    """Name of a weight → what it counted on the most telling page; None where the text does not decide."""
    from agent.detection import combine, texts, weights
    from agent.detection.detector import detect
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_document
    from agent.findings import Judgement

    sums: list[combine.Score] = []
    original = texts._best_page  # the sums are nobody else's business

    def spy(pages: Any) -> Any:
        found = original(pages)
        sums.append(found[1])
        return found

    texts._best_page = spy
    fd = os.open(path, os.O_RDONLY)
    try:
        findings = detect(read_document(fd, path.suffix[1:], os.fstat(fd).st_size, Budget()))
    finally:
        os.close(fd)
        texts._best_page = original
    decided = {"structured-patient", "structured-clinical", "definition", "patient-row", "patient-column"}
    if (
        findings.judgement is Judgement.UNDECIDABLE
        or not sums
        or any(item.type.value in decided for item in findings.items)
    ):
        return None
    best = max(sums, key=lambda score: score.probability)
    each = {weight.name: weight.each for weight in (*weights.CLINICAL, *weights.IDENTITY, *weights.PERSON)}
    each |= {weights.IDENTIFIER.name: weights.IDENTIFIER.each, weights.VIGNETTES.name: weights.VIGNETTES.each}
    counted: dict[str, float] = {}
    for line in best.lines:
        key = f"{line.side}/{line.name}"
        counted[key] = counted.get(key, 0.0) + line.nats / each.get(line.name, _against(line.name, line.side))
    return counted


def _against(family: str, side: str) -> float:
    from agent.detection.negatives import FAMILIES

    if family not in FAMILIES:
        return 1.0  # the density, which is fitted as a whole
    return -(FAMILIES[family].person if side == "person" else FAMILIES[family].clinical)


def present() -> dict[str, float]:
    """The weights as they are, by side and name."""
    from agent.detection import weights
    from agent.detection.negatives import FAMILIES

    found = (*weights.CLINICAL, *weights.IDENTITY, weights.IDENTIFIER, *weights.PERSON, weights.VIGNETTES)
    table = {f"{weight.side}/{weight.name}": weight.each for weight in found}
    for name, family in FAMILIES.items():
        table |= {f"person/{name}": -family.person} if family.person else {}
        table |= {f"clinical/{name}": -family.clinical} if family.clinical else {}
    priors = {"clinical/prior": weights.PRIOR_CLINICAL, "person/prior": weights.PRIOR_PERSON}
    return table | priors | {"clinical/density": 1.0, "slope": weights.SLOPE}


def collect(manifests: list[Path]) -> list[dict[str, Any]]:
    rows = []
    for manifest in manifests:
        for line in manifest.read_text("utf-8").splitlines():
            row = json.loads(line)
            path = manifest.parent / row["path"]
            if not path.is_file() or "encrypted" in row["kind"]:
                continue
            if (counted := features_of(path)) is None:
                continue
            source = str(row.get("source") or manifest.parent.name)
            apart = detection.source_of(row) if source.startswith(("github", "package")) else str(path)
            rows.append({
                "path": str(path), "medical": row["label"] == "medical", "counted": counted,
                "set": str(manifest.parent), "fold": zlib.crc32(apart.encode()) % FOLDS,
            })  # fmt: skip
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--strength", type=float, default=0.35)
    options = parser.parse_args()
    interpreter = peers.python()
    if interpreter is None:
        print("scikit-learn and SciPy could not be installed", file=sys.stderr)
        return 69
    rows = collect(options.manifests)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"rows": rows, "present": present(), "strength": options.strength}, file)
        file.flush()
        script = Path(__file__).with_name("fit_likelihood.py")
        return subprocess.run([str(interpreter), str(script), file.name], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
