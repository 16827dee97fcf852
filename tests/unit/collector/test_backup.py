"""Backups: made beside a running collector, sealed, put back whole and verified; and what a damaged one does: nothing."""

import io
import json
import os
import shutil
import subprocess
import tarfile
import time

import msgspec
import pytest
from sqlalchemy import func, select

from agent.audit.segments import verify_folder
from agent.crypto import recipients
from agent.crypto.recipients import KeyKind
from agent.crypto.sealed import seal, unseal
from agent.errors import HostError, SealError, UntrustedInputError, UsageError
from agent.fleet import release
from collector import main
from collector.backup import making, restoring
from collector.enrol.authority import load_authority
from collector.ingest.witness import load_witness
from collector.journal import Journal, note
from collector.serving import take_lock
from collector.store.engine import open_store
from collector.store.tables import acts, events, laptops
from collector.store.writing import writing
from collector.tuf.repository import ServerRepository
from tests import signed_fleet
from tests.unit.collector.laptops import Laptop
from tests.unit.collector.taking import Taking

IDENTITY = recipients.new_identity(KeyKind.X25519)
RECIPIENT = recipients.recipient_of(IDENTITY)
NOW = int(time.time())


@pytest.fixture
def data(tmp_path):
    """A collector's folder with keys, a journal, a policy's file and two laptops' records."""
    folder = tmp_path / "data"
    folder.mkdir()
    store = open_store(folder)
    witness = load_witness(folder)
    load_authority(folder)
    (folder / "token").write_text("a-token-of-more-than-sixteen")
    (folder / "tuf" / "targets" / "policies").mkdir(parents=True)
    (folder / "tuf" / "targets" / "policies" / f"{'0' * 64}.base.yaml").write_text("policy")
    (folder / "lock").write_bytes(b"")
    taking = Taking(store, witness)
    for name in ("dev_one", "dev_two"):
        taking.send(Laptop(name).fill(300).batch())
    taking.close()
    with writing(store.engine) as connection:
        note(connection, "camille", "risk.kept")
    journal = Journal(folder)
    journal.take_over(store)
    journal.close()
    store.close()
    return folder


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "key.txt"
    path.write_text(f"# created: today\n# public key: {RECIPIENT}\n{IDENTITY}\n")
    return path


def run(capsys, *words):
    code = main.main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


def made(data, tmp_path, *to):
    store = open_store(data)
    try:
        making.back_up_whole(store, data, tmp_path / "backup.age", to or (RECIPIENT,), "test")
    finally:
        store.close()
    return tmp_path / "backup.age"


def contents(folder):
    left_out = {"collector.db", "collector.db-wal", "collector.db-shm", "lock"}
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file() and path.name not in left_out}  # fmt: skip


def test_a_backup_is_put_back_whole_and_verified(data, tmp_path, key, capsys):
    before = contents(data)
    backup, new = tmp_path / "backup.age", tmp_path / "new"
    code, out, _ = run(capsys, "backup", backup, "--to", RECIPIENT, "--data", data, "--json")
    assert (code, json.loads(out)["records"], json.loads(out)["bytes"]) == (0, True, backup.stat().st_size)
    assert backup.stat().st_mode & 0o777 == 0o600
    for secret in (b"a-token-of", b"PRIVATE KEY", b"SQLite format", b"dev_one"):
        assert secret not in backup.read_bytes()
    code, out, _ = run(capsys, "restore", backup, "--identity", key, "--data", new, "--json")
    done = json.loads(out)
    assert (code, done["laptops"], done["held"], done["wrong"]) == (0, 2, 600, [])
    assert contents(new) == before
    assert load_witness(new).public == load_witness(data).public
    assert new.stat().st_mode & 0o777 == 0o700 and (new / "witness.key").stat().st_mode & 0o777 == 0o600
    assert verify_folder(new / "journal").records == verify_folder(data / "journal").records
    assert sorted(path.name for path in data.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("odd", [0, 1, 511])
def test_the_database_lies_on_the_disk_once_while_it_is_sealed(data, tmp_path, monkeypatch, odd):
    """And any age and tar program takes it out."""
    copied, room = [], []

    def copy(store, target, real=making._copy):
        real(store, target)
        with target.open("ab") as file:
            file.write(bytes(odd))
        copied.append(target.stat().st_size)

    def sealing(*words, real=making.seal_from):
        held = (
            os.stat(f"/proc/self/fd/{fd}")
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")
        )
        room.append(sum(each.st_size for each in held if each.st_nlink == 0 and each.st_dev == data.stat().st_dev))
        return real(*words)

    monkeypatch.setattr(making, "_copy", copy)
    monkeypatch.setattr(making, "seal_from", sealing)
    backup = made(data, tmp_path)
    assert copied[0] > 100_000 and copied[0] <= room[0] < 1.5 * copied[0]
    with (tmp_path / "plain.tar").open("w+b") as plain, backup.open("rb") as sealed:
        unseal(sealed.fileno(), [IDENTITY], plain.fileno())
    listed = subprocess.run(["tar", "-tf", tmp_path / "plain.tar"], capture_output=True, text=True, check=True)
    assert listed.stdout.split()[0] == "collector.db" and listed.stdout.split()[-1] == "manifest.json"
    assert listed.stderr == ""


def test_whatever_a_file_is_called_it_is_put_back(data, tmp_path):
    names = ["oidc.toml~", "clé CHU.pem", "note du 3 mars.txt", "-x", "a+b.pem", "lost+found/x", "two\nlines",
             "é" * 120, "tuf/" + "deep/" * 20 + "x", os.fsdecode(b"latin-\xe9.pem"), "tuf/manifest.json"]  # fmt: skip
    for name in names:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(f"content of {name}", errors="surrogateescape")
    before = contents(data)
    assert set(names) < set(before)
    for name in (".old/x", ".hidden", "manifest.json"):  # hidden, or what is left of a backup that was opened by hand
        (data / name).parent.mkdir(exist_ok=True)
        (data / name).write_text("x")
    restoring.restore(made(data, tmp_path), [IDENTITY], tmp_path / "new")
    assert contents(tmp_path / "new") == before


def test_what_came_after_the_backup_is_sent_again(data, tmp_path):
    laptop = Laptop("dev_one").fill(300)
    backup = made(data, tmp_path)
    laptop.fill(50)
    restoring.restore(backup, [IDENTITY], tmp_path / "new")
    store = open_store(tmp_path / "new")
    taking = Taking(store, load_witness(tmp_path / "new"))
    refused = taking.send(laptop.batch(340))  # the collector had acknowledged up to there
    assert (refused.why, refused.size) == ("gap", 300)
    assert taking.send(laptop.batch(300)).size == 350
    taking.close()
    with store.engine.connect() as connection:
        assert len(connection.execute(events.select().where(events.c.device == 1)).all()) == 350
    store.close()


def test_what_a_killed_backup_left_goes_with_the_next(data, tmp_path):
    killed = subprocess.Popen(["true"])
    killed.wait()
    left, running = data / f".backup-{killed.pid}.db", data / f".backup-{os.getppid()}.db"
    for path in (left, running):
        path.write_bytes(b"a copy of the database")
    made(data, tmp_path)
    assert not left.exists() and running.exists()


def test_only_its_recipients_open_it(data, tmp_path, capsys):
    other = recipients.new_identity(KeyKind.X25519)
    backup = made(data, tmp_path, RECIPIENT, recipients.recipient_of(other))
    stranger = tmp_path / "stranger"
    stranger.write_text(recipients.new_identity(KeyKind.X25519))
    code, _, said = run(capsys, "restore", backup, "--identity", stranger, "--data", tmp_path / "new")
    assert code != 0 and "Traceback" not in said
    assert not (tmp_path / "new").exists()
    assert restoring.restore(backup, [other], tmp_path / "new").laptops == 2


def test_a_folder_that_is_used_is_left_alone(data, tmp_path, key, capsys):
    backup, before = made(data, tmp_path), contents(data)
    code, _, said = run(capsys, "restore", backup, "--identity", key, "--data", data)
    assert code == 64 and said.startswith("serment-collector: ")
    assert contents(data) == before


@pytest.mark.parametrize("cut", [0.3, 0.9, "flip", "end"])
def test_a_damaged_backup_leaves_nothing_behind(data, tmp_path, cut):
    backup = made(data, tmp_path)
    whole = backup.read_bytes()
    middle = len(whole) // 2
    backup.write_bytes(
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :] if cut == "flip"
        else whole[:-1] if cut == "end" else whole[: int(len(whole) * cut)]
    )  # fmt: skip
    (tmp_path / "new").mkdir()
    with pytest.raises((SealError, UntrustedInputError)):
        restoring.restore(backup, [IDENTITY], tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def forged(tmp_path, members, manifest=None):
    """A backup of somebody who has the recipient, and no good will."""
    plain, target = tmp_path / "plain.tar", tmp_path / "forged.age"
    with tarfile.open(plain, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if manifest is not None:
            content = json.dumps(manifest).encode()
            member = tarfile.TarInfo("manifest.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    source = os.open(plain, os.O_RDONLY)
    written = os.open(target, os.O_RDWR | os.O_CREAT, 0o600)
    seal(source, plain.stat().st_size, b"a.tar", 0, [RECIPIENT], written)
    os.close(source)
    os.close(written)
    return target


def member(name, kind=tarfile.REGTYPE, link=""):
    made_ = tarfile.TarInfo(name)
    made_.type, made_.linkname = kind, link
    return made_


@pytest.mark.parametrize(
    "bad",
    [member("../out"), member("/etc/out"), member("a/../../out"), member(".hidden"), member("a//b"), member("x" * 300),
     member(".."), member("a/.."), member("a/.b/c"), member("a/./b"), member("x/" * 32 + "x"),
     member("link", tarfile.SYMTYPE, "/etc/passwd"), member("hard", tarfile.LNKTYPE, "token"),
     member("device", tarfile.CHRTYPE), member("folder", tarfile.DIRTYPE), member("manifest.json")],
    ids=lambda each: each.name[:20],
)  # fmt: skip
def test_a_forged_backup_writes_nothing_outside_and_leaves_nothing(tmp_path, bad):
    target = forged(tmp_path, [(member("token"), b"x"), (bad, b"")], {"format": 1, "made": NOW, "files": {}})
    with pytest.raises(UntrustedInputError):
        restoring.restore(target, [IDENTITY], tmp_path / "new" / "data")
    assert not (tmp_path / "new" / "data").exists()
    assert not (tmp_path / "out").exists() and not (tmp_path / "new" / "out").exists()


@pytest.mark.parametrize(
    "manifest",
    [None, [], {}, {"format": 1, "made": NOW, "files": {"token": [1, "0" * 64]}}, {"format": 1, "made": NOW, "files": {}},
     {"format": 2, "made": NOW, "files": {"token": [1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}},
     {"format": 1, "made": 10**18, "files": {"token": [1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}},
     {"format": 1, "made": "x", "files": {"token": [1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"]}}],
)  # fmt: skip
def test_files_that_are_not_the_manifests_are_refused(tmp_path, manifest):
    with pytest.raises(UntrustedInputError):
        restoring.restore(forged(tmp_path, [(member("token"), b"x")], manifest), [IDENTITY], tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_log_that_was_changed_in_the_database_is_named(data, tmp_path, key, capsys):
    store = open_store(data)
    with writing(store.engine) as connection:
        connection.exec_driver_sql(
            f"UPDATE events_{store.months()[0]:06d} SET public = x'00' WHERE device = 2 AND idx = 7"
        )
    store.close()
    backup = made(data, tmp_path)
    code, out, said = run(capsys, "restore", backup, "--identity", key, "--data", tmp_path / "new")
    assert code == 1 and "dev_two" in said and "600" in out


def test_a_log_of_which_records_were_taken_away_is_named(data, tmp_path, key, capsys):
    store = open_store(data)
    with writing(store.engine) as connection:
        connection.exec_driver_sql(f"DELETE FROM events_{store.months()[0]:06d} WHERE device = 2 AND idx >= 200")
    store.close()
    code, out, said = run(capsys, "restore", made(data, tmp_path), "--identity", key, "--data", tmp_path / "new")
    assert code == 1 and "dev_two" in said and "500" in out


def test_recipients_and_keys_that_are_none_are_refused(data, tmp_path, capsys):
    code, _, _ = run(capsys, "backup", tmp_path / "b", "--to", "age1nobody", "--data", data)
    assert code != 0 and not (tmp_path / "b").exists()
    assert sorted(path.name for path in data.iterdir() if path.name.startswith(".")) == []
    (tmp_path / "empty").write_text("nothing\n")
    with pytest.raises(UsageError):
        restoring.identities(tmp_path / "empty")
    with pytest.raises(HostError):
        restoring.identities(tmp_path / "missing")
    (tmp_path / "taken").write_text("mine")
    assert run(capsys, "backup", tmp_path / "taken", "--to", RECIPIENT, "--data", data)[0] == 64
    assert (tmp_path / "taken").read_text() == "mine"


def test_an_old_backup_is_told_and_a_fresh_one_is_not(data, tmp_path):
    store = open_store(data)
    assert making.last_made(store) is None  # nothing is a week old yet
    with writing(store.engine) as connection:
        connection.execute(laptops.update().values(first_seen=NOW - making.OLD_S - 9))
    assert making.last_made(store) == 0 and making.is_old(0)
    made(data, tmp_path)
    assert NOW <= making.last_made(store) <= time.time() and not making.is_old(making.last_made(store))
    assert making.is_old(NOW - making.OLD_S - 9)
    with writing(store.engine) as connection:  # a clock that was ahead, for a day
        note(connection, "camille", making.ACT)
        ahead = acts.c.id == connection.execute(select(func.max(acts.c.id))).scalar_one()
        connection.execute(acts.update().where(ahead).values(at=NOW + 10**8))
    assert making.last_made(store) <= time.time()
    store.close()


def test_with_postgresql_the_keys_are_in_it_and_the_records_are_not(postgresql, tmp_path, key, capsys):
    data, database = tmp_path / "data", postgresql()
    data.mkdir()
    public = load_witness(data).public
    code, _, said = run(capsys, "backup", tmp_path / "b.age", "--to", RECIPIENT, "--data", data, "--database", database)
    assert code == 0 and "pg_dump" in said
    code, _, said = run(capsys, "restore", tmp_path / "b.age", "--identity", key, "--data", tmp_path / "new")
    assert code == 0 and "PostgreSQL" in said
    assert load_witness(tmp_path / "new").public == public


def test_laptops_follow_a_restored_collector_at_once_and_when_it_is_restored_again(data, tmp_path, monkeypatch):
    shutil.rmtree(data / "tuf")
    fleet = signed_fleet.SignedFleet(tmp_path / "fleet")
    fleet.root()
    fleet.release(1, signed_fleet.policy("inform"))
    shutil.copytree(fleet.repository.folder, data / "tuf")
    backup = made(data, tmp_path)
    laptop = signed_fleet.Laptop(fleet)
    for hours in (0, 3):  # the second time from the same backup
        for _ in range(8):  # the days of which nothing is left
            fleet.repository.renew()
            fleet.repository.say("rollout", release.ROLLOUT, msgspec.json.encode(fleet.repository.rollout()))
            fleet.repository.say("assign", release.assigned_path("dev_one"), b"{}")
        assert laptop.look().why == ""
        monkeypatch.setattr(time, "time", lambda: NOW + 3600 * hours)
        restoring.restore(backup, [IDENTITY], tmp_path / f"new-{hours}")
        fleet.repository = ServerRepository(tmp_path / f"new-{hours}")
        assert (laptop.look().why, laptop.number) == ("", 1)
    fleet.emergency("usb-01")
    assert laptop.look().emergency is not None


@pytest.mark.parametrize("records", ["restored too", "newer, PostgreSQL's own"])
def test_what_officers_published_after_the_backup_begins_when_it_is_published_again(data, tmp_path, records):
    shutil.rmtree(data / "tuf")
    fleet = signed_fleet.SignedFleet(tmp_path / "fleet")
    fleet.root()
    fleet.release(1, signed_fleet.policy("inform"))
    shutil.copytree(fleet.repository.folder, data / "tuf")
    backup = made(data, tmp_path)
    lost = fleet.release(2, signed_fleet.policy("block"))
    laptop = signed_fleet.Laptop(fleet)
    assert (laptop.look().why, laptop.number) == ("", 2)
    restoring.restore(backup, [IDENTITY], tmp_path / "new")
    fleet.repository = ServerRepository(tmp_path / "new")
    assert laptop.look().why != ""
    if records == "restored too":
        with writing(fleet.engine) as connection:
            connection.execute(acts.delete())
    fleet.publish(lost)
    assert (laptop.look().why, fleet.repository.rollout().release) == ("", 2)
    fleet.release(3, signed_fleet.policy("inform"))
    assert (laptop.look().why, laptop.number) == ("", 3)


def test_no_collector_starts_on_a_backup_that_was_put_back_in_part(data, tmp_path, capsys):
    backup, new = made(data, tmp_path), tmp_path / "new"
    real, taken = restoring._take, []

    def killed(*words):
        taken.append(words)
        return real(*words) if len(taken) < 2 else os._exit(9)

    if (child := os.fork()) == 0:
        restoring._take = killed
        try:
            restoring.restore(backup, [IDENTITY], new)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    code, _, said = run(capsys, "run", "--data", new, "--port", "0")
    assert code == 69 and "cut short" in said and not (new / "witness.key").exists()
    shutil.rmtree(new)
    restoring.restore(backup, [IDENTITY], new)
    os.close(take_lock(new))
