"""What was judged a moment ago is known by its bytes; what may be decided otherwise is judged again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.daemon import known_bytes
from agent.daemon.known_bytes import KnownBytes
from agent.document import Problem
from agent.findings import Findings, Judgement, Kind, undecidable

MEDICAL = Findings(Judgement.MEDICAL, Kind.CLINICAL_NOTE, confidence=0.9)


class Reader:
    def __init__(self, findings: Findings = MEDICAL) -> None:
        self.findings = findings
        self.asked: list[tuple[bytes, str]] = []
        self.meanwhile = b""

    def judge(self, fd: int, extension: str = "", size: int = 0) -> Findings:
        self.asked.append((os.pread(fd, 1 << 20, 0), extension))
        if self.meanwhile:
            os.pwrite(fd, self.meanwhile, 0)
            os.ftruncate(fd, len(self.meanwhile))
        return self.findings


@contextmanager
def document(content: bytes) -> Iterator[int]:
    fd = os.memfd_create("document")
    try:
        os.write(fd, content)
        yield fd
    finally:
        os.close(fd)


def judged(known: KnownBytes, content: bytes, extension: str = "txt") -> Findings:
    with document(content) as fd:
        findings = known.judge(fd, extension, len(content))
        assert os.lseek(fd, 0, os.SEEK_CUR) == len(content)  # its offset is the caller's
    return findings


def test_the_same_bytes_are_judged_once() -> None:
    reader = Reader()
    known = KnownBytes(reader, lambda: "one")
    assert [judged(known, b"letter") for _ in range(3)] == [MEDICAL] * 3
    assert reader.asked == [(b"letter", "txt")]


@pytest.mark.parametrize("other", [(b"letteR", "txt"), (b"letter ", "txt"), (b"letter", "csv"), (b"", "txt")])
def test_other_bytes_or_another_extension_are_not_the_same(other: tuple[bytes, str]) -> None:
    reader = Reader()
    known = KnownBytes(reader, lambda: "one")
    judged(known, b"letter")
    judged(known, *other)
    assert reader.asked == [(b"letter", "txt"), other]


def test_another_engine_or_list_of_patients_judges_anew() -> None:
    reader, engine = Reader(), ["one"]
    known = KnownBytes(reader, lambda: engine[0])
    judged(known, b"letter")
    engine[0] = "two"
    reader.findings = Findings(Judgement.NOT_MEDICAL)
    assert judged(known, b"letter") == reader.findings
    assert len(reader.asked) == 2


def test_what_could_not_be_decided_is_tried_again() -> None:
    reader = Reader(undecidable(Problem.TIMED_OUT))
    known = KnownBytes(reader, lambda: "one")
    judged(known, b"letter")
    reader.findings = MEDICAL
    assert judged(known, b"letter") == MEDICAL


def test_a_document_that_changed_under_the_judge_is_not_kept() -> None:
    reader = Reader()
    known = KnownBytes(reader, lambda: "one")
    reader.meanwhile = b"something else altogether"
    with document(b"letter") as fd:
        known.judge(fd, "txt", 6)
    reader.meanwhile = b""
    judged(known, b"letter")
    assert len(reader.asked) == 2


def test_large_ones_are_not_digested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_bytes, "LARGEST", 10)
    reader = Reader()
    known = KnownBytes(reader, lambda: "one")
    for _ in range(2):
        judged(known, b"x" * 10)
        judged(known, b"x" * 11)
    assert [len(content) for content, _ in reader.asked] == [10, 11, 11]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_bytes, "KEPT", 3)
    reader = Reader()
    known = KnownBytes(reader, lambda: "one")
    for number in (0, 1, 2, 3, 3, 1, 0):  # 0 made room for 3
        judged(known, b"%d" % number)
    assert [content for content, _ in reader.asked] == [b"0", b"1", b"2", b"3", b"0"]


def test_what_cannot_be_read_is_the_readers_to_say() -> None:
    reader = Reader(undecidable(Problem.UNREADABLE))
    fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(OSError, match="directory"):
            KnownBytes(reader, lambda: "one").judge(fd)
    finally:
        os.close(fd)
