"""A log of version 1 verifies, is taken over and goes on; nothing of it is lost or written anew."""

import pytest

from agent.audit.segments import read, verify_folder
from agent.errors import TamperError
from tests.unit.audit.independent import judged
from tests.unit.audit.logs import TRANSFER, abandon
from tests.unit.audit.old import write_old_log


def test_an_old_log_verifies_as_it_lies(folder):
    write_old_log(folder)
    summary = verify_folder(folder)
    assert (summary.records, summary.sealed, summary.starts) == (20, 0, 1)
    assert judged(folder)["records"] == 20


@pytest.mark.parametrize("stopped", [True, False])
def test_an_old_log_goes_on_under_seals(open_log, folder, stopped):
    publics = write_old_log(folder, stopped=stopped)
    before = (folder / "00000000.slog").read_bytes()
    log = open_log()
    assert log.size == 20
    assert [entry.number for entry in log.open_intents()] == [3]
    assert log.start(version="2") == 20
    log.append("transfer", TRANSFER, durable=True)
    log.close()
    assert (folder / "00000000.slog").read_bytes().startswith(before)
    assert [entry.public for entry in read(folder)][:20] == publics
    assert list(read(folder))[20].fields["clean"] is stopped
    summary = verify_folder(folder)
    assert (summary.records, summary.sealed, summary.sessions) == (23, 23, 1)
    assert judged(folder)["sealed"] == 23
    again = open_log()
    again.start()
    again.close()
    assert verify_folder(folder).records == 25


def test_what_was_written_before_is_under_the_seal_too(open_log, folder):
    write_old_log(folder)
    abandon(open_log())
    path = folder / "00000000.slog"
    data = path.read_bytes()
    from agent.audit import frames

    items, _ = frames.split(data)
    public = items[5].body[2:].replace(b'"n":5', b'"n":6')
    changed = b"".join(
        frames.pack(item.kind, item.body if number != 5 else items[5].body[:2] + public)
        for number, item in enumerate(items)
    )
    path.write_bytes(changed)
    with pytest.raises(TamperError):
        verify_folder(folder)
    assert judged(folder) is None


@pytest.mark.parametrize("size", [0, 300, 900])
def test_an_old_log_that_was_cut_off_is_told_and_goes_on(open_log, folder, size):
    write_old_log(folder)
    path = folder / "00000000.slog"
    path.write_bytes(path.read_bytes()[:size])
    log = open_log()
    log.start()
    log.close()
    assert "truncated" in [entry.fields.get("what") for entry in read(folder)]
    with pytest.raises(TamperError) as caught:
        verify_folder(folder)
    assert caught.value.fields["kind"] == "truncated"
    assert judged(folder) is None


def test_an_empty_old_log(open_log, folder):
    folder.mkdir()
    (folder / "head.json").write_text('{"size":0,"head":"' + "0" * 64 + '","before":"' + "0" * 64 + '"}')
    log = open_log()
    log.start()
    log.close()
    assert verify_folder(folder).sealed == 2
