"""The collector signs what it holds, and only that; the laptop keeps what it can check."""

import time
from dataclasses import replace

import pytest

from agent.audit import chain, checkpoint, tree
from agent.audit.head import read_head
from agent.audit.log import AuditLog
from agent.audit.segments import verify_folder
from agent.crypto.signing import FileKey
from agent.errors import HostError, TamperError
from agent.transport import spool, sync, wire
from collector import queries
from collector.ingest.witness import Witness, load_witness
from tests.unit.audit.independent import judged
from tests.unit.collector.laptops import Laptop
from tests.unit.collector.taking import Taking

NAME = "serment-log/" + "0" * 32


@pytest.fixture
def taking(light_store):
    taking = Taking(light_store)
    yield taking
    taking.close()


@pytest.fixture
def send(taking):
    """Send a batch; gives the statement, unpacked, or None."""

    def send(batch, name=NAME):
        reply = taking.send(replace(batch, letterhead=replace(batch.letterhead, log=name)))
        return checkpoint.unpack_cosigned(reply.cosigned) if reply.cosigned else None

    return send


def root_of(laptop, size):
    frontier = []
    tree.extend(
        frontier, [chain.leaf(public, chain.private_hash(private)) for public, private in laptop.publics[:size]]
    )
    return tree.root(frontier)


def test_what_is_stored_is_signed(send):
    laptop = Laptop().fill(20)
    for first, end in ((0, 7), (7, 7), (7, 8), (5, 20)):
        said = send(laptop.batch(first, end))
        size = max(end, 7)
        assert (said.size, said.root) == (size, root_of(laptop, size))
        from agent.crypto.signing import Signed, is_right

        text = checkpoint.cosigned_text(NAME, said.size, said.root, said.time_s)
        assert is_right(Signed(said.key, said.signature, text))


def test_a_laptop_that_was_there_before_is_signed_from_what_is_stored(send):
    laptop = Laptop().fill(9)
    assert send(laptop.batch(0, 4), name="") is None
    assert send(laptop.batch(4, 9)).root == root_of(laptop, 9)


def test_nothing_is_signed_under_another_name(send, taking):
    laptop = Laptop().fill(12)
    assert send(laptop.batch(0, 4)).size == 4
    assert send(laptop.batch(4, 5), name=NAME.replace("0", "1")) is None
    assert [alert.kind for alert in queries.list_alerts(taking.store.engine)] == ["fork"]


def test_what_was_lost_on_the_laptop_stands_in_the_tree_as_lost(send):
    laptop = Laptop("dev_two").fill(12)
    assert send(laptop.batch(0, 3)).size == 3
    frontier = []
    tree.extend(frontier, [chain.leaf(*record) for record in hashed(laptop, 0, 3)])
    tree.extend_lost(frontier, 2)
    tree.extend(frontier, [chain.leaf(*record) for record in hashed(laptop, 5, 9)])
    assert send(laptop.batch(5, 9, missing=3)).root == tree.root(frontier)


def hashed(laptop, first, end):
    return [(public, chain.private_hash(private)) for public, private in laptop.publics[first:end]]


def test_the_key_stays_and_a_damaged_one_is_refused(tmp_path):
    one = load_witness(tmp_path)
    assert load_witness(tmp_path).public == one.public
    assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "witness.key").write_bytes(b"short")
    with pytest.raises(HostError):
        load_witness(tmp_path)


class Direct:
    """A collector without HTTP between. ``lie`` changes what it answers."""

    def __init__(self, taking, witness):
        self.taking, self.witness, self.lie = taking, witness, lambda reply: reply

    def sync(self, batch):
        self.taking.intake._witness = self.witness
        return self.lie(self.taking.send(batch))

    def close(self):
        pass


def brought(folder, state_file, collector):
    return sync.Sync(folder, state_file, collector, spool.load_state(state_file, "dev_test")).run(0)


def test_a_statement_goes_from_the_collector_into_the_log_and_shows_what_is_cut(taking, tmp_path):
    folder, state_file = tmp_path / "audit", tmp_path / "spool.json"
    collector = Direct(taking, Witness(FileKey()))
    log = AuditLog.open(folder, flush_after_s=3600)
    log.start(version="1")
    for _ in range(3):
        log.append("transfer", {"n": 1}, durable=True)
    assert brought(folder, state_file, collector) == sync.EXIT_DONE
    statement = spool.cosignature(state_file)
    assert statement.size == 4
    log.cosigned(statement)
    log.close()
    assert verify_folder(folder, witness=collector.witness.public).cosigned == statement
    assert judged(folder)["records"] == 5
    with pytest.raises(TamperError) as caught:  # another log of the same laptop, and the statement about this one
        verify_folder(folder, witnessed=[statement._replace(size=99)])
    assert caught.value.fields["kind"] == "truncated"


@pytest.mark.parametrize("what", ["signature", "root", "key", "nonsense"])
def test_a_laptop_keeps_no_statement_that_it_cannot_check(taking, tmp_path, what):
    folder, state_file = tmp_path / "audit", tmp_path / "spool.json"
    key = FileKey()
    collector = Direct(taking, Witness(key))
    log = AuditLog.open(folder)
    log.start()
    log.close()
    if what == "key":
        assert brought(folder, state_file, collector) == sync.EXIT_DONE
        collector.witness = Witness(FileKey())

    def lie(reply):
        if what == "key" or not reply.cosigned:
            return reply
        said = checkpoint.unpack_cosigned(reply.cosigned)
        if what == "signature":
            said = said._replace(signature=bytes(64))
        else:
            name = checkpoint.origin(bytes.fromhex(read_head(folder).identity))
            said = said._replace(root=bytes(32))
            said = said._replace(signature=key.sign(checkpoint.cosigned_text(name, said.size, said.root, said.time_s)))
        data = b"nonsense" if what == "nonsense" else checkpoint.pack_cosigned(said)
        return wire.Reply(reply.size, reply.next_s, "", data)

    collector.lie = lie
    code = brought(folder, state_file, collector)
    kept = spool.cosignature(state_file)
    assert code == (sync.EXIT_CONFLICT if what == "root" else sync.EXIT_DONE)
    assert (kept.key if kept else None) == (key.public if what == "key" else None)
    state = spool.load_state(state_file)
    assert state.trouble == ("fork" if what == "root" else "")
    assert (state.retry_at > time.time() + 60) is (what == "root")  # not again at once, for ever
