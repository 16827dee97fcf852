"""Sealed files and what is around them: headers, keys as text, messages under a phrase, texts of a recovery."""

from __future__ import annotations

import os

from agent.errors import SealError
from tests.fuzz.target import Check, Target, must

_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
_HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
_KEY = bytes(range(16))
_WORDS = (
    b"-> X25519 ", b"-> mlkem768x25519 ", b"-> scrypt ", b"--- ", b"\n\n", b"age-encryption.org/v1\n", b"A" * 64 + b"\n",
    b"==", b"-> ", b" 22\n", b"-> x y z\n\n",
)  # fmt: skip


def _heads() -> list[bytes]:
    from agent.crypto.header import Stanza, build
    from agent.crypto.recipients import recipient_of, wrap

    mine, hybrid = (wrap(_KEY, recipient_of(each)) for each in (_IDENTITY, _HYBRID))
    return [
        build([mine], _KEY),
        build([hybrid], _KEY),
        build([mine, mine, Stanza((b"x", b"y"), bytes(48))], _KEY) + b"payload",
    ]


def _head() -> Check:
    from agent.crypto.header import build, parse
    from agent.crypto.recipients import unwrap

    def check(data: bytes) -> None:
        found = parse(data)
        must(data[: found.size].startswith(b"age-encryption.org/v1\n"), "a header is where the file begins")
        again = build(found.stanzas, _KEY)
        must(again[: found.size - 44] == data[: found.size - 44], "a header has one form")
        must(unwrap(found, [_IDENTITY, _HYBRID]) == _KEY, "what opens is what was sealed")

    return check


def _files() -> list[bytes]:
    from agent.crypto.recipients import recipient_of
    from agent.crypto.sealed import seal

    made = []
    for identity in (_IDENTITY, _HYBRID):
        source, target = os.memfd_create("source"), os.memfd_create("target")
        os.write(source, b"Compte rendu")
        seal(source, 12, b"a.txt", 0, [recipient_of(identity)], target)
        made.append(os.pread(target, 1 << 16, 0))
        os.close(source)
        os.close(target)
    return made


def _file() -> Check:
    from agent.crypto.sealed import unseal

    def check(data: bytes) -> None:
        fd, out = os.memfd_create("in"), os.memfd_create("out")
        try:
            os.write(fd, data)
            member = unseal(fd, [_IDENTITY, _HYBRID], out)
            must(
                (member.name, os.pread(out, 100, 0)) == (b"a.txt", b"Compte rendu"),
                "no byte of a sealed file can change",
            )
        finally:
            os.close(fd)
            os.close(out)

    return check


def _keys() -> list[bytes]:
    from agent.crypto.recipients import recipient_of

    return [_IDENTITY.encode(), _HYBRID.encode(), recipient_of(_IDENTITY).encode(), recipient_of(_HYBRID).encode()]


def _key() -> Check:
    from agent.crypto.header import build, parse
    from agent.crypto.recipients import kind_of, kind_of_identity, recipient_of, unwrap, wrap

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        if text[:14].upper() == "AGE-SECRET-KEY":
            kind_of_identity(text)
            head = build([wrap(_KEY, recipient_of(text))], _KEY)
            must(unwrap(parse(head), [text]) == _KEY, "a key opens what is sealed to its recipient")
        else:
            kind_of(text)
            wrap(_KEY, text)

    return check


def _phrases() -> list[bytes]:
    from agent.crypto.phrase import seal_under

    return [seal_under(b"key", "abricot evasif zebre pomme", 2)]


def _phrase() -> Check:
    from agent.crypto.phrase import open_under

    def check(data: bytes) -> None:
        must(open_under(data, "abricot evasif zebre pomme") == b"key", "no byte under a phrase can change")

    return check


def _texts() -> list[bytes]:
    from agent.crypto import recovery
    from agent.crypto.message import open_message
    from agent.crypto.recipients import recipient_of

    officers = {"anna": recipient_of(_IDENTITY), "bert": recipient_of(_HYBRID)}
    (pair,) = recovery.make_pairs(_IDENTITY, officers)
    request = recovery.Request(_heads()[0], recipient_of(_IDENTITY))
    step = recovery.unlock_first(request, pair, lambda text: open_message(text, [_IDENTITY]))
    answer = recovery.unlock_second(step, lambda text: open_message(text, [_HYBRID]))
    return [recovery.write(each) for each in (pair, request, step, answer)]


def _text() -> Check:
    from agent.crypto import recovery

    def check(data: bytes) -> None:
        found = recovery.read(data)
        must(recovery.read(recovery.write(found)) == found, "a text survives the way")

    return check


TARGETS = (
    Target("sealed-header", "a header is read in its one form, or refused", _heads, _head, SealError, _WORDS),
    Target("sealed-file", "a sealed file opens unchanged, or not at all", _files, _file, SealError, _WORDS),
    Target("key-text", "a key as text works, or is refused", _keys, _key, SealError, (b"1", b"age1", b"AGE-SECRET-KEY-1")),
    Target("phrase", "a key under a phrase opens unchanged, within bounded work, or not at all", _phrases, _phrase, SealError,
           _WORDS, memory_mib=300, cpu_s=5.0),
    Target("recovery-text", "a text of a recovery is read whole, or refused", _texts, _text, SealError,
           (b'"header"', b'"inner"', b'"version": 1', b"recovery-", b"null", b"[]")),
)  # fmt: skip
