"""Recovery by two officers, new headers for sealed files, edits that go back: who can open what, and who cannot."""

from __future__ import annotations

import errno
import itertools
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.crypto import header, recovery
from agent.crypto.message import open_message, seal_message
from agent.crypto.parcel import Member
from agent.crypto.recipients import KeyKind, new_identity, recipient_of, unwrap
from agent.crypto.recovery import Answer, Pair, Request, Step
from agent.crypto.rehead import new_header, replace_header, stanzas_of
from agent.crypto.reseal import reseal
from agent.crypto.sealed import looks_sealed, read_header, seal, unseal
from agent.errors import ChangedError, SealError

CONTENT = b"Compte rendu de Mme Jeanne EXEMPLE\n" * 7000
TIME = 1_700_000_000_000_000_000


def keys(*names: str, kind: KeyKind = KeyKind.X25519) -> dict[str, str]:
    return {name: new_identity(kind) for name in names}


def sealed(folder: Path, *identities: str, name: str = "a.age", content: bytes = CONTENT) -> Path:
    (folder / "plain").write_bytes(content)
    with (folder / "plain").open("rb") as source, (folder / name).open("wb") as target:
        recipients = [recipient_of(each) for each in identities]
        seal(source.fileno(), len(content), b"letter.txt", TIME, recipients, target.fileno())
    return folder / name


def opens(path: Path, identity: str) -> bool:
    out = os.memfd_create("out")
    try:
        with path.open("rb") as file:
            unseal(file.fileno(), [identity], out)
        return os.pread(out, len(CONTENT) + 1, 0) == CONTENT
    except SealError:
        return False
    finally:
        os.close(out)


def opener(identity: str) -> Callable[[bytes], bytes]:
    return lambda message: open_message(message, [identity])


def head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(read_header(file.fileno()).size)


@pytest.mark.parametrize("kind", KeyKind)
@pytest.mark.parametrize("count", [2, 3, 5])
def test_any_two_officers_give_access_and_nobody_alone(tmp_path: Path, count: int, kind: KeyKind) -> None:
    officers = keys(*(f"officer{number}" for number in range(count)))
    lost, new, whole = (new_identity(kind) for _ in range(3))
    pairs = recovery.make_pairs(whole, {name: recipient_of(key) for name, key in officers.items()})
    assert len(pairs) == count * (count - 1) // 2
    path = sealed(tmp_path, lost, whole)
    for pair in pairs:
        request = recovery.read(recovery.write(Request(head_of(path), recipient_of(new))))
        assert isinstance(request, Request)
        for name, key in officers.items():
            if name != pair.first:
                with pytest.raises(SealError, match="somebody else"):
                    recovery.unlock_first(request, pair, opener(key))
        step = recovery.read(recovery.write(recovery.unlock_first(request, pair, opener(officers[pair.first]))))
        assert isinstance(step, Step)
        for name, key in officers.items():
            if name != pair.second:
                with pytest.raises(SealError, match="somebody else"):
                    recovery.unlock_second(step, opener(key))
        answer = recovery.read(recovery.write(recovery.unlock_second(step, opener(officers[pair.second]))))
        assert isinstance(answer, Answer)
        recovery.require_answer_to(answer, request)
        old = header.parse(request.head)
        file_key = unwrap(header.parse(answer.head), [new])
        old.prove(file_key)
        assert answer.officers == (pair.first, pair.second)
    folder_fd = os.open(tmp_path, os.O_RDONLY)
    try:
        replace_header(folder_fd, b"a.age", new_header(old, file_key, [recipient_of(new)], ()), old)
    finally:
        os.close(folder_fd)
    assert all(opens(path, each) for each in (lost, whole, new))


def test_the_recovery_key_is_in_no_text_that_travels(tmp_path: Path) -> None:
    officers, whole = keys("anna", "bert"), new_identity(KeyKind.X25519)
    (pair,) = recovery.make_pairs(whole, {name: recipient_of(key) for name, key in officers.items()})
    request = Request(head_of(sealed(tmp_path, whole)), recipient_of(new_identity(KeyKind.X25519)))
    step = recovery.unlock_first(request, pair, opener(officers["anna"]))
    answer = recovery.unlock_second(step, opener(officers["bert"]))
    for text in map(recovery.write, (pair, request, step, answer)):
        assert b"SECRET" not in text
        assert CONTENT[:20] not in text
        assert len(text) < 4000


def test_an_answer_to_another_request_is_refused(tmp_path: Path) -> None:
    officers, whole = keys("anna", "bert"), new_identity(KeyKind.X25519)
    (pair,) = recovery.make_pairs(whole, {name: recipient_of(key) for name, key in officers.items()})
    me = recipient_of(new_identity(KeyKind.X25519))
    asked = Request(head_of(sealed(tmp_path, whole)), me)
    other = Request(head_of(sealed(tmp_path, whole, name="b.age")), me)
    step = recovery.unlock_first(asked, pair, opener(officers["anna"]))
    answer = recovery.unlock_second(step, opener(officers["bert"]))
    with pytest.raises(SealError, match="not for this file"):
        recovery.require_answer_to(answer, other)
    with pytest.raises(SealError, match="different kinds"):
        hybrid = Step(
            Request(asked.head, recipient_of(new_identity(KeyKind.HYBRID))), "anna", "bert", step.recovery, step.inner
        )
        recovery.unlock_second(hybrid, opener(officers["bert"]))
    with pytest.raises(SealError, match="not the recovery key"):
        recovery.unlock_second(Step(asked, "anna", "bert", me, step.inner), opener(officers["bert"]))


@pytest.mark.parametrize("names", [[], ["a"], ["A", "b"], ["a/b", "c"], list("abcdefgh")])
def test_officers_that_cannot_be(names: list[str]) -> None:
    with pytest.raises(SealError, match="officers"):
        recovery.make_pairs(
            new_identity(KeyKind.X25519), {name: recipient_of(new_identity(KeyKind.X25519)) for name in names}
        )


def test_two_officers_with_one_key_are_one() -> None:
    key = recipient_of(new_identity(KeyKind.X25519))
    with pytest.raises(SealError, match="same key"):
        recovery.make_pairs(new_identity(KeyKind.X25519), {"a": key, "b": key})


@settings(max_examples=200)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=30),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["serment", "version", "header", "requester", "first", "second", "recovery", "inner",
                                         "sealed", "case", "officers"]), inner, max_size=8), max_leaves=12),
       st.sampled_from(["pair", "request", "step", "answer", "x"]))  # fmt: skip
def test_any_text_is_read_or_refused(value: object, kind: str) -> None:
    if isinstance(value, dict):
        value = {**value, "version": 1, "serment": f"recovery-{kind}"}
    with pytest.raises(SealError):
        recovery.read(json.dumps(value).encode())


def test_texts_out_of_bounds() -> None:
    for text in (b"", b"[" * 100_000, b"\xff", b" " * (2 << 20), b'{"version": 1, "serment": "recovery-request"}'):
        with pytest.raises(SealError):
            recovery.read(text)


def test_messages_are_small_and_for_one() -> None:
    identity = new_identity(KeyKind.HYBRID)
    message = seal_message(b"x" * 1000, [recipient_of(identity)])
    assert open_message(message, [identity]) == b"x" * 1000
    for place in (0, 30, len(message) // 2, len(message) - 1):
        changed = bytearray(message)
        changed[place] ^= 1
        with pytest.raises(SealError):
            open_message(bytes(changed), [identity])
    with pytest.raises(SealError, match="mix"):
        seal_message(b"", [recipient_of(new_identity(kind)) for kind in KeyKind])
    with pytest.raises(ValueError, match="small"):
        seal_message(bytes(64 * 1024), [recipient_of(identity)])


class TestNewHeaders:
    def test_the_payload_is_the_same_bytes_and_times_and_rights_stay(self, tmp_path: Path) -> None:
        old, new, other = keys("a", "b", "c").values()
        path = sealed(tmp_path, old, other)
        os.chmod(path, 0o640)
        os.utime(path, ns=(TIME, TIME))
        head, payload = head_of(path), path.read_bytes()[len(head_of(path)) :]
        read = header.parse(head)
        key = unwrap(read, [old])
        folder_fd = os.open(tmp_path, os.O_RDONLY)
        try:
            made = new_header(read, key, [recipient_of(new)], stanzas_of(read, [old]))
            replace_header(folder_fd, b"a.age", made, read)
        finally:
            os.close(folder_fd)
        assert path.read_bytes() == made + payload
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o640, TIME)
        assert [opens(path, each) for each in (old, new, other)] == [False, True, True]
        assert len(header.parse(made).stanzas) == 2
        alone = new_header(read, key, [recipient_of(new)], None)
        assert len(header.parse(alone).stanzas) == 1

    def test_a_stanza_of_the_other_kind_does_not_stay(self, tmp_path: Path) -> None:
        old, other, new = *keys("a", "b").values(), new_identity(KeyKind.HYBRID)
        read = header.parse(head_of(sealed(tmp_path, old, other)))
        made = new_header(read, unwrap(read, [old]), [recipient_of(new)], stanzas_of(read, [old]))
        assert [each.kind for each in header.parse(made).stanzas] == [b"mlkem768x25519"]

    def test_a_file_that_changed_meanwhile_is_left_alone(self, tmp_path: Path) -> None:
        old, new = keys("a", "b").values()
        path = sealed(tmp_path, old)
        read = header.parse(head_of(path))
        made = new_header(read, unwrap(read, [old]), [recipient_of(new)], None)
        path.write_bytes(sealed(tmp_path, old, name="b.age").read_bytes())
        before = path.read_bytes()
        folder_fd = os.open(tmp_path, os.O_RDONLY)
        try:
            with pytest.raises(ChangedError):
                replace_header(folder_fd, b"a.age", made, read)
            (tmp_path / "link.age").symlink_to(path)
            with pytest.raises(OSError) as caught:
                replace_header(folder_fd, b"link.age", made, read)
            assert caught.value.errno in {errno.ELOOP, errno.EINVAL}
        finally:
            os.close(folder_fd)
        assert path.read_bytes() == before

    def test_no_header_grows_beyond_what_is_read(self, tmp_path: Path) -> None:
        old, other = keys("a", "b").values()
        read = header.parse(head_of(sealed(tmp_path, old, other)))
        many = [recipient_of(other)] * (header.MAX_STANZAS - 1)
        made = header.parse(new_header(read, unwrap(read, [old]), many, stanzas_of(read, [old])))
        assert len(made.stanzas) == header.MAX_STANZAS
        with pytest.raises(SealError, match="more recipients"):
            new_header(made, unwrap(made, [other]), [recipient_of(old)], ())

    def test_a_wrong_file_key_makes_no_header(self, tmp_path: Path) -> None:
        old, new = keys("a", "b").values()
        read = header.parse(head_of(sealed(tmp_path, old)))
        with pytest.raises(SealError, match="damaged"):
            new_header(read, bytes(16), [recipient_of(new)], None)


@pytest.mark.parametrize("size", [0, 1, 65_536 - 1536, 65_536 - 1535, 131_072 - 1536, 131_072 - 1537, 300_001])
@pytest.mark.parametrize("kind", KeyKind)
def test_edits_go_back_for_the_same_people(tmp_path: Path, size: int, kind: KeyKind) -> None:
    """Sizes around the chunks of the payload: header block, document, padding and end mark are what is sealed."""
    mine, theirs = keys("a", "b", kind=kind).values()
    path = sealed(tmp_path, mine, theirs)
    edited = os.urandom(size)
    (tmp_path / "edited").write_bytes(edited)
    with (
        path.open("rb") as old,
        (tmp_path / "edited").open("rb") as source,
        (tmp_path / "new.age").open("wb") as target,
    ):
        key = unwrap(read_header(old.fileno()), [mine])
        info = reseal(old.fileno(), key, source.fileno(), Member(b"letter.txt", size, TIME), target.fileno())
    assert info.size == size
    assert head_of(tmp_path / "new.age") == head_of(path)
    out = os.memfd_create("out")
    with (tmp_path / "new.age").open("rb") as file:
        member = unseal(file.fileno(), [theirs], out)
    assert (member, os.pread(out, size + 1, 0)) == (Member(b"letter.txt", size, TIME), edited)
    os.close(out)
    first, second = (each.read_bytes()[len(head_of(path)) :][:16] for each in (path, tmp_path / "new.age"))
    assert first != second  # the nonce


def test_reseal_needs_the_files_key(tmp_path: Path) -> None:
    path = sealed(tmp_path, new_identity(KeyKind.X25519))
    with path.open("rb") as old, (tmp_path / "new.age").open("wb") as target, pytest.raises(SealError):
        reseal(old.fileno(), bytes(16), old.fileno(), Member(b"x", 1, 0), target.fileno())
    assert (tmp_path / "new.age").read_bytes() == b""


def test_without_any_key_noise_is_told_from_documents(tmp_path: Path) -> None:
    identity = new_identity(KeyKind.X25519)
    real = [
        sealed(tmp_path, identity, content=os.urandom(size) if size % 2 else bytes(size))
        for size in (0, 7, 5000, 1 << 20)
    ]
    for path in real:
        with path.open("rb") as file:
            assert looks_sealed(file.fileno())
    head = head_of(real[0])
    texts = (CONTENT, CONTENT[:1000], b"%PDF-1.7\n" + zlib.compress(CONTENT) + CONTENT, b"", bytes(9000), b"x" * 40)
    for content in (head + each for each in texts):
        (tmp_path / "false.age").write_bytes(content)
        with (tmp_path / "false.age").open("rb") as file:
            assert not looks_sealed(file.fileno())


def test_every_pair_of_officers_is_another_file() -> None:
    officers = {name: recipient_of(new_identity(KeyKind.X25519)) for name in "abcde"}
    pairs = recovery.make_pairs(new_identity(KeyKind.X25519), officers)
    assert [(each.first, each.second) for each in pairs] == list(itertools.combinations("abcde", 2))
    assert all(isinstance(recovery.read(recovery.write(each)), Pair) for each in pairs)
