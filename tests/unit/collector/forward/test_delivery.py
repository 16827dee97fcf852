"""Batches to receivers: in order, at least once, killed in between, refused, slow, lying."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from agent.errors import HostError, UsageError
from collector.forward import forwarder, sending, targets
from collector.store.tables import acts, forward_targets
from tests.siem import make_certificates

ROOT = Path(__file__).parents[4]


def forward(store, target):
    """Everything that is there, without waiting for the next attempt."""
    while forwarder.forward_once(store, target.id):
        pass
    return targets.figures(store.engine)[0]


def due(store):
    with store.engine.begin() as connection:
        connection.execute(update(forward_targets).values(next_at=0))


def numbers(events):
    return [event["event"]["metadata"]["sequence"] for event in events]


def test_everything_arrives_once_and_in_order(store, fill, receiver, target):
    entered = target(store, "hec", receiver.port, index="medical")
    fill(store, 1230)
    state = forward(store, entered)
    assert numbers(receiver.events) == list(range(1230))
    assert [len(batch) for batch in receiver.batches] == [500, 500, 230]
    assert (state["sent"], state["behind"], state["problem"]) == (1230, 0, "")
    assert receiver.headers[0]["authorization"] == "Splunk a-secret-for-tests"
    assert receiver.events[0]["index"] == "medical" and receiver.events[0]["event"]["class_uid"] == 2006
    assert not forwarder.forward_once(store, entered.id) and len(receiver.batches) == 3


def test_a_target_begins_with_what_comes_from_now_on(store, taking, fill, receiver, target):
    laptop = fill(store, 10)
    entered = target(store, "https", receiver.port, history=False)
    laptop.add(decision="inform")
    taking.send(laptop.batch(10))
    forward(store, entered)
    assert [event["metadata"]["sequence"] for event in receiver.events] == [10]


def test_indexers_acknowledge_before_the_cursor_moves(light_store, receiver, target, fill):
    receiver.acks = True
    entered = target(light_store, "hec", receiver.port)
    fill(light_store, 3)
    assert forward(light_store, entered)["behind"] == 0
    assert receiver.asked == 2
    assert receiver.paths[1].startswith("/services/collector/ack?channel=")


def test_a_target_that_is_away_gets_it_later(light_store, receiver, target, fill):
    entered = target(light_store, "hec", receiver.port)
    fill(light_store, 5)
    receiver.before = lambda _events: (503, {}, {"retry-after": "77"})
    before = time.time()
    state = forward(light_store, entered)
    assert state["behind"] == 5 and state["failures"] == 1 and "503" in state["problem"]
    assert state["next_at"] >= before + 77
    assert not forwarder.forward_once(light_store, entered.id)  # it is not asked again before that
    receiver.before = lambda _events: None
    due(light_store)
    state = forward(light_store, entered)
    assert (state["behind"], state["failures"], state["problem"]) == (0, 0, "")
    assert numbers(receiver.events) == list(range(5))


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 302])
def test_a_wrong_token_or_address_is_no_dead_letter(light_store, receiver, target, fill, status):
    entered = target(light_store, "https", receiver.port)
    fill(light_store, 2)
    receiver.before = lambda _events: (status, {}, {"location": "https://127.0.0.1:1/"})
    state = forward(light_store, entered)
    assert (state["behind"], state["dead"], state["failures"]) == (2, 0, 1)


def test_what_is_unfit_stands_alone_and_can_be_replayed(store, receiver, target, fill):
    entered = target(store, "hec", receiver.port)
    fill(store, 20)

    def picky(events):
        bad = {3, 11} & {event["event"]["metadata"]["sequence"] for event in events}
        return (400, {"text": "Invalid data format", "code": 6}, {}) if bad else None

    receiver.before = picky
    state = forward(store, entered)
    assert numbers(receiver.events) == [number for number in range(20) if number not in {3, 11}]
    assert (state["sent"], state["dead"], state["behind"]) == (18, 2, 0)
    letters = forwarder.dead_letters(store, entered)
    assert [(letter["laptop"], letter["record"]) for letter in letters] == [("dev_one", 3), ("dev_one", 11)]
    assert "Invalid data format" in letters[0]["why"]
    assert forwarder.replay(store, entered) == (0, 2)
    receiver.before = lambda _events: None
    assert forwarder.replay(store, entered) == (2, 0)
    assert sorted(numbers(receiver.events)) == list(range(20)) and not forwarder.dead_letters(store, entered)


@pytest.mark.parametrize("kind", ["https", "syslog"])
def test_an_event_that_cannot_be_written_holds_up_no_other(light_store, receiver, target, fill, monkeypatch, kind):
    entered = target(light_store, kind, receiver.port, form="ocsf")
    fill(light_store, 20)

    def ocsf(event, _):
        return {"n": event.number} if event.number != 7 else {}["hostile"]

    monkeypatch.setattr(sending, "ocsf", ocsf)
    monkeypatch.setattr(sending, "_await_end", lambda _: None)
    state = forward(light_store, entered)
    assert (state["sent"], state["dead"], state["behind"], state["problem"]) == (19, 1, 0, "")
    (letter,) = forwarder.dead_letters(light_store, entered)
    assert (letter["record"], letter["why"]) == (7, "it cannot be written: KeyError")


def test_a_fault_of_ours_is_told_with_its_target(light_store, receiver, target, fill, monkeypatch):
    entered = target(light_store, "https", receiver.port)
    fill(light_store, 2)
    monkeypatch.setattr(sending, "_lines", lambda *_: {}["a fault"])
    state = forward(light_store, entered)
    assert (state["behind"], state["failures"], state["problem"]) == (2, 1, "KeyError")


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b1m\r\n\u202e"


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("https", (503, ESCAPES.encode(), {})), ("hec", (400, ESCAPES.encode(), {})),
     ("elastic", (200, {"items": [{"create": {"status": 400, "error": {"type": ESCAPES}}}]}, {}))],
)  # fmt: skip
def test_what_a_target_answers_does_nothing_to_a_terminal(
    light_store, receiver, target, fill, tmp_path, capsys, kind, answer
):
    from collector.main import main

    entered = target(light_store, kind, receiver.port)
    fill(light_store, 1)
    receiver.before = lambda _events: answer
    forward(light_store, entered)
    where = ["--data", str(tmp_path)]
    main(["forward", *where])
    main(["forward", "dead", "siem", *where])
    main(["forward", "test", "siem", *where])
    shown = "".join(capsys.readouterr())
    assert shown.count("?]0;owned") == 2
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_a_hec_without_its_settings_is_not_the_events_fault(light_store, receiver, target, fill):
    entered = target(light_store, "hec", receiver.port)
    fill(light_store, 2)
    receiver.before = lambda _events: (400, {"text": "Data channel is missing", "code": 10}, {})
    assert forward(light_store, entered)["dead"] == 0


def test_elastic_tells_for_each_document(store, receiver, target, fill):
    entered = target(store, "elastic", receiver.port)
    fill(store, 6)
    receiver.unmapped = frozenset({4})
    state = forward(store, entered)
    assert (state["sent"], state["dead"], state["behind"]) == (5, 1, 0)
    assert receiver.paths == ["/logs-serment.audit-default/_bulk"]
    assert receiver.headers[0]["authorization"] == "ApiKey a-secret-for-tests"
    with store.engine.begin() as connection:  # as after a kill: the cursor is where it was
        connection.execute(update(forward_targets).values(number=0, skip=0))
    assert forward(store, entered)["behind"] == 0  # 409: it has them, that is no failure


def test_half_a_bulk_that_is_busy_goes_again_whole(light_store, receiver, target, fill):
    entered = target(light_store, "elastic", receiver.port)
    fill(light_store, 2)
    items = [{"create": {"status": 201}}, {"create": {"status": 429}}]
    receiver.before = lambda _events: (200, {"items": items}, {})
    assert forward(light_store, entered)["behind"] == 2


def test_killed_between_sending_and_committing_nothing_is_lost(light_store, tmp_path, receiver, target, fill):
    entered = target(light_store, "https", receiver.port)
    fill(light_store, 1200)
    state = {"kills": 0, "requests": 0}
    program = (
        "import sys; from pathlib import Path; from collector.store.engine import open_store;"
        "from collector.forward import forwarder; store = open_store(Path(sys.argv[1]), sys.argv[2]);\n"
        "while forwarder.forward_once(store, int(sys.argv[3])): pass"
    )

    def kill(_events):
        state["requests"] += 1
        if state["requests"] in {1, 3}:  # the receiver has it, the collector never hears of it
            state["kills"] += 1
            os.kill(state["pid"], signal.SIGKILL)

    receiver.before = kill
    for _ in range(8):
        process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), "", str(entered.id)], cwd=ROOT)
        state["pid"] = process.pid
        if process.wait(120) == 0:
            break
    events = [*receiver.events]
    assert state["kills"] == 2
    by_uid = {}
    for event in events:
        assert by_uid.setdefault(event["metadata"]["uid"], event["unmapped"]) == event["unmapped"]
    assert len(by_uid) == 1200 and len(events) > 1200  # all of it, some of it twice
    assert targets.figures(light_store.engine)[0]["behind"] == 0


def test_an_unknown_authority_gets_nothing(light_store, receiver, target, fill, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    entered = target(light_store, "hec", receiver.port, ca=make_certificates(other)[0])
    fill(light_store, 1)
    state = forward(light_store, entered)
    assert "certificate verify failed" in state["problem"] and receiver.batches == [] and state["behind"] == 1


def test_records_that_were_forgotten_are_told(light_store, receiver, target, fill):
    entered = target(light_store, "https", receiver.port)
    fill(light_store, 7)
    light_store.forget(light_store.months()[0])
    state = forward(light_store, entered)
    assert (state["lost"], state["sent"], state["behind"]) == (7, 0, 0)


def test_two_targets_do_not_wait_for_each_other(light_store, receiver, target, fill, secret, certificates):
    slow = targets.check("https", "https://127.0.0.1:9", "", secret_file=secret, ca_file=str(certificates[0]))
    targets.add(light_store.engine, "away", slow, "test", history=True)
    entered = target(light_store, "https", receiver.port)
    fill(light_store, 3)
    at_work = forwarder.Forwarder(light_store)
    at_work.run()
    at_work.close()
    state = {found["name"]: found for found in targets.figures(light_store.engine)}
    assert state["siem"]["behind"] == 0 and state["away"]["failures"] == 1
    assert entered.name == "siem"


def test_a_fault_of_ours_is_told(light_store, receiver, target, monkeypatch, caplog):
    """A thread's exception goes to nobody: the target would stand still unseen."""

    def broken(store, number):
        raise RuntimeError("Jeanne DUPONT")

    target(light_store, "https", receiver.port)
    monkeypatch.setattr(forwarder, "forward_once", broken)
    at_work = forwarder.Forwarder(light_store)
    at_work.run()
    at_work.close()
    assert [each.getMessage() for each in caplog.records] == ["forward 1: RuntimeError"]


def test_a_test_event_says_so(light_store, receiver, target):
    entered = target(light_store, "https", receiver.port)
    uid = forwarder.send_test(entered, 1_795_289_704_000_000)
    assert receiver.events[0]["metadata"]["event_code"] == "test.test" and receiver.events[0]["metadata"]["uid"] == uid
    receiver.before = lambda _events: (403, {}, {})
    with pytest.raises(HostError, match="did not take"):
        forwarder.send_test(entered, 1)


def test_backoff_is_drawn_after_the_limit():
    top = [forwarder.backoff(failures, lambda _low, high: high) for failures in range(12)]
    assert top[:3] == [5.0, 10.0, 20.0] and max(top) == forwarder.LONGEST_S
    assert {forwarder.backoff(failures, lambda low, _high: low) for failures in range(12)} == {1.0}


@pytest.mark.parametrize(
    ("kind", "url"),
    [("hec", "http://127.0.0.1:1"), ("syslog", "https://127.0.0.1:1"), ("hec", "https://user:word@host"),
     ("hec", "https://host?token=1"), ("hec", "https://host:99999"), ("hec", "nonsense")],
)  # fmt: skip
def test_addresses_that_are_refused(kind, url):
    with pytest.raises(UsageError):
        targets.check(kind, url, "")


def test_what_is_entered_is_noted_and_holds_no_secret(light_store, receiver, target):
    target(light_store, "hec", receiver.port, redact=("user",))
    with pytest.raises(UsageError, match="of this name"):
        target(light_store, "hec", receiver.port)
    targets.remove(light_store.engine, "siem", "somebody")
    with light_store.engine.connect() as connection:
        rows = connection.execute(select(acts)).all()
    assert [row.what for row in rows] == ["forward-add", "forward-remove"]
    assert "a-secret-for-tests" not in str(rows) and targets.every(light_store.engine) == []


def test_the_command_does_all_of_it(tmp_path, light_store, receiver, certificates, secret, fill, capsys):
    from collector.main import main

    where = ["--data", str(tmp_path), "--json"]
    url = f"https://127.0.0.1:{receiver.port}"
    more = ["--kind", "hec", "--url", url, "--secret-file", secret, "--ca", str(certificates[0]), "--history"]
    assert main(["forward", "add", "splunk", *more, *where]) == 0
    assert main(["forward", "test", "splunk", *where]) == 0
    fill(light_store, 3)
    assert main(["forward", *where]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[-1]["behind"] == 3 and lines[-1]["name"] == "splunk"
    assert main(["forward", "dead", "splunk", *where]) == 0 and main(["forward", "replay", "splunk", *where]) == 0
    assert main(["forward", "remove", "splunk", *where]) == 0
    assert main(["forward", "remove", "splunk", *where]) == 64
    assert main(["forward", "add", "other", "--kind", "hec", *where]) == 64
