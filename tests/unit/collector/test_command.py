"""The command as its users meet it: a full disk, a pipe that closes, a terminal without French, a database in use."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest
from sqlalchemy import event

from collector import main
from collector.backup import making
from collector.ingest.writer import Writer
from collector.store.base import Change
from collector.store.engine import open_store

LONG_S = 120


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    open_store(folder).close()
    return folder


def command(*words, **more):
    """The real process, with its streams as a shell would give them."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", "from collector.main import entry; entry()", *map(str, words)],
        env=environment | more.pop("env", {}), timeout=LONG_S, stderr=subprocess.PIPE, text=True, check=False, **more,
    )  # fmt: skip


def test_french_on_a_terminal_that_has_none(data):
    done = command("--help", stdout=subprocess.PIPE, env={"PYTHONIOENCODING": "ascii", "LANGUAGE": "fr"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "serment-collector run" in done.stdout


def test_what_cannot_be_written_is_an_error_of_one_line_with_what_to_do(data):
    with open("/dev/full", "w") as full:
        done = command("token", "--pages", "--data", data, stdout=full, env={"LANGUAGE": "en"})
    assert done.returncode == 69
    assert done.stderr.splitlines() == [
        "serment-collector: the system refused: No space left on device",
        "hint: check the path, the rights and the free space",
    ]


def test_a_reader_that_has_gone_is_no_error(data):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as gone:
        done = command("token", "--pages", "--data", data, stdout=gone)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_database_that_cannot_be_written_is_said_and_not_traced(data, capsys, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.setattr("collector.store.engine._SQLITE_SETTINGS", ("journal_mode=WAL", "busy_timeout=50"))
    other = sqlite3.connect(data / "collector.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert main.main(["officer", "add", "camille", "--role", "author", "--data", str(data)]) == 69
    finally:
        other.close()
    said = capsys.readouterr()
    assert said.out == ""
    assert "the collector's database cannot be used (OperationalError)\nhint: " in said.err
    assert "camille" not in said.err


def test_an_error_of_ours_names_its_place_and_nothing_else(data, capsys, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")

    def broken(*_):
        raise KeyError("Vernicourt")

    monkeypatch.setattr("collector.commands.run", broken)
    assert main.main(["fleet", "--data", str(data)]) == 70
    said = capsys.readouterr().err
    assert "an error of ours: KeyError at " in said and "hint: " in said
    assert "Vernicourt" not in said


def test_words_that_are_no_text_are_refused(data, capsys, monkeypatch):
    """A byte that is not UTF-8 arrives as a lone surrogate, which no database keeps."""
    monkeypatch.setenv("LANGUAGE", "en")
    assert main.main(["officer", "close", "cami\udcffe", "--data", str(data)]) == 64
    assert "this is not understood: cami\\udcffe" in capsys.readouterr().err


def test_a_backup_where_there_is_no_folder(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")
    assert main.main(["backup", str(tmp_path / "none" / "b.db"), "--data", str(data)]) == 69
    assert "No such file or directory\nhint: " in capsys.readouterr().err


@pytest.mark.system
def test_a_backup_onto_a_full_volume_leaves_nothing(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)  # noqa: S603, S607
    try:
        assert main.main(["backup", str(small / "b.db"), "--data", str(data)]) == 69
        assert "No space left on device\nhint: " in capsys.readouterr().err
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)  # noqa: S603, S607


def test_a_plain_copy_is_never_for_others_to_read(data, tmp_path):
    """Not even while it is being written, whatever the umask."""
    modes, target = [], tmp_path / "b.db"

    def look(statement):
        if statement.startswith("VACUUM"):
            modes.extend(path.stat().st_mode & 0o777 for path in tmp_path.glob(".b.db.*"))

    before = os.umask(0)
    store = open_store(data)
    try:
        event.listen(store.engine, "checkout", lambda connection, *_: connection.set_trace_callback(look))
        making.back_up(store, target)
    finally:
        store.close()
        os.umask(before)
    assert modes[:1] == [0o600] and target.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(target) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_time_that_records_may_not_be_kept_is_said_at_the_start(data, capsys, monkeypatch):
    """Later nobody would be told, and nothing ever forgotten."""
    monkeypatch.setenv("LANGUAGE", "en")
    assert main.main(["run", "--data", str(data), "--port", "0", "--keep-days", "30"]) == 64
    assert "records are kept from 182 to 1096 days" in capsys.readouterr().err


def test_who_gives_up_waiting_does_not_end_the_writer(data):
    store = open_store(data)
    writer = Writer(store)
    begin, commit = threading.Event(), store.commit
    store.commit = lambda changes: begin.wait(60) and commit(changes)
    try:
        first, second = (writer.submit(_change(store, name)) for name in ("dev_one", "dev_two"))
        first.cancel()
        begin.set()
        assert second.result(60) is True
        assert writer.alive
    finally:
        begin.set()
        writer.close()
        store.close()


def _change(store, name):
    laptop = store.laptop(name, 1, make=True)
    return Change(laptop, laptop.known, (), (), now=1)
