"""Writes the documents of this folder and their manifest anew: the same bytes each time.

.venv/bin/python tests/documents/formats2/make.py
"""

from __future__ import annotations

import json
from pathlib import Path

import closed
import fhir
import hl7
import lines
import mails
import more
import office
import signals
import tables
import xmlforms
from people import FILES

HERE = Path(__file__).resolve().parent


def main() -> None:
    for part in (hl7, xmlforms, fhir, signals, lines, tables, office, mails, closed, more):
        part.write()
    for row, data in FILES:
        path = HERE / str(row["path"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with open(HERE / "manifest.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row, _ in FILES)


if __name__ == "__main__":
    main()
