"""Keys under a phrase, in the kernel's keyring, and under this machine's protection."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.crypto import keyring, protection
from agent.crypto.header import Stanza, build, encode64
from agent.crypto.phrase import normalised, open_under, require_strong, seal_under
from agent.errors import HostError, SealError
from agent.outside.phrase import normalised as normalised_by_the_page

PHRASE = "abricot-evasif-zebre-pomme"
CHEAP = 10  # log2 of the work, for tests


@pytest.mark.parametrize("typed", [PHRASE, "Abricot  Évasif zèbre\tpomme", "ABRICOT_evasif-zébre - pomme "])
def test_case_accents_and_blanks_do_not_matter(typed: str) -> None:
    assert open_under(seal_under(b"key", PHRASE, CHEAP), typed) == b"key"
    assert normalised(typed) == normalised_by_the_page(typed) == PHRASE


@pytest.mark.parametrize("typed", ["", "abricot-evasif-zebre", PHRASE + "s", PHRASE[:-1]])
def test_another_phrase(typed: str) -> None:
    with pytest.raises(SealError, match="not the phrase"):
        open_under(seal_under(b"key", PHRASE, CHEAP), typed)


@pytest.mark.parametrize(
    "weak", ["", "1234", "aaaa-aaaa-aaaa-aaaa-aaaa", "motdepasse", "un deux trois", "abcdefghijklmnopqrst"]
)
def test_weak_phrases(weak: str) -> None:
    with pytest.raises(SealError, match="too short"):
        require_strong(weak)


def test_damaged_and_cut() -> None:
    sealed = seal_under(b"key" * 50, PHRASE, CHEAP)
    for place in range(0, len(sealed), 7):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SealError):
            open_under(bytes(changed), PHRASE)
        with pytest.raises(SealError):
            open_under(sealed[:place], PHRASE)


@pytest.mark.parametrize(
    "work", [b"19", b"22", b"63", b"999", b"0", b"017", b"-1", b"+9", b"1e1", b"99999999999999999"]
)
def test_work_that_somebody_else_chose_is_bounded(work: bytes) -> None:
    """Refused before anything is computed: 2^22 would take 4 GiB and half a minute."""
    stanza = Stanza((b"scrypt", encode64(bytes(16)), work), bytes(32))
    with pytest.raises(SealError):
        open_under(build([stanza], bytes(16)) + bytes(64), PHRASE)


def test_a_scrypt_stanza_stands_alone() -> None:
    stanza = Stanza((b"scrypt", encode64(bytes(16)), b"10"), bytes(32))
    with pytest.raises(SealError, match="damaged"):
        open_under(build([stanza, stanza], bytes(16)) + bytes(64), PHRASE)


@pytest.mark.skipif(shutil.which("age") is None, reason="the age command is not installed")
def test_what_the_age_command_makes_of_it(tmp_path: Path) -> None:
    """``age`` reads phrases from a terminal alone: its identity files under a phrase are read with ours, by script(1)."""
    if shutil.which("script") is None:
        pytest.skip("script is not installed")
    (tmp_path / "sealed").write_bytes(seal_under(b"the key", PHRASE, CHEAP))
    done = subprocess.run(
        ["script", "-qec", f"age -d -o {tmp_path}/plain {tmp_path}/sealed", "/dev/null"],
        input=PHRASE.encode() + b"\n",
        capture_output=True,
        timeout=60,
    )
    assert (tmp_path / "plain").exists(), done.stdout
    assert (tmp_path / "plain").read_bytes() == b"the key"


def test_the_keyring_keeps_until_it_forgets() -> None:
    name, secret = f"serment:test:{secrets.token_hex(8)}", os.urandom(2000)
    if not keyring.keep(name, secret, 60):
        pytest.skip("this system has no keyring for us")
    try:
        assert keyring.kept(name) == secret
        assert keyring.keep(name, b"other", 60)
        assert keyring.kept(name) == b"other"
    finally:
        assert keyring.forget(name)
    assert keyring.kept(name) is None
    assert not keyring.forget(name)


def methods() -> list[str]:
    return ["host", "credential"] if os.geteuid() == 0 and shutil.which("systemd-creds") else ["host"]


@pytest.mark.parametrize("method", methods())
def test_protected_by_this_machine_and_bound_to_a_name(tmp_path: Path, method: str) -> None:
    try:
        chosen = protection.choose(tmp_path, method)
    except HostError:
        pytest.skip(f"{method} does not work here")
    packed = protection.pack(chosen, b"the key", "clinicians/1000")
    assert b"the key" not in packed
    assert protection.method(packed) == method == chosen.name
    assert protection.unpack(packed, "clinicians/1000", tmp_path) == b"the key"
    for label, data in (("clinicians/1001", packed), ("clinicians/1000", packed[:-20] + b"A" * 20)):
        with pytest.raises((SealError, HostError)):
            protection.unpack(data, label, tmp_path)


def test_a_copied_key_file_is_useless_without_the_hosts_secret(tmp_path: Path) -> None:
    packed = protection.pack(protection.choose(tmp_path, "host"), b"the key", "practice")
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(SealError, match="another laptop"):
        protection.unpack(packed, "practice", tmp_path / "elsewhere")
    assert (tmp_path / "host.secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("data", [b"", b"serment-key 1 other\nAAAA", b"serment-key 2 host\nAAAA", b"x" * 20_000])
def test_no_key_file(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SealError, match="damaged"):
        protection.unpack(data, "practice", tmp_path)


def test_a_tpm_that_is_not_there_is_said(tmp_path: Path) -> None:
    if os.path.exists("/dev/tpmrm0"):
        pytest.skip("this machine has a TPM")
    with pytest.raises(HostError, match="cannot be protected by tpm"):
        protection.choose(tmp_path, "tpm")
