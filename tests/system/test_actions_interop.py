"""The age and tar commands of the distribution open what we seal, and we open what they seal."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.crypto.keys import KeyStore
from agent.crypto.sealed import open_sealed, seal
from tests.conftest import HOSTILE_NAMES

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(shutil.which("age") is None, reason="the age command is not installed"),
]
CONTENT = b"Compte rendu de M. Paul EXEMPLE\n" * 9000


@pytest.mark.parametrize("name", [*HOSTILE_NAMES, b"x" * 255], ids=repr)
@pytest.mark.parametrize("whose", ["practice", "clinician"])
def test_age_and_tar_open_what_we_seal(tmp_path: Path, name: bytes, whose: str) -> None:
    keys = KeyStore(tmp_path / "keys")
    keys.recipients(1000)
    (tmp_path / "key").write_text(keys.practice_identity() if whose == "practice" else keys.identity_for(1000))
    (tmp_path / "plain").write_bytes(CONTENT)
    source, target = os.open(tmp_path / "plain", os.O_RDONLY), os.open(tmp_path / "sealed", os.O_WRONLY | os.O_CREAT)
    try:
        seal(source, len(CONTENT), name, 1_700_000_000_000_000_000, keys.recipients(1000), target)
    finally:
        os.close(source)
        os.close(target)
    out = tmp_path / "out"
    out.mkdir()
    opened = subprocess.run(["age", "-d", "-i", tmp_path / "key", tmp_path / "sealed"], capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", out], input=opened.stdout, check=True)
    (found,) = os.listdir(os.fsencode(out))
    assert found == name
    with open(os.path.join(os.fsencode(out), found), "rb") as file:
        assert file.read() == CONTENT
    state = os.stat(os.path.join(os.fsencode(out), found))
    assert (state.st_mode & 0o7777, state.st_mtime) == (0o600, 1_700_000_000)


@pytest.mark.parametrize("kind", ["gnu", "posix", "ustar"])
@pytest.mark.parametrize("prefix", ["", "./"])
def test_we_open_what_age_seals_around_a_tar(tmp_path: Path, kind: str, prefix: str) -> None:
    keys = KeyStore(tmp_path / "keys")
    recipients = [item for text in keys.recipients(1000) for item in ("-r", text)]
    name = "Compte rendu é.txt" if kind == "ustar" else "Compte rendu é " + "x" * 120 + ".txt"
    (tmp_path / name).write_bytes(CONTENT)
    packed = subprocess.run(
        ["tar", f"--format={kind}", "-c", "-C", tmp_path, prefix + name], capture_output=True, check=True
    )
    subprocess.run(["age", *recipients, "-o", tmp_path / "sealed"], input=packed.stdout, check=True)
    out = tmp_path / "out"
    out.mkdir()
    fd, folder_fd = os.open(tmp_path / "sealed", os.O_RDONLY), os.open(out, os.O_RDONLY)
    try:
        assert open_sealed(fd, [keys.identity_for(1000)], folder_fd) == name.encode()
    finally:
        os.close(fd)
        os.close(folder_fd)
    assert (out / name).read_bytes() == CONTENT
    assert int((out / name).stat().st_mtime) == int((tmp_path / name).stat().st_mtime)
