import os
import threading
import time

import pytest

from agent.audit import sealer as sealer_module
from agent.audit.flusher import Flusher
from agent.audit.head import read_head
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.segments import read, segment_numbers, segment_path, verify_folder
from agent.errors import AuditError, HostError, TamperError, UntrustedInputError
from tests.unit.audit.logs import TRANSFER, abandon


def kinds(folder):
    return [entry.fields["k"] for entry in read(folder)]


def test_what_is_appended_is_read_back_and_verifies(open_log, folder):
    log = open_log()
    assert log.start(version="0.1.0") == 0
    assert [log.append("transfer", TRANSFER) for _ in range(5)] == [1, 2, 3, 4, 5]
    log.append("policy", {"policy": "é\n"}, private=b"kept here")
    log.close(why="test")
    entries = list(read(folder))
    assert [entry.number for entry in entries] == list(range(8))
    assert {key: entries[3].fields[key] for key in TRANSFER} == TRANSFER
    assert entries[6].private == b"kept here"
    summary = verify_folder(folder)
    assert (summary.records, summary.starts, summary.unclean_starts) == (8, 1, 0)


def test_files_are_for_the_owner_and_reviewers_only(open_log, folder):
    log = open_log()
    log.append("transfer", TRANSFER, durable=True)
    assert folder.stat().st_mode & 0o777 == 0o750
    for name in ("00000000.slog", "head.json"):
        assert (folder / name).stat().st_mode & 0o137 == 0


def test_segments_follow_one_another_and_reading_starts_anywhere(open_log, folder):
    log = open_log(segment_bytes=3000)
    for _ in range(40):
        log.append("transfer", TRANSFER)
    log.flush()
    assert len(segment_numbers(folder)) > 4
    for start in (0, 1, 6, 7, 39, 40, 100):
        assert [entry.number for entry in read(folder, start)] == list(range(start, 40))
    assert verify_folder(folder).records == 40


def test_refused_fields_leave_no_trace(open_log, folder):
    log = open_log()
    with pytest.raises(UntrustedInputError):
        log.append("transfer", {"a": 1.5})
    assert log.append("transfer", {"a": 1}) == 0
    log.flush()
    assert verify_folder(folder).records == 1


def test_a_second_agent_is_refused(open_log, folder):
    open_log()
    with pytest.raises(HostError, match="another agent"):
        AuditLog.open(folder)


def test_the_lock_goes_with_the_process(open_log, folder):
    abandon(open_log())
    open_log().start()


@pytest.mark.parametrize("cut", [1, 5, 12, 13, 200])
def test_a_torn_end_is_cut_back_and_told(open_log, folder, cut):
    log = open_log()
    log.start()
    log.append("transfer", TRANSFER, durable=True)
    log.append("transfer", TRANSFER)
    abandon(log)
    path = segment_path(folder, 0)
    os.truncate(path, path.stat().st_size - cut)
    log = open_log()
    log.start()
    assert log.size == 3
    last = list(read(folder))[-1].fields
    assert (last["clean"], last["dropped"] > 0) == (False, True)
    log.flush()
    assert verify_folder(folder).unclean_starts == 1


def test_a_clean_stop_and_a_kill_are_told_apart(open_log, folder):
    log = open_log()
    log.start()
    log.close()
    log = open_log()
    log.start()
    abandon(log)
    log = open_log()
    log.start()
    assert [entry.fields["clean"] for entry in read(folder) if entry.fields["k"] == "start"] == [True, True, False]


def test_what_came_behind_the_head_is_found_at_the_next_start(open_log, folder):
    log = open_log()
    log.append("transfer", TRANSFER, durable=True)
    for _ in range(3):
        log.append("transfer", TRANSFER)
    abandon(log)
    assert read_head(folder).size == 1
    log = open_log()
    assert log.size == 4
    assert read_head(folder).size == 4
    log.append("transfer", TRANSFER, durable=True)
    assert verify_folder(folder).records == 5


def tampered(folder):
    with pytest.raises(TamperError) as caught:
        verify_folder(folder)
    return caught.value.fields["kind"], caught.value.fields["index"]


def test_a_cut_off_log_goes_on_in_a_new_segment_and_never_verifies_again(open_log, folder):
    log = open_log()
    for _ in range(6):
        log.append("transfer", TRANSFER)
    log.close()
    path = segment_path(folder, 0)
    os.truncate(path, path.stat().st_size // 2)
    kind, index = tampered(folder)
    assert kind == "truncated"
    for _ in range(3):
        log = open_log()
        log.start()
        log.close()
        assert tampered(folder) == (kind, index)
    entries = list(read(folder))
    trouble = next(entry for entry in entries if entry.fields["k"] == "trouble")
    assert (trouble.number, trouble.fields["what"]) == (7, "truncated")
    assert [entry.fields["k"] for entry in entries].count("trouble") == 1
    assert segment_numbers(folder) == [0, 1]


def test_all_segments_removed(open_log, folder):
    log = open_log()
    log.append("transfer", TRANSFER)
    log.close()
    segment_path(folder, 0).unlink()
    assert tampered(folder) == ("truncated", 0)
    log = open_log()
    assert log.append("transfer", TRANSFER) == 3
    assert tampered(folder) == ("truncated", 0)


def test_damage_before_the_end_freezes_the_segment(open_log, folder):
    log = open_log()
    log.append("transfer", TRANSFER, durable=True)
    for _ in range(4):
        log.append("transfer", TRANSFER)
    abandon(log)
    path = segment_path(folder, 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    log = open_log()
    log.start()
    log.close()
    assert path.read_bytes() == bytes(data)
    assert tampered(folder) == ("edited", 1)
    numbers = [entry.number for entry in read(folder)]
    assert numbers == [0, 2, 3, 4, 5, 6, 7]
    assert kinds(folder)[4] == "trouble"
    log = open_log()
    log.start()
    assert kinds(folder).count("trouble") == 1


def test_head_removed_is_told(open_log, folder):
    log = open_log()
    log.append("transfer", TRANSFER)
    log.close()
    (folder / "head.json").unlink()
    assert tampered(folder)[0] == "head-replaced"
    log = open_log()
    assert kinds(folder)[-1] == "trouble"
    (folder / "head.json").write_bytes(b'{"size":1')
    with pytest.raises(AuditError):
        verify_folder(folder)
    abandon(log)
    log = open_log()
    assert [entry.fields.get("what") for entry in read(folder)][-1] == "head-missing"


def test_nothing_to_verify_is_unreadable_and_not_intact(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(AuditError) as caught:
            verify_folder(place)
        assert caught.value.exit_code == 2


def test_scope_records_intent_then_outcome(open_log, folder):
    log = open_log()
    with log.scope(TRANSFER) as scope:
        assert read_head(folder).size == 1  # durable before the act
        assert [entry.number for entry in log.open_intents()] == [0]
        scope.done(result="done", action="encrypt", problem="", held="")
    assert log.open_intents() == ()
    intent, outcome = (entry.fields for entry in read(folder))
    assert (intent["act"], outcome["k"], outcome["of"], outcome["result"]) == (True, "outcome", 0, "done")
    with pytest.raises(AuditError):
        scope.done(result="done")


def test_leaving_a_scope_otherwise_is_a_failure(open_log, folder):
    log = open_log()
    with pytest.raises(KeyError), log.scope(TRANSFER):
        raise KeyError
    with log.scope(TRANSFER):
        pass
    assert [entry.fields.get("result") for entry in read(folder)] == [None, "failed", None, "failed"]


def test_intents_without_outcome_are_found_after_a_kill(open_log, folder):
    log = open_log(segment_bytes=4000)
    waiting = []
    for number in range(30):
        index = log.append("transfer", {**TRANSFER, "act": True}, durable=number % 3 == 0)
        if number % 4:
            log.append("outcome", {"of": index, "result": "done"})
        else:
            waiting.append(index)
    abandon(log)
    log = open_log()
    assert [entry.number for entry in log.open_intents()] == waiting
    for index in waiting:
        log.append("outcome", {"of": index, "result": "interrupted"})
    log.close()
    assert open_log().open_intents() == ()


def test_too_many_open_intents_for_the_head_are_still_found(open_log, folder, monkeypatch):
    monkeypatch.setattr(sealer_module, "MAX_OPEN", 2)
    log = open_log()
    for _ in range(5):
        log.append("transfer", {**TRANSFER, "act": True}, durable=True)
    assert read_head(folder).open is None
    abandon(log)
    log = open_log()
    assert len(log.open_intents()) == 5
    assert "trouble" not in kinds(folder)


def test_threads_share_one_order(open_log, folder):
    log = open_log(segment_bytes=20_000)
    seen = []

    def work(number):
        for step in range(20):
            index = log.append("transfer", {**TRANSFER, "patients": number}, durable=step % 5 == 0)
            if step % 5 == 0:
                assert read_head(folder).size > index
            seen.append(index)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.flush()
    assert sorted(seen) == list(range(160))
    assert verify_folder(folder).records == 160


def test_a_closed_log_takes_nothing(open_log):
    log = open_log()
    log.close()
    log.close()
    with pytest.raises((AuditError, HostError)):
        log.append("transfer", TRANSFER)


def test_no_more_than_half_a_frame_survives_a_failed_write(open_log, folder, monkeypatch):
    log = open_log()
    log.append("transfer", TRANSFER, durable=True)
    real = os.write

    calls = []

    def failing(fd, data):
        calls.append(1)
        if len(calls) == 1:
            return real(fd, bytes(data)[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("agent.fsys.atomic.os.write", failing)
        with pytest.raises(HostError, match="No space left"):
            log.append("transfer", TRANSFER)
    assert log.append("transfer", TRANSFER) == 1
    log.close()
    assert verify_folder(folder).records == 3


def test_half_a_frame_that_could_not_be_cut_off_is_not_left_in_an_earlier_segment(open_log, folder, monkeypatch):
    log = open_log(segment_bytes=1500)
    log.append("transfer", TRANSFER, durable=True)
    real, calls = os.write, []

    def failing(fd, data):
        calls.append(1)
        if len(calls) == 1:
            return real(fd, bytes(data)[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("agent.fsys.atomic.os.write", failing)
        patch.setattr("agent.audit.tail.os.ftruncate", failing)
        with pytest.raises(HostError, match="No space left"):
            log.append("transfer", TRANSFER)
    assert log.append("transfer", TRANSFER, private=b"large" * 300) == 1
    log.close()
    assert len(segment_numbers(folder)) > 1
    assert verify_folder(folder).records == 3


def test_a_process_without_a_free_descriptor_announces_nothing_and_seals_again_later(open_log, folder, monkeypatch):
    log = open_log(flush_after_s=0.02)

    def none_left(fd):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("agent.audit.writer.os.dup", none_left)
        log.append("policy", {"policy": "p"})
        time.sleep(0.2)  # the flusher tries, and fails
        with pytest.raises(HostError, match="Too many open files"):
            log.append("transfer", {**TRANSFER, "act": True}, durable=True)
    assert log.open_intents() == ()
    log.append("policy", {"policy": "p"})
    until = time.monotonic() + 5
    while log.durable < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert log.durable == 2


def test_what_nobody_asked_to_be_durable_is_so_soon(open_log, folder):
    import time

    log = open_log(flush_after_s=0.01)
    log.append("transfer", TRANSFER)
    deadline = time.monotonic() + 20
    while read_head(folder).size < 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert log.durable == 1


def _alive(thread):
    thread.join(10)
    return thread.is_alive()


def test_an_end_in_any_moment_is_heard():
    """Told just before the flusher clears its bell, it once was cleared with it, and waited for until the next beat."""
    flusher = Flusher(lambda _news: None, Limits(flush_after_s=0.01, beat_s=3600))
    clear = flusher._waiting.clear

    def told_just_before():
        flusher._closing.set()
        flusher._waiting.set()
        clear()

    flusher._waiting.clear = told_just_before
    flusher.wake()
    assert not _alive(flusher._thread)


def test_many_logs_opened_and_closed_at_once_all_come_back(tmp_path):
    def life(number):
        for turn in range(15):
            log = AuditLog.open(tmp_path / str(number), limits=Limits(flush_after_s=0.0005 * turn, beat_s=3600))
            for _ in range(turn):
                log.append("transfer", TRANSFER)
            log.close()

    lives = [threading.Thread(target=life, args=(number,), daemon=True) for number in range(6)]
    for each in lives:
        each.start()
    deadline = time.monotonic() + 120
    for each in lives:
        each.join(max(0.0, deadline - time.monotonic()))
    assert not any(each.is_alive() for each in lives)
    assert [verify_folder(tmp_path / str(number)).unclean_sessions for number in range(6)] == [0] * 6


def test_a_kill_in_the_first_moment_of_a_log_is_no_trouble(open_log, folder):
    """Its segment is there, its head is not: no record can be missing."""
    open_log()._let_go()
    (folder / "head.json").unlink()
    log = open_log()
    log.start(version="test")
    log.close()
    assert kinds(folder) == ["start", "stop"]
    (folder / "head.json").unlink()
    open_log().close()
    assert kinds(folder) == ["start", "stop", "trouble", "stop"]
