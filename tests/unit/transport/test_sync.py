"""The sender against a collector in memory that checks as the real one does, and against scripted HTTP answers."""

import http.server
import os
import threading
import time

import pytest

from agent.audit import chain
from agent.audit.log import AuditLog
from agent.audit.segments import segment_path
from agent.errors import ConfigError, HostError, TransportError
from agent.transport import spool, sync, wire
from agent.transport.https import HttpsCollector, check_url
from agent.transport.spool import SpoolState
from agent.transport.wire import Reply
from collector.ingest.check import Refused, check
from collector.store.base import Known


class MemoryCollector:
    """Holds the records of one laptop. ``lose_replies`` are told lost although the records were taken."""

    def __init__(self, lose_replies=0):
        self.known, self.records, self.calls, self.alarms = Known(), {}, [], []
        self.lose_replies, self.next_s = lose_replies, 300

    def sync(self, batch):
        self.calls.append(batch)

        def stored(first, end):
            return {n: self.records[n] for n in range(first, end) if n in self.records}

        decision = check(batch.letterhead, wire.parse_body(batch.body, batch.letterhead.report), 1, self.known, stored)
        if isinstance(decision, Refused):
            self.alarms.append(decision.alarm)
            return Reply(decision.have, why=decision.alarm or "gap")
        self.alarms += [kind for kind, _ in decision.alerts]
        for row in decision.rows:
            assert row.idx not in self.records
            self.records[row.idx] = (row.public, row.private_hash or chain.NO_PRIVATE)
        self.known = decision.known
        if self.lose_replies:
            self.lose_replies -= 1
            raise TransportError("lost", kind="unreachable", detail="", retry_s=0)
        return Reply(self.known.size, self.next_s)

    def close(self):
        pass


@pytest.fixture
def place(tmp_path):
    return tmp_path / "audit", tmp_path / "spool.json"


def fill(folder, count, **options):
    log = AuditLog.open(folder, **options)
    for number in range(count):
        log.append("transfer", {"n": number})
    log.close()


def run(place, collector):
    folder, state_file = place
    worker = sync.Sync(folder, state_file, collector, spool.load_state(state_file, "dev_test"))
    try:
        return worker.run(0)
    except TransportError as error:
        return sync.note_failure(state_file, worker.state, error)


def test_everything_arrives_once_in_order_and_in_bounded_requests(place):
    fill(place[0], 4500, segment_bytes=50_000)
    collector = MemoryCollector()
    assert run(place, collector) == sync.EXIT_DONE
    assert list(collector.records) == list(range(4501))
    assert max(batch.count for batch in collector.calls) == wire.MAX_RECORDS
    assert spool.load_state(place[1]).acked == 4501
    assert spool.pending(place[0], spool.load_state(place[1])) == 0


def test_a_second_run_sends_no_record_again(place):
    fill(place[0], 10)
    collector = MemoryCollector()
    run(place, collector)
    collector.calls.clear()
    assert run(place, collector) == sync.EXIT_DONE
    assert [batch.count for batch in collector.calls] == [0]
    fill(place[0], 5)
    assert run(place, collector) == sync.EXIT_DONE
    assert [batch.count for batch in collector.calls] == [0, 6]


@pytest.mark.parametrize(("said", "least", "most"), [(0, 810, 990), (300, 300, 300)])
def test_a_collector_that_wishes_for_no_visit_has_one_in_a_quarter_of_an_hour(place, said, least, most):
    fill(place[0], 1)
    collector = MemoryCollector()
    collector.next_s = said
    before = int(time.time())
    assert run(place, collector) == sync.EXIT_DONE
    assert before + least <= spool.load_state(place[1]).next_at <= time.time() + most


def test_lost_replies_cost_nothing_but_time(place):
    fill(place[0], 4500)
    collector = MemoryCollector(lose_replies=2)
    assert run(place, collector) == sync.EXIT_AWAY
    state = spool.load_state(place[1])
    assert (state.failures, state.trouble) == (1, "unreachable")
    assert state.retry_at > time.time()
    assert run(place, collector) == sync.EXIT_AWAY
    assert spool.load_state(place[1]).failures == 2
    assert run(place, collector) == sync.EXIT_DONE
    assert len(collector.records) == 4501
    assert spool.load_state(place[1]).failures == 0


@pytest.mark.parametrize("spoil", [b"", b"{", b'{"device":"dev_test","acked":-4}', b'{"device":5}'])
def test_a_lost_or_spoilt_state_costs_nothing(place, spoil):
    fill(place[0], 3000)
    collector = MemoryCollector()
    run(place, collector)
    place[1].write_bytes(spoil)
    assert run(place, collector) == sync.EXIT_DONE
    assert len(collector.records) == 3001
    assert collector.alarms == []


def test_an_emptied_collector_gets_everything_again(place):
    fill(place[0], 3000)
    run(place, MemoryCollector())
    collector = MemoryCollector()
    assert run(place, collector) == sync.EXIT_DONE
    assert len(collector.records) == 3001


def test_only_what_is_durable_is_sent(place):
    log = AuditLog.open(place[0], flush_after_s=3600)
    log.append("transfer", {"n": 0}, durable=True)
    log.append("transfer", {"n": 1})
    collector = MemoryCollector()
    run(place, collector)
    assert len(collector.records) == 1
    log.flush()
    run(place, collector)
    assert len(collector.records) == 2
    log.close()


def test_a_log_that_was_cut_off_is_told_to_the_collector(place):
    fill(place[0], 10)
    collector = MemoryCollector()
    run(place, collector)
    segment_path(place[0], 0).unlink()
    (place[0] / "head.json").unlink()
    fill(place[0], 2)
    assert run(place, collector) == sync.EXIT_CONFLICT
    assert "truncated" in collector.alarms
    state = spool.load_state(place[1])
    assert (state.trouble, state.acked) == ("truncated", 11)
    assert state.retry_at > time.time()


def test_a_log_that_was_rewritten_is_told_to_the_collector(place):
    fill(place[0], 10)
    collector = MemoryCollector()
    run(place, collector)
    segment_path(place[0], 0).unlink()
    (place[0] / "head.json").unlink()
    fill(place[0], 30)
    assert run(place, collector) == sync.EXIT_CONFLICT
    assert collector.alarms == ["fork"]
    place[1].unlink()
    assert run(place, collector) == sync.EXIT_CONFLICT
    assert collector.alarms == ["fork", "rewritten"]
    assert len(collector.records) == 11


def test_what_the_laptop_lost_is_told_and_the_rest_still_comes(place):
    fill(place[0], 10)
    path = segment_path(place[0], 0)
    whole = path.read_bytes()
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    fill(place[0], 3)
    collector = MemoryCollector()
    assert run(place, collector) == sync.EXIT_DONE
    assert collector.alarms == ["missing"]
    assert len(collector.records) == 14
    assert collector.known.size == 15


def test_backoff_is_jitter_after_the_cap():
    def low(a, b):
        return a

    def high(a, b):
        return b

    assert spool.backoff(1, low) == 1.0
    assert [spool.backoff(n, low) for n in (2, 20)] == [1.0, 1.0]
    assert spool.backoff(1, high) == 60.0 + spool.SPREAD_S
    assert [spool.backoff(n, high) for n in (2, 3, 9, 500)] == [120.0, 240.0, 1800.0, 1800.0]


def test_state_refuses_an_unreadable_file(tmp_path):
    (tmp_path / "state").mkdir()
    with pytest.raises(HostError):
        spool.load_state(tmp_path / "state")


@pytest.mark.parametrize("url", ["http://example.org", "ftp://x", "https://", "", "http://127.0.0.1.evil.org", "//x"])
def test_addresses_that_are_refused(url):
    with pytest.raises(ConfigError):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["https://collector.example/", "http://127.0.0.1:8440", "http://[::1]:1", "http://localhost"]
)
def test_addresses_that_are_taken(url):
    assert check_url(url) == url.rstrip("/")


@pytest.fixture
def scripted():
    """An HTTP server that gives the same answer to everybody; yields (url, set the answer, what was asked)."""
    answer = {"status": 200, "headers": {}, "body": b"{}"}
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer["status"])
            for name, value in {"Content-Length": str(len(answer["body"])), **answer["headers"]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"])

        do_GET = do_POST

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answer, asked
    server.shutdown()
    thread.join()
    server.server_close()


BATCH = wire.build(wire.Letterhead("dev_1", 0, 1), [(b"{}", b"")])


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "retry_s"),
    [
        (500, {}, b"", "unreachable", 0),
        (503, {"Retry-After": "7"}, b"", "unreachable", 7),
        (429, {"Retry-After": "99999999"}, b"", "unreachable", 86400),
        (429, {"Retry-After": "Wed, 21 Oct"}, b"", "unreachable", 0),
        (401, {}, b"", "refused", 0),
        (404, {}, b"", "refused", 0),
        (302, {"Location": "http://127.0.0.1:1/steal"}, b"", "refused", 0),
        (200, {}, b"<html>", "refused", 0),
        (200, {}, b'{"size":1}' + b" " * (1 << 20), "refused", 0),
    ],
)
def test_answers_that_are_no_reply(scripted, status, headers, body, kind, retry_s):
    url, answer, asked = scripted
    answer.update(status=status, headers=headers, body=body)
    collector = HttpsCollector(url, "secret-token")
    with pytest.raises(TransportError) as caught:
        collector.sync(BATCH)
    collector.close()
    assert (caught.value.fields["kind"], caught.value.fields["retry_s"]) == (kind, retry_s)
    assert len(asked) == 1
    assert "secret-token" not in str(caught.value)


def test_what_is_sent(scripted):
    url, answer, asked = scripted
    answer.update(body=b'{"size":1,"next_s":5}')
    collector = HttpsCollector(url, "secret-token")
    assert collector.sync(BATCH) == Reply(1, 5)
    answer.update(status=409, body=b'{"have":4,"why":"gap"}')
    assert collector.sync(BATCH) == Reply(4, why="gap")
    collector.close()
    path, headers, body = asked[0]
    assert (path, body, headers["Authorization"]) == ("/v1/sync", BATCH.body, "Bearer secret-token")


def test_nobody_there_is_unreachable():
    collector = HttpsCollector("http://127.0.0.1:1", "t")
    with pytest.raises(TransportError) as caught:
        collector.sync(BATCH)
    assert caught.value.fields["kind"] == "unreachable"


def test_the_command_says_by_its_status_how_it_went(place, tmp_path, capsys):
    folder, state = place
    token = tmp_path / "token"
    arguments = ["--log", str(folder), "--state", str(state), "--token-file", str(token), "--once", "--url"]
    assert sync.main([*arguments, "http://127.0.0.1:1"]) == sync.EXIT_REFUSED  # no token file
    token.write_text("sixteen-or-more-characters\n")
    assert sync.main([*arguments, "http://127.0.0.1:1"]) == 2  # no log
    fill(folder, 1)
    assert sync.main([*arguments, "http://127.0.0.1:1"]) == sync.EXIT_AWAY
    assert sync.main([*arguments, "http://example.org"]) == ConfigError.exit_code
    assert sync.main(["--nonsense"]) == 64
    assert "sixteen" not in capsys.readouterr().err


def test_the_agent_can_look_at_the_spool_without_an_http_library():
    import subprocess
    import sys

    code = "import sys, agent.transport.spool, agent.daemon.fleet_sync; sys.exit('urllib3' in sys.modules or 'ssl' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_state_survives_in_one_piece(tmp_path):
    path = tmp_path / "state"
    spool.save_state(path, SpoolState("dev_1", 5, 1, 2, 3, 4, "fork"))
    assert spool.load_state(path) == SpoolState("dev_1", 5, 1, 2, 3, 4, "fork")
    assert spool.load_state(path, "dev_2") == SpoolState("dev_2")
    assert os.listdir(tmp_path) == ["state"]
