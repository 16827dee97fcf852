"""The cloud-sync and download channels: the search in a child, the check of its answer, when it is repeated."""

import errno
import os
import pwd
import select
import stat
import threading
from dataclasses import replace

import pytest

from agent.channels import people as listing
from agent.channels import searches
from agent.channels.cloud_sync import CloudSyncChannel, cloud_service
from agent.channels.discover.reading import Found
from agent.channels.discovery import discover_for
from agent.channels.downloads import DownloadsChannel
from agent.channels.folders import MAX_PLACES, real_path
from agent.channels.mounts import parse
from agent.channels.people import Person, people, uid_of
from agent.channels.watch import Watcher
from agent.errors import HostError
from agent.model import ChannelKind, Place, Strength


@pytest.fixture
def person(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return Person(os.getuid(), os.getgid(), "alma", os.fsencode(home))


def answering(*found):
    return lambda _uid, _gid, _home, _what: list(found)


def words(channel):
    return [trouble.word for trouble in channel.troubles()]


def test_the_real_child_finds_and_the_channel_guards(person, tmp_path):
    home = tmp_path / "home"
    (home / ".config/Nextcloud").mkdir(parents=True)
    (home / "Nextcloud").mkdir()
    (home / "Link").symlink_to(home / "Nextcloud")
    (home / ".config/Nextcloud/nextcloud.cfg").write_text(f"[Accounts]\n0\\Folders\\1\\localPath={home}/Link/\n")
    channel = CloudSyncChannel([person])
    (place,) = channel.places()
    assert (place.channel, place.root, place.owner) == (
        ChannelKind.CLOUD_SYNC,
        os.fsencode(home / "Nextcloud"),
        person.uid,
    )
    assert (place.service, place.strength, place.mechanism) == ("nextcloud", Strength.AFTER_WRITE, "watch")
    assert place.reason
    assert channel.troubles() == ()
    channel.close()


def test_downloads(person, tmp_path):
    (tmp_path / "home/Downloads").mkdir()
    channel = DownloadsChannel([person], [os.fsencode(tmp_path / "home/Downloads/")])
    (place,) = channel.places()
    assert (place.channel, place.service) == (ChannelKind.DOWNLOADS, "folder")
    channel.close()


def test_configured_folders(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "ours").symlink_to(tmp_path / "a")
    folders = [os.fsencode(tmp_path / name) for name in ("a", "ours", "missing", "file")]
    channel = CloudSyncChannel([], folders, discover=False)
    assert [place.root for place in channel.places()] == [os.fsencode(tmp_path / "a")]
    assert words(channel) == ["folder-missing", "folder-missing"]
    channel.close()


def test_what_the_child_says_is_checked(person, tmp_path):
    (tmp_path / "home/in").mkdir()
    (tmp_path / "home/link").symlink_to("/etc")
    found = [
        Found("nextcloud", person.home + b"/in"),
        Found("dropbox", person.home + b"/in"),
        Found("dropbox", person.home + b"/link"),
        Found("dropbox", person.home + b"/gone"),
        Found("mega", problem="not-stated"),
    ]
    channel = CloudSyncChannel([person], search=answering(*found))
    (place,) = channel.places()
    assert (place.root, place.service, place.host) == (person.home + b"/in", "nextcloud", "")  # two programs, two hosts
    assert words(channel) == ["folder-refused", "folders-not-stated"]
    channel.close()


@pytest.mark.parametrize(
    ("said", "host"),
    [
        ("https://cloud.example.org/nextcloud", "cloud.example.org"), ("https://u:p@Cloud.Example.org:8443", "cloud.example.org"),
        ("cloud.example.org", "cloud.example.org"), ("https://cloud.example.org.", "cloud.example.org"),
        ("", ""), ("https://", ""), ("localhost", ""), ("https://[::1]/", ""), ("https://[broken", ""),
        ("https://clo\u0443d.example.org", ""), ("https://a\nb.example.org/ c", ""), ("x" * 5000 + ".org", ""),
        ("file:///etc/passwd", ""), ("https://../..", ""),
    ],
)  # fmt: skip
def test_only_a_host_is_a_host(said, host):
    from agent.channels.hosts import host_of

    assert host_of(said) == host


def test_a_service_has_its_host_and_a_place_of_ones_own_has_none(person, tmp_path):
    for name in ("dropbox", "onedrive", "nextcloud"):
        (tmp_path / "home" / name).mkdir()
    found = [
        Found("dropbox", person.home + b"/dropbox"), Found("onedrive", person.home + b"/onedrive"),
        Found("nextcloud", person.home + b"/nextcloud", host="cloud.example.org"),
    ]  # fmt: skip
    channel = CloudSyncChannel([person], search=answering(*found))
    hosts = {place.service: place.host for place in channel.places()}
    assert hosts == {"dropbox": "dropbox.com", "onedrive": "", "nextcloud": "cloud.example.org"}
    channel.close()


@pytest.mark.system
def test_a_folder_of_somebody_else_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    person = Person(12345, 12345, "alma", os.fsencode(home))
    theirs = os.fsencode(tmp_path / "theirs")
    os.mkdir(theirs)
    os.chown(theirs, 12345, 12345)
    found = (Found("rclone", b"/etc"), Found("rclone", b"/"), Found("rclone", theirs))
    channel = CloudSyncChannel([person], search=answering(*found))
    assert [place.root for place in channel.places()] == [theirs]
    assert words(channel) == ["folder-refused", "folder-refused"]
    channel.close()


@pytest.mark.system
def test_the_child_has_no_rights_but_the_users(tmp_path):
    """Run by root for uid 12345: a file of root's is not read, whatever a link says."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    home = tmp_path / "home"
    (home / ".config/onedrive").mkdir(parents=True)
    secret = tmp_path / "secret"
    secret.write_text('sync_dir = "/srv/secret"\n')
    secret.chmod(0o600)
    (home / ".config/onedrive/config").symlink_to(secret)
    assert discover_for(12345, 12345, os.fsencode(home), "cloud") == []
    secret.chmod(0o644)
    assert discover_for(12345, 12345, os.fsencode(home), "cloud") == [Found("onedrive", b"/srv/secret")]


def test_a_child_that_hangs_is_killed(person, tmp_path, monkeypatch):
    """A stand-in for the interpreter that never answers."""
    program = tmp_path / "sleeper"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(HostError):
        discover_for(person.uid, person.gid, person.home, "cloud", time_limit=1.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    "answer",
    [
        "no json",
        '["nextcloud", "zz", "", ""]',
        '["nextcloud", "", "", ""]',
        '["nextcloud", "61", "", ""]',
        '["a b", "2f61", "", ""]',
        '["x", "2f6100", "", ""]',
        '["x", "2f61", "other", ""]',
        '["x", "2f61", ""]',
        "[1]",
        "[" * 5000,
    ],
)
def test_a_child_that_talks_nonsense_is_not_believed(person, tmp_path, monkeypatch, answer):
    (tmp_path / "answer").write_text(answer + "\n")
    program = tmp_path / "liar"
    program.write_text(f"#!/bin/sh\ncat {tmp_path}/answer\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(HostError):
        discover_for(person.uid, person.gid, person.home, "cloud")


def test_a_child_that_says_too_much(person, tmp_path, monkeypatch):
    program = tmp_path / "flood"
    program.write_text("#!/bin/sh\nexec yes\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(program))
    with pytest.raises(HostError, match="too much output"):
        discover_for(person.uid, person.gid, person.home, "cloud")


def test_a_failed_search_is_said_and_what_was_known_stays(person, tmp_path, monkeypatch):
    (tmp_path / "home/in").mkdir()
    answers = [lambda: [Found("dropbox", person.home + b"/in")], lambda: (_ for _ in ()).throw(HostError("down"))]
    now = [0.0]
    channel = CloudSyncChannel([person], search=lambda *_: answers.pop(0)())
    assert len(channel.places()) == 1
    assert channel.troubles() == ()
    channel._discovered._clock = lambda: now[0] + 1e9
    channel.places()
    poll = select.poll()
    poll.register(channel.descriptors()[0], select.POLLIN)
    assert poll.poll(5000), "the eventfd tells"
    channel.drain()
    channel._discovered._clock = lambda: 0.0
    assert len(channel.places()) == 1
    assert words(channel) == ["discovery-failed"]
    channel.close()


def test_the_search_is_repeated_only_when_needed(person, tmp_path):
    now, runs, ran = [100.0], [], threading.Event()

    def search(*_):
        runs.append(1)
        ran.set()
        return []

    discovered = searches.Discovered([person], "cloud", search, lambda: now[0])
    discovered.results()
    for _ in range(20):
        now[0] += 1
        discovered.results()
    assert len(runs) == 1
    (tmp_path / "home/.dropbox").mkdir()
    (tmp_path / "home/.dropbox/info.json").write_text("{}")
    ran.clear()
    now[0] += searches.SEARCH_AT_MOST_EVERY
    discovered.results()
    assert ran.wait(5)
    ran.clear()
    now[0] += searches.SEARCH_EVERY + 1
    discovered.results()
    assert ran.wait(5)
    assert len(runs) == 3
    discovered.close()


def test_the_look_at_the_times_follows_no_link_and_never_blocks(person, tmp_path):
    (tmp_path / "home/.dropbox").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "home/.ccnet")
    assert set(searches._fingerprint(person, "cloud")) == {(0, 0)}


def test_links_are_resolved_when_trusted(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "l").symlink_to("a")
    (tmp_path / "m").symlink_to(tmp_path / "l/../l/b")
    (tmp_path / "loop").symlink_to("loop")
    assert real_path(os.fsencode(tmp_path / "m"), [os.getuid()]) == os.fsencode(tmp_path / "a/b")
    with pytest.raises(OSError):
        real_path(os.fsencode(tmp_path / "loop"), [os.getuid()])
    with pytest.raises(OSError):
        real_path(os.fsencode(tmp_path / "none"), [])


@pytest.mark.system
def test_somebody_elses_link_is_not_followed(tmp_path):
    (tmp_path / "l").symlink_to("/etc")
    os.lchown(tmp_path / "l", 12345, 12345)
    with pytest.raises(PermissionError):
        real_path(os.fsencode(tmp_path / "l"), [])
    assert real_path(os.fsencode(tmp_path / "l"), [12345]) == b"/etc"


@pytest.mark.parametrize(
    ("line", "service"),
    [
        (b"1 1 0:50 / /home/a/Drive rw - fuse.rclone drive: rw,user_id=1000", "rclone"),
        (b"1 1 0:50 / /home/a/pCloudDrive rw - fuse pCloud.fs rw,user_id=1000", "pcloud"),
        (b"1 1 0:50 / /home/a/dav rw - fuse https://dav.example/ rw,user_id=1000", "webdav"),
        (b"1 1 0:50 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw,user_id=1000", ""),
        (b"1 1 8:1 / /x rw - ext4 pCloud.fs rw", ""),
    ],
)
def test_mounted_cloud_storage(line, service):
    (mount,) = parse(line)
    assert cloud_service(mount) == service


def test_people():
    everybody = people()
    assert len({person.uid for person in everybody}) == len(everybody)
    assert all(stat.S_ISDIR(os.stat(person.home).st_mode) for person in everybody)
    assert os.getuid() == 0 or os.getuid() in {person.uid for person in everybody}
    assert [person.uid for person in people(["root"])] == [0]
    assert people(["nobody-of-that-name", "a\0b"]) == []
    assert uid_of("root") == 0
    assert uid_of("nobody-of-that-name") is None


@pytest.mark.parametrize("uid", [1000, 60001, 200_000, 1_104_601_234])
def test_a_person_of_a_directory_is_a_person(monkeypatch, tmp_path, uid):
    """Who is logged in from a directory is not listed, and has the number that the directory gives."""
    entries = {
        number: pwd.struct_passwd((f"u{number}", "x", number, number, "", str(tmp_path), "/bin/bash"))
        for number in (uid, 120, 65534, 65535, 2**32 - 2)
    }
    monkeypatch.setattr(listing, "_present", lambda: list(entries))
    monkeypatch.setattr(pwd, "getpwall", list)
    monkeypatch.setattr(pwd, "getpwuid", entries.__getitem__)
    monkeypatch.setattr(listing, "_invoker", list)
    assert [person.uid for person in people()] == [uid]


def test_a_home_that_shows_itself_to_its_owner_alone_is_a_home(monkeypatch, tmp_path):
    """An encrypted home by FUSE answers root EACCES."""
    entry = pwd.struct_passwd(("alma", "x", 1000, 1000, "", str(tmp_path / "alma"), "/bin/bash"))
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: entry)
    look = os.stat

    def closed(path, *more, **options):
        if path == os.fsencode(tmp_path / "alma"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return look(path, *more, **options)

    assert people(["alma"]) == []
    monkeypatch.setattr(os, "stat", closed)
    (person,) = people(["alma"])
    channel = CloudSyncChannel([person], search=answering(Found("nextcloud", person.home + b"/sync")))
    assert channel.places() == ()
    channel.close()


def test_one_person_cannot_use_up_the_agents_threads(person, tmp_path):
    """Each place is a thread: settings that name hundreds of folders would end the agent."""
    found = [Found("nextcloud", person.home + b"/%d" % number) for number in range(200)]
    for item in found:
        os.mkdir(item.path)
    ours = [os.fsencode(tmp_path / f"ours{number}") for number in range(200)]
    for path in ours:
        os.mkdir(path)
    alma = replace(person, uid=12345)
    channel = CloudSyncChannel([alma], ours, search=answering(*found))
    places = channel.places()
    assert len(places) == 200 + MAX_PLACES
    assert set(ours) < {place.root for place in places}
    assert words(channel) == ["too-many-folders"]
    channel.close()


def test_no_thread_for_a_place_is_said_and_ends_nothing(person, monkeypatch):
    def none_left(_thread):
        raise RuntimeError("can't start new thread")

    place = Place(ChannelKind.CLOUD_SYNC, person.home, person.uid)
    watcher = Watcher(lambda _event: None)
    with monkeypatch.context() as context:
        context.setattr(threading.Thread, "start", none_left)
        with pytest.raises(HostError):
            watcher.add(place)
        channel = CloudSyncChannel([person], search=answering())
        assert channel.places() == ()
        channel.close()
    assert watcher.places() == ()
    watcher.add(place)
    assert watcher.wait(10)
    watcher.stop()


@pytest.mark.system
def test_a_sync_folder_behind_a_program_that_hangs_holds_nobody_up(person, tmp_path, silent):
    """Its network is gone, or it means ill: who looks for folders is the agent's main loop."""
    alma, drive = replace(person, uid=12345), person.home + b"/Drive"
    os.mkdir(drive)
    os.mkdir(tmp_path / "hers")
    silent(drive, 12345)
    silent(os.fsencode(tmp_path / "hers"), 12346)
    found = [
        Found("nextcloud", drive),
        Found("nextcloud", drive + b"/below"),
        Found("nextcloud", os.fsencode(tmp_path / "hers")),
    ]
    channel, places = CloudSyncChannel([alma], search=answering(*found)), []
    asking = threading.Thread(target=lambda: places.extend(channel.places()), daemon=True)
    asking.start()
    asking.join(5)
    assert not asking.is_alive(), "it waits for the program"
    assert [place.root for place in places] == [drive, drive + b"/below"]
    assert words(channel) == ["folder-refused"]
    channel.close()


@pytest.mark.system
def test_a_home_behind_a_program_that_hangs_holds_nobody_up(person, silent):
    silent(person.home, 12345)
    looked = []
    looking = threading.Thread(target=lambda: looked.append(searches._fingerprint(person, "cloud")), daemon=True)
    looking.start()
    looking.join(5)
    assert looked == [()]
