"""Is an opened file in a guarded folder? Exact, and cheap enough to ask about every file that is opened.

Owns descriptors of the guarded folders. A path alone proves nothing: in another mount namespace (a container, a snap,
anybody's ``unshare``) a guarded file has any path one likes. So the mount comes first: on the very mount that the
folder was found on, the kernel's path of the descriptor is the truth; for any other mount the file is taken to that
one by its handle, and asked for its path there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Container, Iterable

from agent.gates.gate.fanotify import State, reopened
from agent.gates.gate.settings import Folder, FolderKind
from agent.gates.gate.walk import open_unasked, walked

_UNREACHABLE = b"(unreachable)"
_MOST_AWAY = 16  # folders that went elsewhere under another name, and stay guarded
_NOT_LOCAL = {0x65735546, 0x6969, 0xFF534D42, 0xFE534D42, 0x01021997, 0x00C36400, 0x5346414F}
"""statfs(2) types of FUSE, NFS, CIFS, SMB2, 9p, Ceph, AFS."""
_libc = ctypes.CDLL(None)


def is_local(fd: int) -> bool:
    """Whether the kernel alone stands behind the file system: another machine or program could hold us up."""
    buffer = ctypes.create_string_buffer(256)
    return bool(_libc.fstatfs(fd, buffer) == 0 and int.from_bytes(buffer.raw[:4], sys.byteorder) not in _NOT_LOCAL)


class Place:
    """A guarded folder with where it is now."""

    __slots__ = ("device", "fd", "folder", "inode", "mount", "prefix", "sync")

    def __init__(self, folder: Folder, fd: int, state: State) -> None:
        """``fd`` is its own from now on: closed when nobody holds the place any more."""
        self.folder = folder
        self.fd = fd
        self.inode = state.inode
        self.mount = state.mount
        self.device = state.device
        self.sync = folder.kind is FolderKind.SYNC
        self.prefix = path_of(fd) + b"/"

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.close(self.fd)


def path_of(fd: int) -> bytes:
    """What the kernel calls it. Raises OSError (ENAMETOOLONG)."""
    return os.readlink(b"/proc/self/fd/%d" % fd)


class Folders:
    """``place_of`` is called by the thread that answers, the rest by whoever changes what is guarded."""

    def __init__(self, folders: Iterable[Folder], before: Folders | None = None) -> None:
        """Folders that are not there are left out: ``missing``. Those of ``before`` that went away under another name,
        or that somebody's program has covered, stay guarded.
        """
        self.wanted = tuple(folders)
        self.places: list[Place] = []
        self.missing: list[Folder] = []
        for folder in self.wanted:
            self._add(folder)
        self.away = self._went(before) if before is not None else []
        self.places += self.away
        self.mounts: dict[int, tuple[Place, ...]] = {}
        self.refresh()
        self.alone = _one_a_file_system(self.mounts)  # mounts of which what is said below cannot be undone elsewhere

    def _add(self, folder: Folder) -> None:
        state = State()
        try:
            fd = open_unasked(folder.root)
        except OSError:
            self.missing.append(folder)
            return
        state.of(fd)
        self.places.append(Place(folder, fd, state))

    def _went(self, before: Folders) -> list[Place]:
        here = {(place.device, place.inode) for place in self.places}
        latest = [*before.away, *(place for place in before.places if place not in before.away)]
        away = [place for place in latest if place.folder in self.wanted and (place.device, place.inode) not in here]
        return [place for place in away if os.fstat(place.fd).st_nlink][-_MOST_AWAY:]

    def named(self) -> tuple[bool, bool]:
        """(whether a guarded folder's name leads to another folder now, whether one leads nowhere)."""
        here = {(place.folder, place.device, place.inode) for place in self.places}
        state, other, nowhere = State(), False, False
        for folder in self.wanted:
            try:
                fd = walked(folder.root, _leaves(self.mounts))[0]
            except OSError:
                fd = -1
            if fd < 0:
                nowhere = True
                continue
            state.of(fd)
            os.close(fd)
            other |= (folder, state.device, state.inode) not in here
        return other, nowhere

    def refresh(self) -> None:
        """Take the folders' present paths: somebody may have moved one, or a folder above it."""
        for place in self.places:
            place.prefix = path_of(place.fd) + b"/"
        # The stricter kind first, then the inner one of two.
        ordered = sorted(self.places, key=lambda place: (not place.sync, -len(place.prefix)))
        self.mounts = {mount: tuple(p for p in ordered if p.mount == mount) for mount in {p.mount for p in ordered}}

    def present(self) -> list[bytes]:
        """Where the folders are at this moment, each with a slash at its end. Raises OSError."""
        return [path_of(place.fd) + b"/" for place in self.places]

    def place_of(self, fd: int, state: State) -> tuple[Place | None, bytes]:
        """(the guarded folder that holds the file, its path); None when there is none. ``state`` is of ``fd``."""
        places = self.mounts.get(state.mount)
        if places is None:
            return self._elsewhere(fd, state)
        try:
            path = os.readlink(b"/proc/self/fd/%d" % fd)
        except OSError:  # a path too long for the kernel to say: nobody needs one
            return places[0], b""
        for place in places:
            if path.startswith(place.prefix) and not _skipped(place, path):
                return place, path
        return None, path

    def _elsewhere(self, fd: int, state: State) -> tuple[Place | None, bytes]:
        """A file that was opened by way of another mount."""
        state.look()
        here = [place for place in self.places if place.device == state.device] or self.places
        if state.links > 1 and here:
            return here[0], b""  # which of its names was opened cannot be known: the stricter answer
        for place in here:
            try:
                again = reopened(fd, place.fd)
            except OSError:
                return place, b""
            try:
                path = path_of(again)
            except OSError:
                return place, b""
            finally:
                os.close(again)
            if not path.startswith(_UNREACHABLE):
                return next(
                    ((found, path) for found in self.mounts[place.mount]
                     if path.startswith(found.prefix) and not _skipped(found, path)),
                    (None, path),
                )  # fmt: skip
        return None, b""

    def close(self) -> None:
        for place in self.places:
            os.close(place.fd)


def _skipped(place: Place, path: bytes) -> bool:
    return place.folder.skip_hidden and path.startswith(b".", len(place.prefix))


def open_outside(path: bytes, folders: Folders, *, held: bool) -> int:
    """An O_PATH descriptor of a folder that lies outside of every guarded one and stays there; -1 when it does not, or
    that is not certain. Raises OSError.

    Without ``held`` it stays there because every folder above it, up to the root of its mount, belongs to root and
    nobody else may write there: neither it nor what it lies in can be renamed into a guarded folder. With ``held`` the
    kernel refuses that for all (``bpf_moves``), and it is enough to lie outside now.
    """
    before = folders.present()
    fd, mount, movable = walked(path, _leaves(folders.mounts))
    try:
        where = path_of(fd) + b"/" if fd >= 0 else b""
        # the paths are the kernel's of one moment each: between two equal looks at the roots nothing has moved them
        outside = where and not any(where.startswith(root) for root in before) and before == folders.present()
    except OSError:
        os.close(fd)
        raise
    if outside and mount in folders.mounts and (not movable or (held and mount in folders.alone)):
        return fd
    if fd >= 0:
        os.close(fd)
    return -1


def _leaves(mounts: Container[int]) -> Callable[[int, int], bool]:
    """Never look for a name in what is mounted on a guarded mount and is not guarded: somebody's own program may stand
    behind it.
    """
    return lambda above, here: above in mounts and here not in mounts


def _one_a_file_system(mounts: Iterable[int]) -> frozenset[int]:
    """Those of the mounts whose file system none of the others is of too: what lies above such a mount's root cannot be
    guarded by way of another one. Empty when that cannot be known.
    """
    wanted, devices = set(mounts), dict[int, bytes]()
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/self/mountinfo", "rb") as file:
        for line in file:
            number, _, device = line.split(b" ", 3)[:3]
            if int(number) in wanted:
                devices[int(number)] = device
    found = list(devices.values())
    if set(devices) != wanted:
        return frozenset()
    return frozenset(mount for mount, device in devices.items() if found.count(device) == 1)
