"""A hostile user of the laptop moves names about while root acts: nothing outside is touched, nothing is lost."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.actions.giveback import GivenBack
from agent.actions.recovery import recover
from agent.crypto.keys import KeyStore
from agent.errors import HostError, SealError, UsageError
from agent.fsys.asuser import as_user
from agent.model import Decision, Outcome, Result
from tests.acting import Desk, digest

pytestmark = pytest.mark.system
NOBODY = 65534
STRANGER = 4242
SECONDS = 3.0
SECRET = b"somebody else's document\n"
_libc = ctypes.CDLL(None, use_errno=True)


def exchange(left: bytes, right: bytes) -> bool:
    """Swap two names; nothing is ever destroyed by the one who only does this."""
    return _libc.renameat2(-100, left, -100, right, 2) == 0


@contextmanager
def racing(uid: int, pairs: list[tuple[bytes, bytes]]) -> Iterator[list[int]]:
    """A process of ``uid`` that swaps the pairs as fast as it can, until we are done."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            stop = [False]
            signal.signal(signal.SIGTERM, lambda *_: stop.__setitem__(0, True))
            swaps, chance = 0, random.Random(1)
            while not stop[0]:
                swaps += exchange(*pairs[chance.randrange(len(pairs))])
                if not chance.randrange(60):  # now and then an action may come to its end
                    time.sleep(chance.random() * 0.02)
            os.write(write, b"%d" % swaps)
        finally:
            os._exit(0)
    swapped: list[int] = []
    try:
        yield swapped
    finally:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        os.close(write)
        swapped.append(int(os.read(read, 100) or b"0"))
        os.close(read)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that everybody can pass through, on the way to what they own; pytest closes its own to others."""
    with tempfile.TemporaryDirectory(prefix="serment-test-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def owned(path: Path, uid: int) -> Path:
    path.mkdir()
    os.chown(path, uid, uid)
    return path


@pytest.mark.parametrize("decision", [Decision.BLOCK, Decision.ENCRYPT])
def test_names_swapped_under_our_hands(base: Path, decision: Decision) -> None:
    """The judged name, a spare file, a link to a victim, a hard link of the victim, and the folder itself."""
    place, outside = owned(base / "sync", NOBODY), base / "outside"
    outside.mkdir()
    victim = outside / "letter.txt"
    victim.write_bytes(SECRET)
    desk = Desk(place, base / "data", NOBODY)
    wanted: set[str] = set()
    results: dict[Result, int] = {}
    sub, spare = place / "sub", owned(place / "spare", NOBODY)
    owned(sub, NOBODY)
    name, root = os.fsencode(sub / "letter.txt"), os.fsencode(place)

    def deal(number: int) -> None:
        """New files under the names that are free now."""
        for where in ("sub/letter.txt", "spare/other.txt"):
            try:
                fd = os.open(place / where, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            except OSError:
                continue
            content = b"%s %d\n" % (where.encode(), number)
            os.write(fd, content)
            os.fchown(fd, NOBODY, NOBODY)
            os.close(fd)
            wanted.add(digest(content))

    deal(0)
    (spare / "link").symlink_to(victim)
    os.link(victim, spare / "hard")
    (place / "detour").symlink_to(outside)
    pairs = [
        (name, os.fsencode(spare / "other.txt")),
        (name, os.fsencode(spare / "other.txt")),
        (name, os.fsencode(spare / "link")),
        (name, os.fsencode(spare / "hard")),
        (root + b"/sub", root + b"/detour"),
    ]
    turns = 0
    with racing(NOBODY, pairs) as swapped:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            turns += 1
            deal(turns)
            try:
                outcome = desk.act(b"sub/letter.txt", decision)
            except OSError:
                continue  # nothing there to judge just now
            results[outcome.result] = results.get(outcome.result, 0) + 1
    assert swapped[0] > 500, (swapped, turns, results)
    assert results.get(Result.DONE, 0) > 0, results
    recover(desk.store)
    assert victim.read_bytes() == SECRET
    assert os.listdir(outside) == ["letter.txt"]
    missing = wanted - set(desk.contents())
    assert not missing, (len(missing), len(wanted), results)
    left = [found for _, _, names in os.walk(root) for found in names if found.startswith(b".serment")]
    assert not left, (left, results)


def test_hard_link_to_a_stranger_s_file_does_not_give_its_content(base: Path) -> None:
    """Held or sealed by way of a hard link, it still belongs to whom it belonged."""
    place = owned(base / "sync", NOBODY)
    desk = Desk(place, base / "data", NOBODY)
    for decision in (Decision.BLOCK, Decision.ENCRYPT):
        private = base / f"private-{decision}"
        private.write_bytes(SECRET)
        private.chmod(0o600)
        os.chown(private, STRANGER, STRANGER)
        os.link(private, place / "letter.txt")
        outcome = desk.act(b"letter.txt", decision)
        assert outcome.result is Result.DONE
        assert private.read_bytes() == SECRET
        if decision is Decision.ENCRYPT:
            assert set(outcome.recipients) == set(desk.keys.recipients(STRANGER))
            assert desk.keys.recipients(NOBODY)[0] not in outcome.recipients
    (entry,) = desk.store.list()
    assert entry.uid == STRANGER
    assert desk.store.list(NOBODY) == ()
    home = owned(base / "home", NOBODY)
    with pytest.raises(UsageError):
        desk.store.restore(entry.id, NOBODY, os.fsencode(home))


def held(base: Path) -> tuple[Desk, str]:
    desk = Desk(owned(base / "sync", NOBODY), base / "data", NOBODY)
    path = desk.put(b"letter.txt", SECRET)
    os.chown(path, NOBODY, NOBODY)
    os.chmod(path, 0o640)
    outcome: Outcome = desk.act(b"letter.txt", Decision.BLOCK)
    return desk, outcome.held


def test_restored_with_the_rights_of_its_owner(base: Path) -> None:
    desk, document = held(base)
    home, private = owned(base / "home", NOBODY), base / "private"
    private.mkdir(mode=0o755)
    for who in (NOBODY, 0):  # root giving back on somebody's behalf must not be led elsewhere either
        (home / "Documents").symlink_to(private)
        with pytest.raises(HostError, match="permission"):
            desk.store.restore(document, who, os.fsencode(home / "Documents"))
        (home / "Documents").unlink()
    assert os.listdir(private) == []
    given = [desk.store.restore(document, who, os.fsencode(home)) for who in (NOBODY, 0)]
    assert [item.name for item in given] == [b"letter.txt", b"letter (2).txt"]
    for item in given:
        state = os.stat(home / os.fsdecode(item.name))
        assert (state.st_uid, state.st_mode & 0o7777) == (NOBODY, 0o640)
        assert (home / os.fsdecode(item.name)).read_bytes() == SECRET
    assert (os.geteuid(), _libc.setfsuid(-1)) == (0, 0)
    os.close(os.open(base / "data" / "quarantine", os.O_RDONLY))


def test_restored_into_nothing_of_a_stranger_and_nothing_under_guard(base: Path) -> None:
    desk, document = held(base)
    theirs = owned(base / "theirs", STRANGER)
    with pytest.raises(HostError, match="permission"):
        desk.store.restore(document, NOBODY, os.fsencode(theirs))
    with pytest.raises(UsageError, match="under guard"):
        desk.store.restore(document, NOBODY, os.fsencode(desk.place), guarded=[os.fsencode(desk.place)])
    with pytest.raises(UsageError, match="no document"):
        desk.store.restore(document, STRANGER, os.fsencode(theirs))
    for nonsense in ("../../etc", "", "A" * 9, "\0", "content"):
        with pytest.raises(UsageError):
            desk.store.get(nonsense, 0)
    assert desk.store.get(document, 0).state == "held"
    given: GivenBack = desk.store.release(document, NOBODY, "not about a patient")
    assert given.name == b"letter.txt"
    assert os.stat(desk.place / "letter.txt").st_uid == NOBODY


def test_a_clinician_seals_without_root_and_reaches_no_private_key(base: Path) -> None:
    keys = KeyStore(base / "keys")
    wanted = keys.recipients(NOBODY)
    keys.recipients(STRANGER)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            own = KeyStore(base / "keys")
            assert own.recipients(NOBODY) == wanted
            for refused in (
                own.practice_identity,
                lambda: own.identity_for(NOBODY),
                lambda: own.identity_for(STRANGER),
            ):
                with pytest.raises(SealError):
                    refused()
            with pytest.raises(HostError, match="only the agent"):
                own.recipients(12345)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_rights_of_one_thread_only_and_back_after_an_error(base: Path) -> None:
    private = base / "private"
    private.write_bytes(SECRET)
    private.chmod(0o600)
    with pytest.raises(PermissionError), as_user(NOBODY):
        os.open(private, os.O_RDONLY)
    os.close(os.open(private, os.O_RDONLY))
    with pytest.raises(RuntimeError), as_user(NOBODY):
        raise RuntimeError
    os.close(os.open(private, os.O_RDONLY))
