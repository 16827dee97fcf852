"""Seals on real logs: what is sealed when, by which keys, and what a restart, a kill or a failing disk leave."""

import errno
import os

import pytest

from agent.audit import checkpoint, start_key
from agent.audit import writer as writer_module
from agent.audit.checkpoint import Why
from agent.audit.frames import Frame, FrameType
from agent.audit.limits import Limits
from agent.audit.segments import bytes_in, items, read, segment_path, verify_folder
from agent.errors import HostError, TamperError
from tests.unit.audit.independent import judged
from tests.unit.audit.logs import TRANSFER, abandon


def seals(folder):
    return [
        checkpoint.unpack(item.body)
        for _, item in items(folder)
        if isinstance(item, Frame) and item.kind == FrameType.CHECKPOINT
    ]


def test_a_session_is_opened_sealed_and_stopped(open_log, folder):
    log = open_log()
    log.start()
    log.append("transfer", TRANSFER, durable=True)
    log.close()
    found = seals(folder)
    assert [seal.why for seal in found] == [Why.OPEN, Why.FLUSH, Why.FLUSH, Why.STOP]
    assert [seal.size for seal in found] == [0, 1, 2, 3]
    assert len({seal.next_key for seal in found}) == 4


def test_many_records_are_sealed_before_they_are_durable(open_log, folder):
    log = open_log()
    for _ in range(520):
        log.append("transfer", TRANSFER)
    assert [seal.size for seal in seals(folder)] == [0, 256, 512]


def test_a_quiet_log_says_that_it_lives(folder):
    import time

    from agent.audit.log import AuditLog

    log = AuditLog.open(folder, limits=Limits(beat_s=0.02))
    deadline = time.monotonic() + 20
    while Why.BEAT not in [seal.why for seal in seals(folder)]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    log.close()
    assert verify_folder(folder).records == 1


def test_each_session_is_opened_by_the_key_that_the_one_before_announced(open_log, folder):
    for _ in range(3):
        log = open_log()
        log.start()
        abandon(log)
    openings = [seal for seal in seals(folder) if seal.why is Why.OPEN]
    assert openings[0].by == openings[0].identity
    assert [seal.by for seal in openings[1:]] == [seal.next_start for seal in openings[:-1]]
    assert (folder / start_key.FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert len((folder / start_key.FILE_NAME).read_bytes()) == 32
    summary = verify_folder(folder)
    assert (summary.sessions, summary.unclean_sessions) == (3, 2)
    assert log.fingerprint == checkpoint.fingerprint(openings[0].identity)


@pytest.mark.parametrize("left", ["both keys", "the old one"])
def test_a_kill_while_a_session_opens_loses_no_key(open_log, folder, left, monkeypatch):
    abandon(open_log())
    old = (folder / start_key.FILE_NAME).read_bytes()
    if left == "both keys":  # killed between the opening's fdatasync and the removal of the used key
        with monkeypatch.context() as patch:
            patch.setattr("agent.audit.sealer.Sealer.opened", lambda self: None)
            abandon(open_log())
        assert len((folder / start_key.FILE_NAME).read_bytes()) == 64
    else:  # killed after the new key was kept and before the opening was written
        start_key.store(folder, start_key.FileKey(old), start_key.FileKey())
    log = open_log()
    log.start()
    log.close()
    assert verify_folder(folder).sessions == 2 + (left == "both keys")
    assert "trouble" not in [entry.fields["k"] for entry in read(folder)]


def test_a_key_that_signed_is_nowhere_in_the_folder_also_after_a_kill(open_log, folder, monkeypatch):
    """Whoever finds the key of an opening of the past can make everything since then again."""
    abandon(open_log())
    old = (folder / start_key.FILE_NAME).read_bytes()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt  # stands for kill -9: nothing is tidied up

    with monkeypatch.context() as patch:
        patch.setattr("agent.fsys.atomic.os.replace", killed)
        patch.setattr("agent.fsys.atomic.Path.unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            start_key.store(folder, start_key.FileKey(old), start_key.FileKey())
    assert any(old in path.read_bytes() for path in folder.glob(".*.tmp"))
    open_log().close()
    assert not [path for path in folder.rglob("*") if path.is_file() and old in path.read_bytes()]
    assert verify_folder(folder).sessions == 2


def test_a_lost_start_key_is_told_and_never_verifies(open_log, folder):
    abandon(open_log())
    (folder / start_key.FILE_NAME).unlink()
    log = open_log()
    log.start()
    log.close()
    assert [entry.fields.get("what") for entry in read(folder)][0] == "start-key-missing"
    with pytest.raises(TamperError) as caught:
        verify_folder(folder)
    assert (caught.value.fields["kind"], caught.value.fields["index"]) == ("key-replaced", 0)
    assert judged(folder) is None


def test_a_record_that_could_not_be_made_durable_is_taken_back_with_its_seal(open_log, folder, monkeypatch):
    log = open_log()
    log.append("transfer", TRANSFER, durable=True)

    def failing(fd):
        raise OSError(errno.EIO, "Input/output error")

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr("agent.audit.writer.os.fdatasync", failing)
            with pytest.raises(HostError):
                log.append("transfer", TRANSFER, durable=True)
        assert log.size == 1
        assert log._bytes == bytes_in(folder)  # a disk that is full for long does not make the log look full
    assert log.append("transfer", TRANSFER, durable=True) == 1
    log.close()
    summary = verify_folder(folder)
    assert (summary.records, summary.sealed, summary.sessions) == (3, 3, 2)
    assert judged(folder)["records"] == 3
    again = open_log()
    again.start()
    again.close()
    assert verify_folder(folder).sessions == 3


@pytest.mark.parametrize("flushed", [False, True])
def test_head_json_that_cannot_be_written_while_a_session_opens_anew(open_log, folder, monkeypatch, flushed):
    """The opening is durable and its record is taken back, or it stays and a later one is: no key is lost for either."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    log = open_log()
    log.start()
    with monkeypatch.context() as patch:
        patch.setattr(writer_module, "write_head", full)
        for _ in range(2):  # the first ends the session
            with pytest.raises(HostError):
                log.append("transfer", TRANSFER, durable=True)
            if flushed:
                log.append("policy", {"policy": "p"})
                with pytest.raises(HostError):
                    log.flush()
    log.append("transfer", TRANSFER, durable=True)
    log.close()
    assert verify_folder(folder).unclean_starts == 0
    open_log().close()
    assert verify_folder(folder).sessions > 2


def test_a_record_that_opens_a_segment_and_is_taken_back(open_log, folder, monkeypatch):
    log = open_log(segment_bytes=700)
    log.append("transfer", TRANSFER, durable=True)
    with monkeypatch.context() as patch:
        patch.setattr("agent.audit.writer.write_head", lambda *_, **__: (_ for _ in ()).throw(OSError(5, "EIO")))
        with pytest.raises(HostError):
            log.append("transfer", TRANSFER, durable=True)
    for _ in range(4):
        log.append("transfer", TRANSFER, durable=True)
    log.close()
    assert verify_folder(folder).records == 6


def test_without_head_json_the_identity_is_found_again(open_log, folder):
    log = open_log()
    log.start()
    name = log.fingerprint
    log.close()
    (folder / "head.json").unlink()
    log = open_log()
    assert log.fingerprint == name
    log.close()
    assert judged(folder)["records"] == 4


def test_the_collectors_statement_is_kept_once(open_log, folder):
    from agent.audit import tree
    from agent.audit.checkpoint import Cosigned
    from agent.audit.head import read_head
    from agent.crypto.signing import FileKey

    log = open_log()
    log.start()
    head, key = read_head(folder), FileKey()
    root = tree.root(head.subtrees())
    text = checkpoint.cosigned_text(checkpoint.origin(bytes.fromhex(head.identity)), 1, root, 7)
    said = Cosigned(1, root, 7, key.public, key.sign(text), "serment-collector")
    log.cosigned(said._replace(size=9))  # of records that there are not
    log.cosigned(said)
    log.cosigned(said)
    log.close()
    assert verify_folder(folder, witness=key.public).cosigned == said
    assert segment_path(folder, 0).read_bytes().count(b"serment-collector") == 1
    assert judged(folder, witness=key.public)["records"] == 2


def test_no_key_of_a_seal_is_ever_asked_for(open_log, monkeypatch):
    """The library holds it; that it clears it is tests/system/test_audit_key.py."""
    from agent.crypto.signing import OnceKey

    key = OnceKey()
    key.sign(b"x")
    with pytest.raises(ValueError, match="has signed"):
        key.sign(b"y")
    assert not hasattr(key, "__dict__")
    assert os.path.exists("/proc/self/mem")
