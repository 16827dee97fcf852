"""The watcher on the real kernel: inotify, mounts, overflow, hostile names and folders."""

import ctypes
import errno
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.channels import guard as guarding
from agent.channels import inbox
from agent.channels.watch import Watcher
from agent.fsys.openat import open_folder, open_regular
from agent.model import Cause, ChannelKind, Place
from tests.conftest import HOSTILE_NAMES

pytestmark = pytest.mark.system


class Heard:
    """The sink of a watcher, and waiting for what should arrive in it."""

    def __init__(self):
        self.events, self.troubles, self.overflows = [], [], []

    def sink(self, event):
        self.events.append(event)

    def names(self, cause=None):
        return [event.name for event in tuple(self.events) if cause in {None, event.cause}]

    def wait(self, *names, cause=None, seconds=15):
        deadline = time.monotonic() + seconds
        while missing := set(names) - set(self.names(cause)):
            assert time.monotonic() < deadline, f"never heard of {list(missing)[:20]}, but of {self.names()[:20]}"
            time.sleep(0.02)


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@contextmanager
def watching(heard, *roots, channel=ChannelKind.REMOVABLE, rate=1e6, service="usb"):
    watcher = Watcher(
        heard.sink,
        lambda _place, trouble: heard.troubles.append(trouble.word),
        heard.overflows.append,
        existing_rate=rate,
    )
    places = [Place(channel, os.fsencode(folder), 0, service) for folder in roots]
    try:
        for place in places:
            watcher.add(place)
        assert watcher.wait(20, surveyed=True)
        yield watcher
    finally:
        watcher.stop()
        assert not [thread for thread in threading.enumerate() if thread.name == "guard"]


def test_what_is_there_and_what_comes(heard, root, tmp_path):
    (root / "old/x").mkdir(parents=True)
    (root / "old/x/f").write_text("a")
    with watching(heard, root):
        heard.wait(b"old/x/f", cause=Cause.EXISTING)
        (root / "new").write_text("b")
        heard.wait(b"new", cause=Cause.WRITTEN)
        (root / "old/x/g").write_text("c")
        heard.wait(b"old/x/g", cause=Cause.WRITTEN)
        os.rename(root / "new", root / "renamed")
        heard.wait(b"renamed", cause=Cause.MOVED_IN)
        (tmp_path / "outside").write_text("d")
        os.rename(tmp_path / "outside", root / "moved")
        os.link(root / "renamed", root / "old/hard")
        heard.wait(b"moved", b"old/hard", cause=Cause.MOVED_IN)
        (root / "a/b/c").mkdir(parents=True)
        (root / "a/b/c/deep").write_text("e")
        heard.wait(b"a/b/c/deep")
    assert Counter(heard.names())[b"old/x/f"] == 1
    assert heard.troubles == []


def test_a_folder_moved_in_with_everything_and_renamed(heard, root, tmp_path):
    for index in range(60):
        (tmp_path / f"tree/d{index % 7}/e").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"tree/d{index % 7}/e/f{index}").write_text("x")
    inside = [b"d%d/e/f%d" % (index % 7, index) for index in range(60)]
    with watching(heard, root) as watcher:
        os.rename(tmp_path / "tree", root / "t")
        heard.wait(*[b"t/" + name for name in inside], cause=Cause.MOVED_IN)
        os.rename(root / "t", root / "u")
        heard.wait(*[b"u/" + name for name in inside], cause=Cause.MOVED_IN)
        (root / "u/d1/e/later").write_text("x")
        heard.wait(b"u/d1/e/later")
        os.rename(root / "u", tmp_path / "away")
        (tmp_path / "away/d1/e/outside").write_text("x")
        (root / "last").write_text("x")
        heard.wait(b"last")
        assert len(next(iter(watcher._guards.values()))._watches) == 1, "watches of what is gone were kept"
    assert not [name for name in heard.names() if name.endswith(b"outside")]


@pytest.mark.parametrize("rescan", [False, True])
def test_many_old_folders_moved_in_at_once_are_what_came(heard, root, tmp_path, monkeypatch, rescan):
    """Their files are as old as they were elsewhere: only the move says that they are new here."""
    monkeypatch.setattr(guarding, "CLOCK_SLACK", 0)
    names = [b"p%d/doc" % number for number in range(1200)]
    for name in names:
        path = tmp_path / "aside" / os.fsdecode(name)
        path.parent.mkdir(parents=True)
        path.touch()
    time.sleep(0.05)
    with watching(heard, root, channel=ChannelKind.CLOUD_SYNC, service="nextcloud") as watcher:
        for folder in (tmp_path / "aside").iterdir():
            folder.rename(root / folder.name)
        if rescan:  # another policy, just then
            watcher.rescan()
        heard.wait(*names, cause=Cause.MOVED_IN, seconds=40)
        assert watcher.wait(20, surveyed=True)
    assert heard.names(Cause.EXISTING) == []


def test_another_folder_that_takes_the_name_comes_with_its_files(heard, root, tmp_path, monkeypatch):
    monkeypatch.setattr(guarding, "CLOCK_SLACK", 0)
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/doc").touch()
    time.sleep(0.05)
    with watching(heard, root, channel=ChannelKind.CLOUD_SYNC, service="nextcloud") as watcher:
        root.rename(tmp_path / "aside")
        (tmp_path / "old").rename(root)
        heard.wait(b"doc", cause=Cause.MOVED_IN)
        heard.events.clear()
        watcher.rescan()
        heard.wait(b"doc", cause=Cause.MOVED_IN)


def test_a_hundred_writes_make_one_event_and_a_held_file_one(heard, root):
    with watching(heard, root):
        for index in range(100):
            (root / "burst").write_text(str(index))
        with (root / "held").open("w") as file:
            file.write("never closed")
            file.flush()
            heard.wait(b"burst", b"held")
    assert Counter(heard.names())[b"burst"] <= 2  # a slow machine may pause in between
    assert Counter(heard.names())[b"held"] == 1


def test_other_ways_of_writing(heard, root):
    (root / "shrunk").write_text("long text")
    with watching(heard, root):
        os.truncate(root / "shrunk", 3)
        fd = os.open(root, os.O_TMPFILE | os.O_RDWR)
        os.write(fd, b"x")
        here = os.open(root, os.O_RDONLY)
        os.link(f"/proc/self/fd/{fd}", root / "linked", src_dir_fd=here)  # linkat with AT_SYMLINK_FOLLOW
        os.close(here)
        os.close(fd)
        subprocess.run(["cp", "--sparse=always", "/bin/true", root / "copy"], check=True)
        heard.wait(b"shrunk", b"linked", b"copy", cause=Cause.WRITTEN)


@pytest.mark.parametrize("cause", [Cause.EXISTING, Cause.WRITTEN])
def test_hostile_names_are_carried_as_bytes_and_open(heard, root, cause):
    def write():
        for name in HOSTILE_NAMES:
            os.mkdir(os.fsencode(root) + b"/d" + name[:200])
            for path in (name, b"d" + name[:200] + b"/" + name):
                with open(os.fsencode(root) + b"/" + path, "wb") as file:
                    file.write(b"x")

    expected = {path for name in HOSTILE_NAMES for path in (name, b"d" + name[:200] + b"/" + name)}
    if cause is Cause.EXISTING:
        write()
    with watching(heard, root):
        if cause is Cause.WRITTEN:
            write()
        heard.wait(*expected, cause=cause)
    assert set(heard.names()) == expected
    fd = open_folder(os.fsencode(root))
    for name in heard.names():
        os.close(open_regular(fd, name))
    os.close(fd)


def test_links_devices_and_loops_lead_nowhere(heard, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    (root / "out").symlink_to(outside)
    (root / "self").symlink_to(".")
    (root / "shadow").symlink_to("/etc/shadow")
    os.mkfifo(root / "fifo")
    with watching(heard, root):
        (outside / "secret2").write_text("x")
        (root / "late").symlink_to(outside)
        os.mkfifo(root / "fifo2")
        (root / "real").write_text("x")
        heard.wait(b"real")
        time.sleep(0.2)
    assert heard.names() == [b"real"]


def test_a_deep_tree_is_gone_into_as_far_as_it_can_be(heard, root):
    here = os.open(root, os.O_RDONLY)
    for level in range(200):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
        if level == 50:
            os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    with watching(heard, root):
        heard.wait(b"d/" * 51 + b"f")
    assert "too-deep" in heard.troubles
    subprocess.run(["rm", "-rf", root], check=True)


def test_five_thousand_files_are_all_reported_once(heard, root):
    for index in range(5000):
        folder = root / f"{index % 50}"
        folder.mkdir(exist_ok=True)
        (folder / f"{index}").touch()
    with watching(heard, root):
        heard.wait(*[b"%d/%d" % (index % 50, index) for index in range(5000)])
    assert len(heard.names()) == 5000


def test_events_come_through_while_a_survey_runs(heard, root):
    for index in range(1000):
        (root / f"{index}").touch()
    watcher = Watcher(heard.sink, existing_rate=200.0)
    watcher.add(Place(ChannelKind.REMOVABLE, os.fsencode(root), 0))
    try:
        assert watcher.wait(10)
        (root / "now").write_text("x")
        heard.wait(b"now", cause=Cause.WRITTEN)
        assert len(heard.names(Cause.EXISTING)) < 1000
        assert not watcher.wait(0.0, surveyed=True)
    finally:
        watcher.stop()


def test_two_places_one_inside_the_other(heard, root):
    (root / "inner").mkdir()
    with watching(heard, root, root / "inner") as watcher:
        (root / "inner/a").write_text("x")
        heard.wait(b"inner/a", b"a")
        watcher.remove(Place(ChannelKind.REMOVABLE, os.fsencode(root / "inner"), 0))
        (root / "inner/b").write_text("x")
        heard.wait(b"inner/b")
        time.sleep(0.2)
    assert b"b" not in heard.names()


def test_a_rescan_reports_everything_again(heard, root, monkeypatch):
    monkeypatch.setattr(guarding, "CLOCK_SLACK", 0)
    (root / "old").write_text("x")
    time.sleep(0.05)
    with watching(heard, root) as watcher:
        (root / "new").write_text("x")
        heard.wait(b"new")
        heard.events.clear()
        watcher.rescan()
        heard.wait(b"old", cause=Cause.EXISTING)
        heard.wait(b"new", cause=Cause.WRITTEN)


@contextmanager
def sysctl(name, value):
    path = Path("/proc/sys") / name
    before = path.read_text()
    try:
        path.write_text(str(value))
    except OSError:
        pytest.skip(f"{name} cannot be set here")
    try:
        yield
    finally:
        path.write_text(before)


def test_a_queue_overflow_leads_to_a_rescan_and_nothing_is_missed(heard, root):
    with sysctl("fs/inotify/max_queued_events", 16):
        watcher = Watcher(heard.sink, lambda _p, t: heard.troubles.append(t.word), heard.overflows.append)
        watcher.add(Place(ChannelKind.REMOVABLE, os.fsencode(root), 0))
    try:
        assert watcher.wait(10, surveyed=True)
        subprocess.run(
            ["sh", "-c", "for d in 1 2 3 4 5 6 7 8; do (mkdir $d; for f in $(seq 200); do : > $d/$f; done) & done; wait"],
            cwd=root, check=True,
        )  # fmt: skip
        heard.wait(*[b"%d/%d" % (d, f) for d in range(1, 9) for f in range(1, 201)], cause=Cause.WRITTEN, seconds=40)
        assert heard.overflows, "the queue did not overflow"
        assert "events-lost" in heard.troubles
    finally:
        watcher.stop()


def test_our_own_queue_is_bounded_too(heard, root, monkeypatch):
    """The sink is stuck; what the queue cannot hold is found by a rescan."""
    monkeypatch.setattr(inbox, "MAX_EVENTS", 20)
    stuck = threading.Event()

    def sink(event):
        stuck.wait(20)
        heard.sink(event)

    watcher = Watcher(sink, on_overflow=heard.overflows.append)
    watcher.add(Place(ChannelKind.REMOVABLE, os.fsencode(root), 0))
    try:
        assert watcher.wait(10, surveyed=True)
        for index in range(200):
            (root / f"{index}").write_text("x")
            time.sleep(0.001)
        guard = next(iter(watcher._guards.values()))
        assert len(guard._inbox) <= 20
        stuck.set()
        heard.wait(*[b"%d" % index for index in range(200)])
        assert heard.overflows
    finally:
        stuck.set()
        watcher.stop()


POLLED = """
import os, sys, time
from pathlib import Path
from agent.channels import guard
from agent.channels.watch import Watcher
from agent.model import ChannelKind, Place
guard.POLL_EVERY = 0.5
root, names = Path(sys.argv[1]), set()
watcher = Watcher(lambda event: names.add(event.name))
watcher.add(Place(ChannelKind.REMOVABLE, os.fsencode(root), 0))
assert watcher.wait(20, surveyed=True)
print(*[trouble.word for _, trouble in watcher.troubles()])
for index in range(40):
    (root / f"d{index}/f").write_text("x")
deadline = time.monotonic() + 20
while len(names) < 40 and time.monotonic() < deadline:
    time.sleep(0.05)
print(len(names))
watcher.stop()
"""


def test_the_limit_of_watches_leads_to_polling(root):
    """In a user namespace with a limit of its own: the real one is everybody's."""
    for index in range(40):
        (root / f"d{index}").mkdir()
    inside = f'echo 12 > /proc/sys/user/max_inotify_watches && exec "{sys.executable}" -c "$0" "$1"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", inside, POLLED, str(root)]
    if subprocess.run([*command[:3], "true"], check=False, capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=90)
    assert done.stdout.split() == ["watch-limit", "40"]


def test_a_folder_that_cannot_be_listed_is_said(heard, root, monkeypatch):
    """A damaged stick, no more descriptors: what lies there was not looked at."""
    (root / "damaged").mkdir()
    number, scandir = (root / "damaged").stat().st_ino, os.scandir

    def damaged(folder):
        if isinstance(folder, int) and os.fstat(folder).st_ino == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", damaged)
    with watching(heard, root) as watcher:
        assert [trouble.word for _, trouble in watcher.troubles()] == ["unreadable-folder"]


def test_the_limit_reached_while_files_are_still_reported_leads_to_polling_too(heard, root, monkeypatch):
    monkeypatch.setattr(guarding, "POLL_EVERY", 0.3)
    add = guarding.Watches.add

    def no_more(watches, fd, name):
        if name == b"late":
            raise guarding.WatchLimit
        add(watches, fd, name)

    monkeypatch.setattr(guarding.Watches, "add", no_more)
    for index in range(200):
        (root / f"{index}").touch()
    watcher = Watcher(heard.sink, existing_rate=200)
    watcher.add(Place(ChannelKind.CLOUD_SYNC, os.fsencode(root), 0))
    try:
        assert watcher.wait(10)
        (root / "late").mkdir()
        assert watcher.wait(20, surveyed=True)
        assert [trouble.word for _, trouble in watcher.troubles()] == ["watch-limit"]
        next(iter(watcher._guards.values()))._rate = 1e6
        time.sleep(0.5)
        (root / "late/doc").write_text("x")
        heard.wait(b"late/doc")
    finally:
        watcher.stop()


def test_a_mount_inside_is_not_entered(heard, root, tmp_path):
    (root / "inner").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "none", root / "inner"], check=True)
    try:
        (root / "inner/a").write_text("x")
        with watching(heard, root):
            (root / "inner/b").write_text("x")
            (root / "c").write_text("x")
            heard.wait(b"c")
            time.sleep(0.2)
            assert heard.names() == [b"c"]
            assert "nested-mount" in heard.troubles
    finally:
        subprocess.run(["umount", root / "inner"], check=True)


def test_a_guarded_volume_can_be_unmounted_and_its_mount_point_is_not_guarded_instead(heard, root, monkeypatch):
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    subprocess.run(["mount", "-t", "tmpfs", "none", root], check=True)
    mounted = True
    try:
        (root / "d").mkdir()
        (root / "d/f").write_text("x")
        with watching(heard, root) as watcher:
            heard.wait(b"d/f")
            subprocess.run(["umount", root], check=True)  # «target is busy» if anything were open
            mounted = False
            (root / "on-the-disk").write_text("x")
            time.sleep(1.0)
            assert [trouble.word for _, trouble in watcher.troubles()] == ["folder-gone"]
        assert heard.names() == [b"d/f"]
    finally:
        if mounted:
            subprocess.run(["umount", "-l", root], check=False)


@pytest.mark.parametrize("how", ["delete", "rename"])
def test_a_folder_that_goes_and_comes_back(heard, root, tmp_path, monkeypatch, how):
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    with watching(heard, root, channel=ChannelKind.CLOUD_SYNC, service="nextcloud") as watcher:
        root.rmdir() if how == "delete" else root.rename(tmp_path / "aside")
        deadline = time.monotonic() + 10
        while not watcher.troubles() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [trouble.word for _, trouble in watcher.troubles()] == ["folder-gone"]
        root.mkdir()
        (root / "a").write_text("x")
        heard.wait(b"a", cause=Cause.WRITTEN)
        (root / "b").write_text("x")
        heard.wait(b"b", cause=Cause.WRITTEN)
        assert watcher.troubles() == ()


def test_a_folder_whose_parent_was_exchanged(heard, tmp_path, monkeypatch):
    """No event tells: the guarded folder's own name did not change."""
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    monkeypatch.setattr(guarding, "CHECK_EVERY", 0.3)
    (tmp_path / "home/sync").mkdir(parents=True)
    with watching(heard, tmp_path / "home/sync", channel=ChannelKind.CLOUD_SYNC):
        os.rename(tmp_path / "home", tmp_path / "old")
        (tmp_path / "home/sync").mkdir(parents=True)
        (tmp_path / "home/sync/a").write_text("x")
        heard.wait(b"a", cause=Cause.WRITTEN)


def test_a_volume_that_comes_back_on_another_device(heard, root, monkeypatch):
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    mount = ["mount", "-t", "tmpfs", "none", root]
    subprocess.run(mount, check=True)
    try:
        with watching(heard, root):
            subprocess.run(["umount", root], check=True)
            subprocess.run(mount, check=True)
            (root / "a").write_text("x")
            heard.wait(b"a", cause=Cause.WRITTEN)
    finally:
        subprocess.run(["umount", "-l", root], check=False)


def test_a_folder_swapped_for_a_link_is_not_followed(heard, root, tmp_path):
    """The guarded folder itself becomes a link to a folder of somebody else."""
    outside = tmp_path / "outside"
    outside.mkdir()
    with watching(heard, root) as watcher:
        root.rmdir()
        root.symlink_to(outside)
        (outside / "secret").write_text("x")
        watcher.rescan()
        time.sleep(0.5)
    assert heard.names() == []


def test_folders_that_are_swapped_while_they_are_walked(heard, root, tmp_path):
    """A hostile user exchanges a folder and a link to elsewhere as fast as they can: no name from elsewhere comes."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for index in range(50):
        (outside / f"secret{index}").touch()
    (root / "a").mkdir()
    (root / "b").symlink_to(outside)
    stop = threading.Event()
    libc = ctypes.CDLL(None, use_errno=True)

    def swap():
        one, two = os.fsencode(root / "a"), os.fsencode(root / "b")
        while not stop.is_set():
            libc.renameat2(-100, one, -100, two, 2)  # RENAME_EXCHANGE
            time.sleep(0.0005)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        with watching(heard, root) as watcher:
            for _ in range(20):
                watcher.rescan()
                time.sleep(0.05)
    finally:
        stop.set()
        thread.join()
    assert [name for name in heard.names() if b"secret" in name] == []


def test_a_sink_that_fails_does_not_end_the_guard(heard, root, monkeypatch):
    monkeypatch.setattr(guarding, "RETRY_EVERY", 0.3)
    failed = []

    def sink(event):
        if not failed:
            failed.append(event)
            raise RuntimeError
        heard.sink(event)

    watcher = Watcher(sink)
    watcher.add(Place(ChannelKind.REMOVABLE, os.fsencode(root), 0))
    try:
        assert watcher.wait(10, surveyed=True)
        (root / "a").write_text("x")
        heard.wait(b"a")
    finally:
        watcher.stop()


def test_idle_means_no_work_at_all(heard, root):
    for index in range(200):
        (root / f"{index}").touch()
    with watching(heard, root):
        time.sleep(0.3)
        before = time.process_time()
        time.sleep(1.0)
        assert time.process_time() - before < 0.05
