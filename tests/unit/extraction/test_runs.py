"""What is read of bytes that no reader understands: what people wrote, and nothing that only has letters in it."""

import time

import pytest

from agent.extraction.formats.runs import binary_runs, document_runs

WRITTEN = [
    "Mme DURAND Odile, née le 12/03/1951",
    "PatientName",
    "1 85 05 78 006 084 36",
    "Dyspnée d'effort, HTA traitée",
    "IPP 004512",
]
NOISE = ["kCj(Pÿ", "txBw&MD3ÑE", "A;rCgOÕ", "c}/>PTIs", "2iwQ4U", "<-03>3", "ÿÿÿÿÿÿÿÿ", "ab\\/~|{}^"]


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_what_people_wrote_is_kept(text: str, encoding: str) -> None:
    assert binary_runs(b"\0\1\0\1" + text.encode(encoding) + b"\0\1\0\1", 1000).strip() == text


@pytest.mark.parametrize("text", NOISE)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_what_nobody_wrote_is_not(text: str, encoding: str) -> None:
    assert binary_runs(b"\0\1\0\1" + text.encode(encoding) + b"\0\1\0\1", 1000) == ""


def test_an_office_document_may_hold_short_words() -> None:
    assert document_runs("\0\1HbA1c\0\1vu le 3\0\1ÿÿÿÿ\0\1".encode("cp1252"), 1000) == "HbA1c\nvu le 3"


@pytest.mark.parametrize("unit", ["a", "A", "aB", "Aa", "é", "aaB1", "1"])
def test_a_long_run_is_told_at_once(unit: str) -> None:
    began = time.process_time()
    binary_runs((unit * (200_000 // len(unit)) + "~").encode("cp1252"), 1_000_000)
    assert time.process_time() - began < 2


def test_there_is_an_end() -> None:
    assert len(binary_runs(b"\0".join([b"du riz et du pain"] * 100), 50)) <= 50 + 2
