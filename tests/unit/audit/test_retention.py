"""What is forgotten and when, what a case holds, and that every proof of what is left stays valid."""

import json
import threading
import time

import msgspec
import pytest

from agent.audit import coalesce, holds, private, proof, retention
from agent.audit.holds import Hold
from agent.audit.limits import Limits
from agent.audit.log import AuditLog
from agent.audit.prefix import read_prefix
from agent.audit.private import Vault
from agent.audit.retention import DAY_US, Retention, erase_private, keep_house, purge
from agent.audit.segments import read, segment_numbers, segment_path, verify_folder
from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.errors import ConfigError, HostError, SealError, TamperError, UsageError
from tests.unit.audit.independent import judged, verifier
from tests.unit.audit.logs import TRANSFER

IDENTITY, OTHER = new_identity(KeyKind.X25519), new_identity(KeyKind.X25519)


class Calendar:
    boot = "0badcafe"

    def __init__(self):
        self.us = 20_000 * DAY_US + 5

    def now(self):
        self.us += 1000
        return self.us, 42


@pytest.fixture
def year(folder):
    """A log of six sessions a month apart; yields (log, clock), the last session open."""
    clock = Calendar()
    log = None
    for month in range(6):
        if log is not None:
            log.close()
            clock.us += 30 * DAY_US
        limits = Limits(segment_bytes=4000, flush_after_s=3600)
        log = AuditLog.open(folder, clock, limits=limits, vault=Vault(folder, lambda uid: [recipient_of(IDENTITY)]))
        log.start(version=str(month))
        for number in range(12):
            log.append("transfer", TRANSFER, durable=number % 4 == 0, private={"name": b"Durand.pdf"}, owner=1000)
    log.flush()
    yield log, clock
    log.close()


def test_a_name_is_for_its_owner_and_nobody_else(year, folder):
    entries = [entry for entry in read(folder) if entry.fields["k"] == "transfer"]
    assert private.unseal(folder, entries[0].private, entries[0].number, [IDENTITY]) == {"name": b"Durand.pdf"}
    with pytest.raises(SealError):
        private.unseal(folder, entries[0].private, entries[0].number, [OTHER])
    with pytest.raises(SealError):  # moved to another record
        private.unseal(folder, entries[0].private, entries[1].number, [IDENTITY])
    with pytest.raises(SealError):
        private.unseal(folder, entries[0].private[:-1], entries[0].number, [IDENTITY])
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Durand" not in everything


def test_no_nonce_comes_twice_and_the_older_form_is_read(folder):
    vault = Vault(folder, lambda uid: [recipient_of(IDENTITY)])
    sealed = [vault.seal({"name": b"Durand.pdf"}, 1000, 7, 5 * DAY_US) for _ in range(50)]  # records taken back
    assert len({part[9:13] for part in sealed}) == 50
    key_id, cipher = vault._key(1000, 5)
    nonce = bytes(range(12))
    data = msgspec.msgpack.encode({"name": b"Durand.pdf"})
    old = b"\x01" + key_id + nonce + cipher.encrypt(nonce, data, b"serment-audit" + (7).to_bytes(8, "big"))
    for part in (old, *sealed):
        assert private.unseal(folder, part, 7, [IDENTITY]) == {"name": b"Durand.pdf"}
    with pytest.raises(SealError):
        private.unseal(folder, b"\x02" + old[1:], 7, [IDENTITY])


def test_without_a_key_there_is_no_private_part(folder):
    def none(uid):
        raise SealError("no key")

    log = AuditLog.open(folder, Calendar(), vault=Vault(folder, none))
    log.append("transfer", TRANSFER, private={"name": b"Durand.pdf"})
    log.close()
    assert [entry.private for entry in read(folder)] == [b"", b""]


def test_a_forgotten_day_leaves_every_proof_and_no_name(year, folder):
    log, clock = year
    entries = [entry for entry in read(folder) if entry.fields["k"] == "transfer"]
    proofs = [proof.prove(folder, entry.number) for entry in entries[:12]]
    assert erase_private(log, clock.us - 100 * DAY_US) == 2
    with pytest.raises(SealError):
        private.unseal(folder, entries[0].private, entries[0].number, [IDENTITY])
    last = entries[-1]
    assert private.unseal(folder, last.private, last.number, [IDENTITY])
    for made in [*proofs, *(proof.prove(folder, entry.number) for entry in entries[:12])]:
        assert verifier.check_proof(json.loads(json.dumps(made)))["record"]["k"] == "transfer"
    assert verify_folder(folder).records == log.size
    told = list(read(folder))[-1].fields
    assert (told["k"], told["count"], told["days"]) == ("erasure", 2, 2)
    assert erase_private(log, clock.us - 100 * DAY_US) == 0


def test_purged_records_leave_what_proves_the_others(year, folder):
    log, clock = year
    kept = log.size
    gone = purge(log, clock.us - 50 * DAY_US)
    assert gone > 30
    prefix = read_prefix(folder)
    assert (prefix.size, min(segment_numbers(folder))) == (gone, prefix.segment)
    summary = verify_folder(folder)
    assert (summary.records, summary.purged) == (kept + 1, gone)
    assert judged(folder)["purged"] == gone
    first = next(iter(read(folder))).number
    assert first == gone
    for index in (first, first + 1, first + 17, kept - 1):
        assert verifier.check_proof(json.loads(json.dumps(proof.prove(folder, index))))["record"]["i"] == index
    with pytest.raises(UsageError, match="its time is over"):
        proof.prove(folder, first - 1)
    log.append("transfer", TRANSFER, durable=True)
    assert purge(log, clock.us - 20 * DAY_US) > 0
    assert verify_folder(folder).purged == judged(folder)["purged"] == read_prefix(folder).size
    assert purge(log, clock.us + DAY_US) == 0  # the last session stays


def test_what_a_kill_left_of_a_purge_goes_with_the_next_look(year, folder):
    log, clock = year
    before = {path: path.read_bytes() for path in folder.glob("*.slog")}
    assert purge(log, clock.us - 50 * DAY_US) > 0
    kept = segment_numbers(folder)
    log.close()
    for path, data in before.items():
        if not path.exists():
            path.write_bytes(data)  # killed before it was removed
    (folder / "head.json").unlink()
    log = AuditLog.open(folder, clock)
    log.start()
    assert [entry.fields.get("what") for entry in read(folder) if entry.fields["k"] == "trouble"] == ["head-missing"]
    assert purge(log, clock.us - 50 * DAY_US) == 0
    log.close()
    assert segment_numbers(folder)[: len(kept)] == kept
    assert judged(folder)["intact"]


def test_a_log_goes_on_behind_a_purge(year, folder):
    log, clock = year
    purge(log, clock.us - 50 * DAY_US)
    log.close()
    for spoil in (False, True):
        if spoil:
            (folder / "head.json").unlink()
        log = AuditLog.open(folder, clock)
        log.start()
        log.close()
        assert judged(folder)["intact"]
    assert [entry.fields.get("what") for entry in read(folder)].count("head-missing") == 1


@pytest.mark.parametrize("what", ["prefix", "by hand", "frontier", "no record"])
def test_records_that_went_otherwise_are_missed(year, folder, what):
    log, clock = year
    if what == "by hand":
        segment_path(folder, 0).unlink()
    else:
        purge(log, clock.us - 50 * DAY_US)
        path = folder / "prefix.json"
        table = json.loads(path.read_text())
        if what == "prefix":
            path.unlink()
        elif what == "frontier":
            table["frontier"][0] = "00" * 32
            path.write_text(json.dumps(table))
        else:  # the same once more, by somebody who writes no record of it
            for number in segment_numbers(folder)[:1]:
                segment_path(folder, number).unlink()
    with pytest.raises(TamperError):
        verify_folder(folder)
    assert judged(folder) is None


def test_what_a_case_holds_stays(year, folder):
    log, clock = year
    first = next(iter(read(folder))).fields["t"]
    holds.place(log, Hold("2026-17", first, first + DAY_US), "officer")
    keep_house(log, Retention(182, 30), clock.us + 400 * DAY_US)
    entries = [entry for entry in read(folder) if entry.fields["k"] == "transfer"]
    assert entries[0].number == 1
    assert private.unseal(folder, entries[0].private, 1, [IDENTITY])
    with pytest.raises(SealError):
        private.unseal(folder, entries[-1].private, entries[-1].number, [IDENTITY])
    with pytest.raises(UsageError):
        holds.place(log, Hold("2026-17"), "officer")
    holds.lift(log, "2026-17", "officer")
    with pytest.raises(UsageError):
        holds.lift(log, "2026-17", "officer")
    keep_house(log, Retention(182, 30), clock.us + 400 * DAY_US)
    assert next(iter(read(folder))).number > 1
    assert [entry.fields["state"] for entry in read(folder) if entry.fields["k"] == "hold"] == ["held", "lifted"]
    assert verify_folder(folder).purged


@pytest.mark.parametrize("what", ["file", "record"])
def test_no_record_says_that_a_case_is_held_which_is_not(year, folder, monkeypatch, what):
    log, _clock = year

    def full(*_words: object, **_fields: object) -> None:
        raise OSError(28, "No space left on device") if what == "file" else HostError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(holds, "replace_file", full) if what == "file" else patch.setattr(log, "append", full)
        with pytest.raises(HostError, match="No space left"):
            holds.place(log, Hold("2026-18"), "officer")
    assert holds.read_holds(folder) == ()
    assert "hold" not in [entry.fields["k"] for entry in read(folder)]
    holds.place(log, Hold("2026-18"), "officer")
    assert [each.case for each in holds.read_holds(folder)] == ["2026-18"]


def test_cases_held_at_once_are_all_held_and_none_while_records_go(year, folder, monkeypatch):
    log, clock = year
    write = holds._write

    def slowly(*words):
        time.sleep(0.05)
        write(*words)

    monkeypatch.setattr(holds, "_write", slowly)
    cases = [f"2026-{number}" for number in range(4)]
    threads = [threading.Thread(target=holds.place, args=(log, Hold(case), "officer")) for case in cases]
    late = threading.Thread(target=holds.place, args=(log, Hold("late"), "officer"))

    def while_names_go(*_words):
        late.start()
        time.sleep(0.3)
        assert holds.read_holds(folder) == ()
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(retention, "erase_private", while_names_go)
        keep_house(log, Retention(), clock.us)
    for thread in threads:
        thread.start()
    for thread in (late, *threads):
        thread.join()
    assert sorted(each.case for each in holds.read_holds(folder)) == [*cases, "late"]


def test_holds_that_cannot_be_read_keep_everything(year, folder):
    log, clock = year
    (folder / "holds.json").write_text("[{")
    with pytest.raises(Exception, match="legal holds"):
        keep_house(log, Retention(), clock.us + 4000 * DAY_US)
    assert segment_numbers(folder)[0] == 0
    (folder / "holds.json").unlink()


@pytest.mark.parametrize("days", [(100, 50), (2000, 182), (365, 10), (365, 400)])
def test_times_outside_of_what_is_proportionate_are_refused(days):
    with pytest.raises(ConfigError):
        Retention(*days)


def test_what_was_counted_is_not_lost_when_the_disk_is_full(folder, monkeypatch):
    log = AuditLog.open(folder, Calendar(), limits=Limits(flush_after_s=3600, max_bytes=40_000))
    observed = {**TRANSFER, "decision": "observe"}
    add, asked = log._add, []

    def full(kind, *words):
        if kind in {"coalesced", "trouble"} and asked.count(kind) < 3:
            asked.append(kind)
            raise HostError("no space")
        return add(kind, *words)

    monkeypatch.setattr(log, "_add", full)
    monkeypatch.setattr(coalesce, "MAX_COUNT", 40)
    for _ in range(600):
        log.append("transfer", observed)
    log.close()
    found = [entry.fields for entry in read(folder)]
    told = sum(fields["count"] for fields in found if fields["k"] == "coalesced")
    assert len(asked) == 6
    assert [fields.get("what") for fields in found].count("nearly-full") == 1
    assert told + sum(fields["k"] == "transfer" for fields in found) == 600
    assert found[-1]["k"] == "stop"


def test_a_nearly_full_log_counts_and_tells(folder):
    limits = Limits(flush_after_s=3600, max_bytes=40_000)
    log = AuditLog.open(folder, Calendar(), limits=limits)
    observed = {**TRANSFER, "decision": "observe"}
    for number in range(600):
        log.append("transfer", {**observed, "channel": ("removable", "downloads")[number % 2]})
        if number % 50 == 0:
            log.append("transfer", {**TRANSFER, "act": True, "decision": "block"}, durable=True)
            log.append("transfer", {**TRANSFER, "decision": "block"})
    log.close()
    found = [entry.fields for entry in read(folder)]
    told = [fields for fields in found if fields["k"] == "coalesced"]
    single = [fields for fields in found if fields["k"] == "transfer"]
    assert sum(fields["count"] for fields in told) + len(single) == 600 + 24
    assert sum(group["count"] for fields in told for group in fields["groups"]) == sum(f["count"] for f in told)
    assert sum(fields.get("act") is True for fields in single) == 12
    assert [fields.get("what") for fields in found].count("nearly-full") == 1
    assert 0 < len(told) < 10
    assert sum(path.stat().st_size for path in folder.glob("*.slog")) < 60_000
    assert verify_folder(folder).records == judged(folder)["records"]
