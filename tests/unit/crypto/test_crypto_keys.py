"""The practice's and the clinicians' identities: made once, never overwritten, never turned."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from agent.crypto.keys import KeyStore
from agent.errors import HostError, SealError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_made_on_first_need_with_the_right_rights(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    assert not (tmp_path / "keys").exists()
    practice = keys.prepare()
    assert practice.startswith("age1")
    own, second = keys.recipients(os.getuid())
    assert second == practice != own
    folder = tmp_path / "keys"
    assert (mode(folder), mode(folder / "clinicians")) == (0o711, 0o711)
    assert mode(folder / "practice.key") == 0o600
    assert mode(folder / "practice.pub") == 0o644
    assert mode(folder / "clinicians" / f"{os.getuid()}.key") == 0o600
    assert (folder / "practice.pub").read_text().strip() == practice
    assert keys.identity_for(os.getuid()).startswith("AGE-SECRET-KEY-1")
    assert keys.practice_identity() != keys.identity_for(os.getuid())


def test_never_overwritten(tmp_path: Path) -> None:
    first = KeyStore(tmp_path / "keys").recipients(1000)
    secrets = {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*.*")}
    assert KeyStore(tmp_path / "keys").recipients(1000) == first
    assert {path: path.read_bytes() for path in (tmp_path / "keys").rglob("*.*")} == secrets


def test_two_threads_make_one_key(tmp_path: Path) -> None:
    keys, found = KeyStore(tmp_path / "keys"), []
    threads = [threading.Thread(target=lambda: found.append(keys.recipients(1000))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


def test_killed_after_the_key_before_its_recipient(tmp_path: Path) -> None:
    first = KeyStore(tmp_path / "keys").prepare()
    (tmp_path / "keys" / "practice.pub").unlink()
    assert KeyStore(tmp_path / "keys").prepare() == first


def test_a_lost_private_key_is_said_and_not_replaced(tmp_path: Path) -> None:
    KeyStore(tmp_path / "keys").prepare()
    (tmp_path / "keys" / "practice.key").unlink()
    with pytest.raises(HostError) as caught:
        KeyStore(tmp_path / "keys").prepare()
    assert caught.value.hint
    assert not (tmp_path / "keys" / "practice.key").exists()


def test_a_clinician_who_changes_the_own_key_file_changes_no_recipient(tmp_path: Path) -> None:
    before = KeyStore(tmp_path / "keys").recipients(1000)
    other = KeyStore(tmp_path / "other")
    other.recipients(1000)
    (tmp_path / "keys/clinicians/1000.key").write_bytes((tmp_path / "other/clinicians/1000.key").read_bytes())
    assert KeyStore(tmp_path / "keys").recipients(1000) == before


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100, b"A" * 100_000])
def test_damaged_key(tmp_path: Path, content: bytes) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.recipients(1000)
    (tmp_path / "keys/clinicians/1000.key").write_bytes(content)
    with pytest.raises(SealError):
        keys.identity_for(1000)


def test_no_key_for_a_stranger_and_no_link_followed(tmp_path: Path) -> None:
    keys = KeyStore(tmp_path / "keys")
    with pytest.raises(SealError):
        keys.identity_for(1000)
    keys.prepare()
    (tmp_path / "keys/clinicians/1001.key").symlink_to(tmp_path / "keys/practice.key")
    with pytest.raises(SealError):
        keys.identity_for(1001)
