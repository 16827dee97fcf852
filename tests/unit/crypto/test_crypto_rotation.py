"""Whose access a rotation by the administrator keeps, ends or makes: with real headers and keys of both kinds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from agent.crypto import header
from agent.crypto.header import build
from agent.crypto.recipients import FILE_KEY, KeyKind, new_identity, recipient_of, wrap
from agent.crypto.rehead import stanzas_of
from agent.errors import SealError
from agent.ui.cli.keys_rotate import _Rotation
from agent.ui.key_access import FileKey


class Administrator:
    """Root with the practice's key at hand; ``known`` says who was seen to open the file by themselves."""

    uid = 0

    def __init__(self, kind: KeyKind) -> None:
        self.owner, self.root, self.practice = (new_identity(kind) for _ in range(3))
        self.old_practice = self.practice
        self.known: set[str] = set()

    def recipients(self, of: int = 0) -> tuple[str, ...]:
        return recipient_of(self.owner if of else self.root), recipient_of(self.practice)

    def file_key(self, head: bytes, *, of: int | None = None) -> FileKey:
        known = [self.old_practice, *(getattr(self, name) for name in self.known)]
        return FileKey(KEY, tuple(stanzas_of(header.parse(head), known)), "owner" in self.known, "root" in self.known)


KEY = bytes(range(FILE_KEY))


def rotated(tmp_path: Path, access: Any, *identities: str, only_current: bool = False) -> tuple[bytes, bytes, int]:
    """The header of a file for ``identities`` before and after, and how many accesses ended."""
    before = build([wrap(KEY, recipient_of(each)) for each in identities], KEY)
    path = tmp_path / "d.age"
    path.write_bytes(before + b"payload")
    os.chown(path, 61234, 61234)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        ended = _Rotation(access, only_current=only_current, dry_run=False).rotate(folder, b"d.age")
    finally:
        os.close(folder)
    return before, path.read_bytes().removesuffix(b"payload"), ended


def opens(head: bytes, identity: str) -> bool:
    return bool(stanzas_of(header.parse(head), [identity]))


pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="a file of somebody else's")


def test_an_owner_whose_key_is_locked_keeps_the_file_when_the_practice_has_keys_of_another_kind(tmp_path: Path) -> None:
    access = Administrator(KeyKind.X25519)
    owner, practice = access.owner, access.practice
    access.owner, access.root, access.practice = (new_identity(KeyKind.HYBRID) for _ in range(3))
    with pytest.raises(SealError, match="another kind"):
        rotated(tmp_path, access, owner, practice)
    assert opens((tmp_path / "d.age").read_bytes(), owner)


def test_a_colleague_of_another_kind_goes_only_when_that_is_wanted(tmp_path: Path) -> None:
    access, colleague = Administrator(KeyKind.X25519), new_identity(KeyKind.X25519)
    owner, practice = access.owner, access.practice
    access.known = {"owner"}
    hybrid = [new_identity(KeyKind.HYBRID) for _ in range(2)]
    access.recipients = lambda of=0: tuple(map(recipient_of, hybrid))  # type: ignore[method-assign]
    with pytest.raises(SealError, match="another kind"):
        rotated(tmp_path, access, owner, practice, colleague)
    _, after, ended = rotated(tmp_path, access, owner, practice, colleague, only_current=True)
    assert (ended, opens(after, colleague), opens(after, hybrid[0])) == (1, False, True)


@pytest.mark.parametrize("known", [set(), {"root"}, {"owner"}])
def test_who_could_open_it_can_afterwards_and_nobody_else(tmp_path: Path, known: set[str]) -> None:
    access = Administrator(KeyKind.X25519)
    access.known, access.practice = known, new_identity(KeyKind.X25519)  # the practice's was renewed
    people = {"owner": access.owner, "root": access.root}
    for_whom = [people[name] for name in known]
    _, after, ended = rotated(tmp_path, access, access.old_practice, *for_whom)
    assert ended == 0
    assert {name for name, identity in people.items() if opens(after, identity)} == known
    assert opens(after, access.practice)
