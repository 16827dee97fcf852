"""Writes the documents of this folder and their manifest anew from ``sources``.

.venv/bin/python tests/documents/judged6/make.py

A source holds several documents, each under a line
``%%% path | M or N | kind | language | flags | note``: M is medical; the flags are ``id`` (somebody can be recognised),
``p=3`` (so many patients; 1 unless told), ``hard``, ``gen=name`` (the text comes from ``generated``) and what the writer of
the format takes (``mode=cid``, ``enc=cp1252``, ``title=...``).
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from generated import TEXTS  # noqa: E402
from keys import filled  # noqa: E402
from writers import WRITERS, plain  # noqa: E402


def documents(path: Path) -> list[tuple[list[str], str]]:
    parts = path.read_text(encoding="utf-8").split("%%% ")[1:]
    return [([f.strip() for f in part.split("\n", 1)[0].split(" | ")], part.split("\n", 1)[1]) for part in parts]


def written(fields: list[str], text: str) -> tuple[dict[str, object], bytes]:
    name, label, kind, lang, flags, *note = fields
    layout = {k: v.replace("_", " ") for k, _, v in (f.partition("=") for f in flags.split() if f != "-")}
    if "gen" in layout:
        text = TEXTS[layout["gen"].replace(" ", "_")]()
    medical = label == "M"
    row = {
        "path": f"files/{name}",
        "label": "medical" if medical else "not_medical",
        "kind": kind,
        "identified": medical and "id" in layout,
        "patients": int(layout.get("p", "1")) if medical else 0,
        "hard": "hard" in layout,
        "lang": lang,
        "note": note[0] if note else "",
    }
    writer = WRITERS.get(name.rpartition(".")[2], plain)
    return row, writer(filled(text), layout, zlib.crc32(name.encode()) % 100000)


def main() -> None:
    rows = []
    for source in sorted((HERE / "sources").glob("*.txt")):
        for fields, text in documents(source):
            row, data = written(fields, text)
            path = HERE / str(row["path"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            rows.append(row)
    with open(HERE / "manifest.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    main()
