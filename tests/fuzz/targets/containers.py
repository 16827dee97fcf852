"""A broken container is never judged « not medical » in silence.

The property, exactly: take a container that carries lengths or checksums (ZIP and what is built on it, PDF, compound
files, gzip, bzip2, xz, 7z, RAR) and is judged medical when whole. Break it with up to three of: cut it to a quarter of
its length or more, flip a bit, overwrite or take out at most 48 bytes; its first sixteen bytes, by which a format
is known, stay. If fewer than half of the words of its text can still be read, the judgement is not « not medical ».

An input is a byte that chooses the container, then three bytes for each of the breakages: what, and where.
"""

from __future__ import annotations

import re

from tests.fuzz import seeds
from tests.fuzz.target import Check, Target, must
from tests.fuzz.targets.extraction import nodes

KEPT = 16  # bytes at the beginning
STRETCH = 48  # bytes
_WORD = re.compile(r"\w{4,}")


def broken(whole: bytes, orders: bytes) -> bytes:
    """The container after the breakages that ``orders`` describe."""
    data = bytearray(whole)
    for at in range(0, min(len(orders) - 2, 9), 3):
        what, share = orders[at] % 5, int.from_bytes(orders[at + 1 : at + 3], "big") / 65536
        place = KEPT + int(share * max(0, len(data) - KEPT))
        length = 1 + (orders[at] >> 3) * STRETCH // 32
        if what == 0:
            del data[max(place, len(whole) // 4) :]
        elif what == 1 and place < len(data):
            data[place] ^= 1 << (orders[at] >> 5)
        elif what in {2, 3}:
            data[place : place + length] = bytes([(0, 0xFF)[what - 2]]) * len(data[place : place + length])
        elif what == 4:
            del data[place : place + length]
    return bytes(data)


def _seeds() -> list[bytes]:
    count = len(seeds.containers())
    cuts = [bytes([case, 0, share, 7]) for case in range(count) for share in (60, 100, 160, 220, 250)]
    return cuts + [bytes([case, 1, share, 33]) for case in range(count) for share in (20, 90, 200)]


def _check() -> Check:
    from agent.detection.detector import detect
    from agent.document import Document
    from agent.extraction.limits import Budget
    from agent.extraction.reader import read_bytes, warm_up
    from agent.findings import Judgement

    warm_up()
    cases = seeds.containers()

    def read(extension: str, data: bytes) -> Document:
        return read_bytes(data, extension, Budget())

    for extension, data, _words in cases:
        if detect(read(extension, data)).judgement is not Judgement.MEDICAL:
            raise ValueError(f"the seed {extension} is not judged medical when whole")

    def check(data: bytes) -> None:
        if not data:
            return
        extension, whole, text = cases[data[0] % len(cases)]
        document = read(extension, broken(whole, data[1:]))
        wanted = set(_WORD.findall(text))
        seen = wanted & set(_WORD.findall(_text(document)))
        if 2 * len(seen) < len(wanted):
            judgement = detect(document).judgement
            must(judgement is not Judgement.NOT_MEDICAL, f"a broken {extension} is clean, {len(seen)} words are left")

    return check


def _text(document: object) -> str:
    pieces: list[str] = []
    for node in nodes(document):  # type: ignore[arg-type]  # a Document, imported where it is read
        pieces += [part.text for part in node.parts]
        pieces += node.fields.values()
        pieces += ["\n".join(row) for table in node.tables for row in table]
    return "\n".join(pieces)


TARGETS = (
    Target(
        "broken-container", "a container whose text cannot be read any more is never « not medical »",
        _seeds, _check, max_bytes=10, cpu_s=4.0, memory_mib=400,
    ),
)  # fmt: skip
