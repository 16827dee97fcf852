"""The kernel's mount table, as values, and which of its mounts are removable volumes. Pure.

The caller hands in the bytes of ``/proc/self/mountinfo`` (proc(5), section 3.5 of the kernel's filesystems/proc) and
what it knows of the block devices; nothing is opened here. Every field is hostile: a volume label becomes a mount
point, a FUSE program chooses its own type and source. What cannot be understood is left out, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

MAX_MOUNTS = 20_000
_ESCAPE = re.compile(rb"\\([0-7]{3})")

#: Kernel file systems that hold no documents of a person, network ones, and images that a system is made of.
_NOT_VOLUMES = frozenset(
    b"autofs bpf binder binfmt_misc cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs erofs fusectl hugetlbfs "
    b"mqueue nsfs overlay proc pstore ramfs rpc_pipefs securityfs selinuxfs squashfs sysfs tmpfs tracefs aufs "
    b"nfs nfs4 cifs smb3 ceph afs 9p virtiofs davfs".split()
)
_SYSTEM_POINTS = frozenset(
    b"/ /home /usr /var /var/lib /var/log /var/cache /tmp /etc /opt /srv /root /bin /lib /sbin /lib64 /media"
    b" /mnt".split()
)
# the agent's own folder: under a guard of its own it would wait for itself. Elsewhere below /var a stick is a stick.
_SYSTEM_TREES = (
    b"/boot", b"/proc", b"/sys", b"/dev", b"/snap", b"/var/lib/snapd", b"/var/lib/serment", b"/usr", b"/etc", b"/efi",
)  # fmt: skip
_DESKTOP_TREES = (b"/media/", b"/run/media/")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of the mount table; paths and words are bytes with the escapes undone."""

    id: int
    parent: int
    device: tuple[int, int]  # major, minor of the super block
    root: bytes  # which folder of the file system
    point: bytes
    options: frozenset[bytes]
    filesystem: bytes
    source: bytes
    super_options: frozenset[bytes]

    @property
    def read_only(self) -> bool:
        return b"ro" in self.options or b"ro" in self.super_options

    @property
    def is_program(self) -> bool:
        """A program's own file system (gvfs, rclone, sshfs, ...): its source is whatever that program says."""
        return self.filesystem == b"fuse" or self.filesystem.startswith(b"fuse.")

    @property
    def is_airlock(self) -> bool:
        """Ours, over a volume: the kernel says that root opened its connection, so no user's program passes for it."""
        return self.filesystem == b"fuse.serment" and self.option(b"user_id") == b"0"

    def option(self, key: bytes) -> bytes | None:
        """The value of ``key=value`` among the file system's options, or None."""
        prefix = key + b"="
        return next((item[len(prefix) :] for item in self.super_options if item.startswith(prefix)), None)


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """What the kernel says of the device behind a mount, through partitions, unlocked LUKS and RAID."""

    removable: bool = False  # it, or a device below it, can be taken away
    loop: bool = False


def unescape(word: bytes) -> bytes:
    """Undo the octal escapes of mountinfo (space, tab, line feed, backslash, #)."""
    return _ESCAPE.sub(lambda match: bytes([int(match.group(1), 8) & 0xFF]), word)


def parse(text: bytes) -> tuple[Mount, ...]:
    """The mounts of a mountinfo text, in its order; lines that break the format are left out."""
    lines = text.split(b"\n", MAX_MOUNTS)[:MAX_MOUNTS]
    return tuple(mount for mount in map(_line, lines) if mount is not None)


def _line(line: bytes) -> Mount | None:
    left, separator, right = line.partition(b" - ")
    before, after = left.split(b" "), right.split(b" ")
    if not separator or len(before) < 6 or len(after) < 3:
        return None
    try:
        major, minor = before[2].split(b":")
        return Mount(
            id=int(before[0]),
            parent=int(before[1]),
            device=(int(major), int(minor)),
            root=unescape(before[3]),
            point=unescape(before[4]),
            options=frozenset(before[5].split(b",")),
            filesystem=unescape(after[0]),
            source=unescape(after[1]),
            super_options=frozenset(after[2].split(b",")),
        )
    except ValueError:
        return None


def visible(mounts: Iterable[Mount]) -> tuple[Mount, ...]:
    """The mounts that a path leads to: of several on one point, the last; through an airlock of ours, the volume."""
    top: dict[bytes, Mount] = {}
    for mount in mounts:
        if mount.is_airlock and mount.point in top:
            continue
        top.pop(mount.point, None)
        top[mount.point] = mount
    return tuple(top.values())


def stack(mounts: Iterable[Mount], point: bytes) -> tuple[Mount | None, Mount | None]:
    """(volume, airlock) at ``point``: the uppermost mount that is no airlock of ours, and ours when it is on top."""
    volume = airlock = None
    for mount in mounts:
        if mount.point == point:
            volume, airlock = (volume, mount) if mount.is_airlock else (mount, None)
    return volume, airlock


def leads_into(mounts: Iterable[Mount], path: bytes) -> Mount | None:
    """The mount that a path without links leads into, as the kernel goes: from the root, always into what covers. None:
    the table does not begin with a root.
    """
    table = tuple(mounts)
    known = {mount.id for mount in table}
    way = [mount for mount in table if (path + b"/").startswith(mount.point.rstrip(b"/") + b"/")]
    at = next(
        (mount for mount in way if mount.point == b"/" and (mount.parent not in known or mount.parent == mount.id)),
        None,
    )
    for _ in way:
        covering = [mount for mount in way if at is not None and mount.parent == at.id != mount.id]
        if not covering:
            break
        at = min(covering, key=lambda mount: len(mount.point))
    return at


def leads_to_person(mounts: Iterable[Mount], path: bytes) -> Mount | None:
    """The mount of a person's own program that a path without links leads into, if any: whoever opens it may wait for
    that program for ever.
    """
    mount = leads_into(mounts, path)
    return mount if mount is not None and mount.is_program and mount.option(b"user_id") != b"0" else None


def may_be_guarded(point: bytes) -> bool:
    """False for the root, the homes' parent and whatever the system itself lives on, whatever a list says."""
    clean = point.rstrip(b"/") or b"/"
    return clean not in _SYSTEM_POINTS and not any(
        clean == tree or clean.startswith(tree + b"/") for tree in _SYSTEM_TREES
    )


def is_removable(mount: Mount, facts: BlockFacts | None, *, listed: bool, by_desktop: bool) -> bool:
    """Whether a mount is a volume that can leave with somebody.

    ``facts`` is None when nothing is known of a device; ``listed``: the configuration names the mount point;
    ``by_desktop``: udisks mounted it. An unknown device counts as removable where desktops mount volumes.
    """
    if not may_be_guarded(mount.point):
        return False
    if listed:
        return True
    if mount.filesystem in _NOT_VOLUMES or (mount.root != b"/" and facts is None):
        return False
    if mount.is_program:
        return False
    if facts is not None:
        return facts.removable or facts.loop
    return by_desktop or mount.point.startswith(_DESKTOP_TREES)


def removable(
    mounts: Iterable[Mount],
    facts_of: Callable[[Mount], BlockFacts | None],
    volumes: Collection[bytes] = (),
    desktop: Collection[bytes] = (),
) -> tuple[Mount, ...]:
    """The visible mounts to guard. ``desktop`` holds the mount points that udisks made (see ``udisks_points``)."""
    return tuple(
        mount
        for mount in visible(mounts)
        if is_removable(mount, facts_of(mount), listed=mount.point in volumes, by_desktop=mount.point in desktop)
    )


def udisks_points(utab: bytes) -> frozenset[bytes]:
    """Mount points that udisks made, from libmount's ``/run/mount/utab`` (``uhelper=udisks2``)."""
    points = set()
    for line in utab.split(b"\n", MAX_MOUNTS)[:MAX_MOUNTS]:
        words = dict(word.split(b"=", 1) for word in line.split(b" ") if b"=" in word)
        if b"uhelper=udisks2" in unescape(words.get(b"OPTS", b"")).split(b",") and b"TARGET" in words:
            points.add(unescape(words[b"TARGET"]))
    return frozenset(points)
