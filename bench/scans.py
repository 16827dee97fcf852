"""Reading pictures: how many invented pages are judged rightly after what scanners, telephones and faxes do to them.

    python -m bench.scans [--corpus] [--only WORD] [--show]

Each text in several fonts, spoilt in each way of ``tests.scanned``, judged in process as the image worker does. With
``--corpus`` also the pictures and scans of the development corpus beside the checkout. Prints, for each way: medical
pages recognised, others mistaken, undecidable, processor seconds a page.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.invented import INVOICE, LETTER, MENU, PRESCRIPTION
from tests.scanned import SPOILT, page

CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
LAB = """LABORATOIRE DE BIOLOGIE MEDICALE DES QUATRE-VENTS
Patient : Mme BRUNETAUD Solange             Née le 09/07/1948
Dossier n° 26-114578                 Prélevé le 14/01/2026 à 08h15
Prescripteur : Dr Amaury Delestre

HEMATOLOGIE                  Résultat      Unité         Valeurs de référence
Hémoglobine                     11,8         g/dl            12,0 - 16,0
Leucocytes                          7,4         G/l              4,0 - 10,0
Plaquettes                           243        G/l             150 - 400

BIOCHIMIE
Glycémie à jeun                 1,26         g/l              0,74 - 1,06
Créatinine                            92         µmol/l         45 - 84
CRP                                     14         mg/l            < 5
"""
TEXTS = {
    "letter": (LETTER, True),
    "prescription": (PRESCRIPTION, True),
    "laboratory": (LAB, True),
    "menu": (MENU * 3, False),
    "invoice": (INVOICE, False),
}
FONTS = (("Helvetica", 10.0), ("Times-Roman", 11.0))


def made() -> Iterator[tuple[str, str, bool, bytes]]:
    """(way, name, whether it is medical, bytes)."""
    for name, (text, medical) in TEXTS.items():
        for font, size in FONTS:
            clean = page(text, 200, font, size)
            for way, spoil in SPOILT.items():
                yield way, f"{name} {font}", medical, spoil(clean)


def of_the_corpus() -> Iterator[tuple[str, str, bool, bytes]]:
    """The same for the pictures and scans of the corpus."""
    for line in (CORPUS / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        path = CORPUS / row["path"]
        if "scanned" in row["note"] or path.suffix in {".png", ".jpg", ".jpeg", ".tiff", ".bmp"}:
            way = "corpus scan" if "scanned" in row["note"] else "corpus picture"
            yield way, path.name, row["label"] == "medical", path.read_bytes()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", action="store_true", help="also those of the development corpus")
    parser.add_argument("--only", default="", help="only the ways whose name holds this")
    parser.add_argument("--show", action="store_true", help="each page that was judged wrongly")
    options = parser.parse_args()
    from agent.extraction.image_worker import load
    from agent.extraction.pixels import missing

    if why := missing():
        print(why, file=sys.stderr)
        return 69
    judge = load()
    table: dict[str, list[float]] = {}
    for way, name, medical, data in (*made(), *(of_the_corpus() if options.corpus else ())):
        if options.only not in way:
            continue
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            before = time.process_time()
            found = judge(file.fileno(), "", len(data))
            seconds = time.process_time() - before
        right = found.judgement == ("medical" if medical else "not_medical")
        row = table.setdefault(way, [0, 0, 0, 0, 0, 0.0, 0.0])
        row[0] += medical
        row[1] += medical and right
        row[2] += not medical
        row[3] += not medical and found.judgement == "medical"
        row[4] += found.judgement == "undecidable"
        row[5] += seconds
        row[6] = max(row[6], seconds)
        if options.show and not right:
            print(f"  {way}: {name} → {found.judgement} {found.confidence:.2f} {found.problem or ''}")
    show(table)
    return 0


def show(table: dict[str, list[float]]) -> None:
    """The table, and its sum."""
    print(f"{'':<20} {'recognised':>12} {'mistaken':>10} {'undecidable':>12} {'s a page':>9} {'longest':>8}")
    table["all"] = [sum(row[column] for row in table.values()) for column in range(6)]
    table["all"].append(max((row[6] for row in table.values() if len(row) > 6), default=0.0))
    for way, (medical, right, others, wrong, undecided, seconds, longest) in table.items():
        share = f"{right:.0f}/{medical:.0f}"
        print(
            f"{way:<20} {share:>12} {f'{wrong:.0f}/{others:.0f}':>10} {undecided:>12.0f} "
            f"{seconds / max(1, medical + others):>9.2f} {longest:>8.2f}"
        )


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main())
