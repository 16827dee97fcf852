"""Hostile and damaged sealed files in front of the commands: a clear sentence, nothing written, work within bounds.

The commands run with five seconds of processor time and a gigabyte of memory: one that wants more is killed, and fails.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from agent.crypto import header
from agent.crypto.header import Stanza, build
from agent.crypto.phrase import seal_under
from agent.crypto.recipients import FILE_KEY, KeyKind, new_identity, recipient_of, wrap

PHRASE = "abricot evasif zebre pomme"
MARK = b"Mme Jeanne EXEMPLE, nee le 1er mars 1961\n"


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class Person:
    """Somebody with keys of their own and a sealed letter; ``hostile`` is what somebody else sends."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.work.mkdir()
        (folder / "agent.toml").write_text(f'[agent]\ndata_dir = "{folder}/data"\nruntime_dir = "{folder}/run"\n')
        (folder / "letter.txt").write_bytes(MARK * 5000)
        self.whole = self.work / "whole.age"
        done = self.serment("seal", str(folder / "letter.txt"), "-o", str(self.whole))
        assert done.returncode == 0, done.stderr
        states = json.loads(self.serment("keys", "status", "--json").stdout)["keys"]
        self.recipient = next(each["recipient"] for each in states if each["name"] == str(os.getuid()))

    def serment(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[bytes]:
        read, write = os.pipe()
        os.write(write, typed.encode())
        os.close(write)
        try:
            return subprocess.run(
                [sys.executable, "-m", "agent.ui.cli.main", "--lang", "en", *words, "--config", self.folder / "agent.toml"],
                capture_output=True, timeout=120, pass_fds=[read], stdin=subprocess.DEVNULL, preexec_fn=bounded,
                env=os.environ | {"XDG_RUNTIME_DIR": ""} | ({"SERMENT_PHRASE_FD": str(read)} if typed else {}),
            )  # fmt: skip
        finally:
            os.close(read)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(tmp_path_factory.mktemp("person"))


def _around(person: Person, payload: bytes) -> bytes:
    sealed: bytes = pyrage.encrypt(payload, [pyrage.x25519.Recipient.from_str(person.recipient)])
    return sealed


def hostile(person: Person) -> dict[str, tuple[bytes, str]]:
    """What is sent → words of the answer."""
    whole, key = person.whole.read_bytes(), os.urandom(FILE_KEY)
    size = header.parse(whole).size
    stranger = recipient_of(new_identity(KeyKind.X25519))
    costly = Stanza((b"scrypt", header.encode64(bytes(16)), b"40"), bytes(32))
    bit = bytearray(whole)
    bit[size + 70_000] ^= 1
    swapped = bytearray(whole)  # two chunks of the payload change places
    first, second = slice(size + 16, size + 16 + 65_552), slice(size + 16 + 65_552, size + 16 + 2 * 65_552)
    swapped[first], swapped[second] = whole[second], whole[first]
    return {
        "one bit": (bytes(bit), "damaged or changed"),
        "chunks in another order": (bytes(swapped), "damaged or changed"),
        "cut within a chunk": (whole[:-1000], "damaged or changed"),
        "cut after a chunk": (whole[: size + 16 + 65_552], "cut short"),
        "half a copy": (whole[: len(whole) // 2], "cut short"),
        "cut in the header": (whole[: size - 10], "cut short"),
        "more behind the end": (whole + b"x", "damaged or changed"),
        "another header": (build([wrap(key, person.recipient)], key) + whole[size:], "damaged or changed"),
        "for somebody else": (build([wrap(key, stranger)], key) + bytes(100), "somebody else"),
        "10,000 stanzas": (build([wrap(key, stranger)] * 10_000, key) + bytes(64), "more recipients than Serment reads"),
        "10,000 of ours": (build([wrap(key, person.recipient)] * 10_000, key) + bytes(64), "more recipients"),
        "an endless header": (header.VERSION + b"-> X25519 " + b"A" * 2_000_000, "more recipients"),
        "a costly phrase": (build([costly], key) + bytes(64), "sealed with a phrase"),
        "not a sealed file": (MARK, "not a sealed file"),
        "nothing": (b"", "not a sealed file"),
        "no tar inside": (_around(person, b"MZ" + bytes(5000)), "one single document"),
        "a path inside": (_around(person, _tar("../../x")), "one single document"),
        "two documents": (_around(person, _tar("a", "b")), "one single document"),
    }  # fmt: skip


def _tar(*names: str) -> bytes:
    import io
    import tarfile

    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            archive.addfile(member, io.BytesIO(b"abc"))
    return target.getvalue()


CASES = (
    "one bit", "chunks in another order", "cut within a chunk", "cut after a chunk", "half a copy", "cut in the header",
    "more behind the end", "another header", "for somebody else", "10,000 stanzas", "10,000 of ours", "an endless header",
    "a costly phrase", "not a sealed file", "nothing", "no tar inside", "a path inside", "two documents",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_clear_error_and_nothing_written(person: Person, tmp_path: Path, case: str) -> None:
    sent, answer = hostile(person)[case]
    path = tmp_path / "document.age"
    path.write_bytes(sent)
    done = person.serment("open", "--to", str(tmp_path), str(path))
    _nothing_but(answer, done)
    assert os.listdir(tmp_path) == ["document.age"]


def _nothing_but(answer: str, done: subprocess.CompletedProcess[bytes]) -> None:
    said = done.stderr.decode()
    assert done.returncode == 65, said
    assert answer in said and "Traceback" not in said
    assert MARK[:20] not in done.stdout + done.stderr


@pytest.mark.parametrize("case", ["half a copy", "10,000 stanzas"])
def test_the_same_for_whoever_double_clicks_and_rotates(person: Person, tmp_path: Path, case: str) -> None:
    sent, answer = hostile(person)[case]
    path = tmp_path / "document.age"
    path.write_bytes(sent)
    _nothing_but(answer, person.serment("open", "--view", "--with", "cat", str(path)))
    if case == "10,000 stanzas":  # a cut payload is not looked at: its header is whole, and ours
        counted = json.loads(person.serment("keys", "rotate", str(path), "--json").stdout)
        assert (counted["rotated"], counted["not-ours"]) == (0, 1)
        assert path.read_bytes() == sent
    assert os.listdir(tmp_path) == ["document.age"]


def test_every_case_is_run(person: Person) -> None:
    assert set(hostile(person)) == set(CASES)


@pytest.mark.parametrize("typed", ["abricot evasif zebre poire", "", "é" * 900])
def test_a_wrong_phrase_opens_nothing(tmp_path: Path, typed: str) -> None:
    locked = Person(tmp_path)
    done = locked.serment("keys", "phrase", "--own", typed=f"{PHRASE}\n{PHRASE}\n")
    assert done.returncode == 0, done.stderr
    locked.serment("keys", "lock")
    for name in ("practice.sealed",):  # the practice's key is elsewhere by then
        (tmp_path / "data/keys" / name).unlink()
    before = os.listdir(locked.work)
    refused = locked.serment("open", str(locked.whole), typed=typed + "\n")
    locked.serment("keys", "lock")
    assert refused.returncode == 65, refused.stderr
    assert b"this is not the phrase" in refused.stderr
    assert os.listdir(locked.work) == before


def test_a_key_file_that_wants_endless_work(tmp_path: Path) -> None:
    """Who could put another file in the place of the key under a phrase: the answer comes at once."""
    locked = Person(tmp_path)
    locked.serment("keys", "phrase", "--own", typed=f"{PHRASE}\n{PHRASE}\n")
    locked.serment("keys", "lock")
    (tmp_path / "data/keys/practice.sealed").unlink()
    file = tmp_path / f"data/keys/clinicians/{os.getuid()}.age"
    file.write_bytes(seal_under(b"x", PHRASE, 10).replace(b" 10\n", b" 30\n", 1))
    refused = locked.serment("open", str(locked.whole), typed=PHRASE + "\n")
    assert refused.returncode == 65
    assert b"more work than Serment does (2^30, at most 2^18)" in refused.stderr


@pytest.mark.parametrize("text", [b"{}", b"[" * 100_000, b"x" * (2 << 20)])
def test_hostile_texts_of_a_recovery(person: Person, tmp_path: Path, text: bytes) -> None:
    (tmp_path / "text").write_bytes(text)
    for words in (
        ["unlock", str(tmp_path / "text"), "-o", str(tmp_path / "out")],
        ["finish", str(tmp_path / "text"), str(person.whole)],
    ):
        done = person.serment("keys", "recovery", *words)
        assert done.returncode == 65, done.stderr
        assert b"not a text of a recovery" in done.stderr
    assert os.listdir(tmp_path) == ["text"]
