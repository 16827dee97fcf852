"""A sealed file is one that has the shape of age and a payload nobody can read; a header alone is a disguise."""

from __future__ import annotations

import pyrage
import pytest

from agent.detection.detector import detect
from agent.document import Format, Problem
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes
from agent.findings import Judgement, Kind
from tests.invented import LETTER, MENU

RECIPIENT = pyrage.x25519.Identity.generate().to_public()
HEADER = b"age-encryption.org/v1\n-> X25519 " + b"a" * 43 + b"\n" + b"b" * 43 + b"\n--- " + b"c" * 43 + b"\n"


@pytest.mark.parametrize("armored", [False, True])
@pytest.mark.parametrize("size", [0, 1, 5_000, 200_000])
def test_what_age_made_is_sealed(size: int, armored: bool) -> None:
    sealed = pyrage.encrypt((LETTER * 200)[:size].encode(), [RECIPIENT], armored=armored)
    found = detect(read_bytes(sealed, "age", Budget()))
    assert (found.judgement, found.kind, found.problem) == (Judgement.UNDECIDABLE, Kind.SEALED, Problem.ENCRYPTED)


@pytest.mark.parametrize(
    "disguise",
    [HEADER + LETTER.encode(), HEADER, b"age-encryption.org/v1\n" + LETTER.encode(), HEADER + b"short",
     b"-----BEGIN AGE ENCRYPTED FILE-----\n" + LETTER.encode()],
)  # fmt: skip
def test_a_header_in_front_of_something_else_is_not(disguise: bytes) -> None:
    document = read_bytes(disguise, "age", Budget())
    assert (document.format, document.problem) == (Format.AGE, Problem.CORRUPT)
    found = detect(document)
    assert found.kind is not Kind.SEALED
    assert found.judgement is not Judgement.NOT_MEDICAL


def test_a_letter_behind_a_header_is_still_recognised() -> None:
    assert detect(read_bytes(HEADER + LETTER.encode(), "age", Budget())).judgement is Judgement.MEDICAL


@pytest.mark.parametrize(
    "beginning",
    [b"\x7fELF\2\1\1" + bytes(57), b"MZ" + bytes(80), b"\xca\xfe\xba\xbe\0\0\0\x34", b"\0asm\1\0\0\0", b"ID3", b"wOFF",
     b"OggS" + bytes(24), b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", b"RIFF\xff\0\0\0WAVEfmt "],
)  # fmt: skip
@pytest.mark.parametrize(("text", "expected"), [(LETTER, Judgement.MEDICAL), (MENU, Judgement.NOT_MEDICAL)])
def test_the_beginning_of_a_program_or_a_film_hides_no_text(beginning: bytes, text: str, expected: Judgement) -> None:
    found = detect(read_bytes(beginning + text.encode(), "bin", Budget()))
    assert (found.judgement, found.problem) == (expected, None)


def test_a_program_or_a_film_is_not_searched_for_words() -> None:
    noise = bytes(range(256)) * 200
    for beginning in (b"\x7fELF\2\1\1", b"ID3"):
        assert not read_bytes(beginning + noise + LETTER.encode(), "bin", Budget()).parts
