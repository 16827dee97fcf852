"""A document for one person outside: a page or a locked PDF, and a phrase that is told apart from it.

The page holds the document as an age file for two: a key made for this one document, which lies beside it under the
phrase, and the practice, which can therefore always open what it sent.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from agent.crypto.phrase import seal_under
from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.crypto.sealed import seal
from agent.outside.page import page
from agent.outside.phrase import new_phrase

SEALED_NAME = "document.age"


@dataclass(frozen=True, slots=True)
class Handover:
    """What is handed over, and the phrase, which never travels with it. ``content`` says nothing without it."""

    content: bytes
    phrase: str

    def __repr__(self) -> str:
        return f"Handover({len(self.content)} bytes)"  # a traceback must not show the phrase


def as_page(source_fd: int, size: int, name: bytes, mtime_ns: int, practice: Sequence[str], language: str) -> Handover:
    """The first ``size`` bytes of ``source_fd`` as a page. Raises SealError, OSError, ValueError: too large for one."""
    phrase, identity = new_phrase(language), new_identity(KeyKind.X25519)
    fd = os.memfd_create("sealed", os.MFD_CLOEXEC)  # sealed already, and yet not on a disk before it is whole
    with os.fdopen(fd, "rb") as sealed:
        seal(source_fd, size, name, mtime_ns, (recipient_of(identity), *practice), sealed.fileno())
        sealed.seek(0)
        content = sealed.read()
    return Handover(page(seal_under(identity.encode() + b"\n", phrase), [(SEALED_NAME, content)], language), phrase)


def as_pdf(content: bytes, language: str) -> Handover:
    """The PDF, locked. Raises SealError, HostError."""
    from agent.outside.pdf import locked_pdf

    phrase = new_phrase(language)
    return Handover(locked_pdf(content, phrase), phrase)
