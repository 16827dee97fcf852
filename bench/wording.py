"""Learns the wording model of the detector (``agent/detection/wordings.py``) from labelled documents.

    python -m bench.wording [--out FILE] [--apart SET ...] MANIFEST...

A MANIFEST is a ``manifest.jsonl`` beside documents, or a ``.jsonl`` whose lines hold a text each (``text``, ``label``).
The shipped model was learnt from ``tests/documents`` (all sets but ``judged``, all written for Serment) and, for its
ordinary documents and articles, from the development corpus (its licences allow it; no text of it is in the model but
words and pairs of words that at least three of its sources use). ``tests/documents/judged`` is kept for judging.

Pages are cut, folded and taken apart as the detector does it. Needs the environment of ``bench.peers``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import detection, peers

OUT = detection.CHECKOUT / "agent" / "detection" / "data" / "wording.tsv"
MOST_PAGES = 4  # of one document: the first ones say what it is
DOCUMENTS = detection.CHECKOUT / "tests" / "documents"


def pages_of(content: bytes, extension: str) -> list[bytes]:
    """The folded pages that the detector would look at, in the view ``lines``."""
    from agent.detection import texts, wordings
    from agent.detection.detector import detect
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_bytes

    seen: list[bytes] = []
    original, present = texts._read_pages, wordings.model

    def spy(node: Any, ask: Any) -> Any:
        found = original(node, ask)
        seen.extend(page.cased.lower() for page in found)
        return found

    nothing = wordings.parse(())
    texts._read_pages, wordings.model = spy, lambda: nothing  # the present model has no say
    try:
        detect(read_bytes(content, extension, Budget()))
    finally:
        texts._read_pages, wordings.model = original, present
    return seen[:MOST_PAGES]


def documents(manifest: Path) -> Iterator[tuple[bytes, str, bool, str]]:
    """(content, extension, medical, source) of each labelled document."""
    for number, line in enumerate(manifest.read_text("utf-8").splitlines()):
        row = json.loads(line)
        if row["label"] not in {"medical", "not_medical"}:
            continue
        medical = row["label"] == "medical"
        if "text" in row:
            yield row["text"].encode(), "txt", medical, f"{manifest}:{number}"
            continue
        path = manifest.parent / row["path"]
        if path.is_file():
            yield path.read_bytes(), path.suffix[1:], medical, row.get("source") or str(path)


def rows(manifests: list[Path]) -> Iterator[dict[str, Any]]:
    """What the fit wants: one row a page, the pages of a document sharing its weight."""
    from agent.detection.wordings import affixes, features, shown

    for manifest in manifests:
        for content, extension, medical, source in documents(manifest):
            pages = pages_of(content, extension)
            for page in pages:
                heard = affixes(page).union(map(shown, features(page)))
                found = sorted(feature.decode("latin-1") for feature in heard)
                yield {"features": found, "medical": medical, "weight": 1 / len(pages), "group": source}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    manifests = options.manifests or [detection.DEFAULT, *_own()]
    interpreter = peers.python()
    if interpreter is None:
        print("the environment with scikit-learn cannot be set up", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        pages, found = Path(folder) / "pages.jsonl", Path(folder) / "model.json"
        with pages.open("w", encoding="utf-8") as file:
            for row in rows(manifests):
                file.write(json.dumps(row) + "\n")
        fit = Path(__file__).with_name("wording_fit.py")
        subprocess.run([str(interpreter), str(fit), str(pages), str(found)], check=True)
        options.out.write_bytes(written(json.loads(found.read_text("utf-8"))))
    return 0


def _own() -> list[Path]:
    """Every set of invented documents but those that judge (``judged``, ``judged2``)."""
    found = sorted(DOCUMENTS.glob("*/manifest.jsonl")) + sorted(DOCUMENTS.glob("texts/*.jsonl"))
    return [path for path in found if not path.parent.name.startswith("judged")]


def written(model: dict[str, Any]) -> bytes:
    """The file of the model; weights that round to nothing stay, for they count in the length."""
    lines = [f"{round(1000 * weight)}\t{round(1000 * idf)}\t{text}" for text, weight, idf in model["features"]]
    head = ["# weight and inverse document frequency in thousandths; word, pair, affix; made by bench/wording.py"]
    return "\n".join([*head, f"bias\t{round(1000 * model['bias'])}", *lines, ""]).encode("latin-1")


if __name__ == "__main__":
    sys.exit(main())
