"""When is a file finished? Time is an argument: nothing here waits."""

import random

import pytest

from agent.channels.settle import (
    CLOSE_GRACE,
    LONGEST_BURST,
    LONGEST_WAIT,
    OWN_QUIET,
    PARTIAL_QUIET,
    QUIET,
    Settling,
    ignored,
)
from agent.model import Cause, ChannelKind

USB, CLOUD, DOWN = ChannelKind.REMOVABLE, ChannelKind.CLOUD_SYNC, ChannelKind.DOWNLOADS
STATE = (10, 1, 1, 7)


def run(settling, start, end, state=lambda _now: STATE, step=0.01):
    """Drive like the watcher does; (when, name, cause) of what was finished."""
    done, now = [], start
    while now < end:
        for name in settling.due(now):
            cause = settling.look(name, state(now), now)
            if cause is not None:
                done.append((now, name, cause))
        now += step
    return done


def test_closed_is_finished_at_once():
    settling = Settling(USB)
    settling.touched(b"a", Cause.WRITTEN, 0.0)
    settling.closed(b"a", Cause.WRITTEN, 0.5)
    ((when, name, cause),) = run(settling, 0.5, 5.0)
    assert (name, cause) == (b"a", Cause.WRITTEN)
    assert 0.5 + CLOSE_GRACE <= when < 0.5 + CLOSE_GRACE + 0.05
    assert len(settling) == 0


def test_a_rename_does_not_wait():
    settling = Settling(USB)
    settling.closed(b"a", Cause.MOVED_IN, 1.0)
    assert settling.due(1.0) == [b"a"]


def test_a_hundred_writes_are_one_event():
    settling = Settling(USB)
    for index in range(100):
        settling.touched(b"a", Cause.WRITTEN, index * 0.001)
        settling.closed(b"a", Cause.WRITTEN, index * 0.001)
    assert len(run(settling, 0.1, 10.0)) == 1


def test_endless_writes_are_reported_now_and_then():
    settling, done, now = Settling(USB), [], 0.0
    while now < 20.0:
        settling.closed(b"a", Cause.WRITTEN, now)
        done += run(settling, now, now + 0.01)
        now += 0.01
    assert len(done) == pytest.approx(20 / LONGEST_BURST, abs=2)


def test_quiet_counts_from_the_last_sign():
    settling = Settling(USB)
    settling.touched(b"a", Cause.WRITTEN, 0.0)
    assert run(settling, 0.0, 1.5) == []
    settling.touched(b"a", Cause.WRITTEN, 1.5)
    ((when, _, _),) = run(settling, 1.5, 9.0)
    assert 1.5 + QUIET <= when < 1.5 + QUIET + 0.2


def test_a_file_that_changes_without_events_is_not_finished():
    settling = Settling(USB)
    settling.touched(b"a", Cause.WRITTEN, 0.0)
    changing = lambda now: (int(min(now, 6.0) * 100), 1, 1, 7)  # noqa: E731 - a mapped file, written until 6.0
    ((when, _, _),) = run(settling, 0.0, 20.0, changing)
    assert when >= 6.0 + QUIET - 0.1


def test_a_file_that_never_rests_is_judged_in_the_end():
    settling = Settling(USB)
    settling.touched(b"a", Cause.WRITTEN, 0.0)
    done = run(settling, 0.0, LONGEST_WAIT + 5, lambda now: (int(now * 100), 1, 1, 7), step=0.5)
    assert done
    assert done[0][0] >= LONGEST_WAIT


def test_gone_or_no_regular_file_is_dropped():
    settling = Settling(USB)
    settling.closed(b"a", Cause.WRITTEN, 0.0)
    assert run(settling, 0.0, 5.0, lambda _now: None) == []
    assert len(settling) == 0


@pytest.mark.parametrize("name", [b"x/report.pdf.part", b"a.crdownload", b"~$letter.docx", b".~lock.a.odt#"])
def test_names_that_say_unfinished(name):
    on_stick, in_cloud = Settling(USB), Settling(CLOUD, "dropbox")
    on_stick.closed(name, Cause.WRITTEN, 0.0)
    in_cloud.closed(name, Cause.WRITTEN, 0.0)
    assert run(on_stick, 0.0, 1.0), "on a stick no name hides a file"
    assert run(in_cloud, 0.0, PARTIAL_QUIET - 1, step=0.1) == []
    assert run(in_cloud, PARTIAL_QUIET - 1, PARTIAL_QUIET + 2, step=0.1), "in the end it is judged"


def test_our_own_temporaries_are_judged_when_they_stay():
    settling = Settling(USB)
    settling.closed(b"d/.serment-1a2b", Cause.WRITTEN, 0.0)
    assert run(settling, 0.0, OWN_QUIET - 0.5, step=0.1) == []
    assert run(settling, OWN_QUIET - 0.5, OWN_QUIET + 1, step=0.1)


@pytest.mark.parametrize(
    ("channel", "service", "name", "expected"),
    [
        (CLOUD, "nextcloud", b".sync_0f.db-wal", True),
        (CLOUD, "nextcloud", b"d/.sync_0f.db", True),
        (CLOUD, "nextcloud", b".nextcloudsync.log", True),
        (CLOUD, "dropbox", b".nextcloudsync.log", False),
        (CLOUD, "dropbox", b".dropbox.cache/a", True),
        (CLOUD, "dropbox", b"d/.dropbox.cache/a", False),
        (CLOUD, "syncthing", b".stversions/a/b", True),
        (CLOUD, "syncthing", b".stfolder", False),
        (CLOUD, "mega", b".debris/2024/a.pdf", True),
        (CLOUD, "folder", b".sync_0f.db", False),
        (USB, "usb", b".sync_0f.db", False),
        (USB, "nextcloud", b".sync_0f.db", False),
        (USB, "dropbox", b".dropbox.cache/a", False),
        (DOWN, "firefox", b"a.pdf.part", True),
        (DOWN, "firefox", b"a.pdf", False),
        (CLOUD, "nextcloud", b".sync_\xff\n.db", True),
        (CLOUD, "nextcloud", b"\xff\xfe.pdf", False),
    ],
)
def test_what_is_ignored(channel, service, name, expected):
    assert ignored(channel, service, name) is expected


def test_the_pending_set_is_bounded():
    settling = Settling(USB, limit=100)
    for index in range(150):
        settling.touched(b"%d" % index, Cause.WRITTEN, 0.0)
    assert len(settling) == 100
    assert settling.overflowed


def test_a_renamed_folder_takes_its_names_along():
    settling = Settling(USB)
    settling.touched(b"a/x", Cause.WRITTEN, 0.0)
    settling.touched(b"ab", Cause.WRITTEN, 0.0)
    settling.forget(b"a/")
    assert [name for _, name, _ in run(settling, 0.0, 5.0)] == [b"ab"]


def test_nothing_is_forgotten_and_the_heap_stays_small():
    """Random signs on a few names: after each last sign there is an event, and the heap does not grow."""
    rng = random.Random(7)
    settling, now, last, done = Settling(USB), 0.0, {}, {}
    for _ in range(20_000):
        now += rng.random() * 0.05
        name = b"%d" % rng.randrange(40)
        (settling.closed if rng.random() < 0.5 else settling.touched)(name, Cause.WRITTEN, now)
        last[name] = now
        done |= {found: when for when, found, _ in run(settling, now, now + 0.001, step=0.001)}
        assert len(settling._heap) < 400
    done |= {found: when for when, found, _ in run(settling, now, now + 10)}
    assert len(settling) == 0
    assert all(done[name] >= when for name, when in last.items())
    assert settling.next_due() is None
