"""The mount table: parsing, escapes, and which mounts are removable volumes."""

from agent.channels import mounts
from agent.channels.mounts import BlockFacts, Mount

TABLE = rb"""22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
60 27 8:17 / /media/alma/CL\303\211\040USB rw,nosuid,nodev,relatime shared:9 - vfat /dev/sdb1 rw,uid=1001,gid=1001
61 27 8:18 / /media/alma/a\012b\134c ro,nosuid - exfat /dev/sdb2 rw,uid=1001
62 27 7:3 / /mnt/image rw - ext4 /dev/loop3 rw
63 27 7:4 / /snap/core/1 ro - squashfs /dev/loop4 ro
64 27 0:55 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw,user_id=1000,group_id=1000
65 27 0:56 / /media/alma/odd rw - weirdfs none rw
66 27 0:57 / /mnt/odd rw - weirdfs none rw
67 27 259:3 / /media/alma/second rw - ext4 /dev/nvme0n1p3 rw
68 27 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw
69 27 253:1 / /media/alma/secret rw - ext4 /dev/mapper/luks-1 rw
short line
70 27 x:y / /bad rw - ext4 /dev/x rw
"""
FACTS = {
    (8, 17): BlockFacts(removable=True),
    (8, 18): BlockFacts(removable=True),
    (7, 3): BlockFacts(loop=True),
    (7, 4): BlockFacts(loop=True),
    (259, 3): BlockFacts(),
    (259, 1): BlockFacts(removable=True),
    (254, 0): BlockFacts(removable=True),  # a laptop that was booted from a stick
    (253, 1): BlockFacts(removable=True),  # LUKS on a stick
}


def guarded(table=TABLE, volumes=(), desktop=()):
    found = mounts.removable(mounts.parse(table), lambda mount: FACTS.get(mount.device), volumes, desktop)
    return {mount.point for mount in found}


def test_escapes_and_fields():
    table = {mount.point: mount for mount in mounts.parse(TABLE)}
    stick = table["/media/alma/CLÉ USB".encode()]
    assert (stick.device, stick.filesystem, stick.source) == ((8, 17), b"vfat", b"/dev/sdb1")
    assert stick.option(b"uid") == b"1001"
    assert not stick.read_only
    assert table[b"/media/alma/a\nb\\c"].read_only
    assert b"/bad" not in table
    assert len(table) == 12


def test_what_is_guarded():
    assert guarded() == {
        "/media/alma/CLÉ USB".encode(),
        b"/media/alma/a\nb\\c",
        b"/mnt/image",
        b"/media/alma/odd",  # unknown, where desktops mount
        b"/media/alma/secret",
    }


def test_listed_volumes_whatever_their_device_but_never_the_system():
    wanted = (b"/media/alma/second", b"/", b"/boot/efi", b"/proc")
    assert guarded(volumes=wanted) - guarded() == {b"/media/alma/second"}


def test_unknown_under_mnt_counts_when_udisks_mounted_it():
    utab = b"ID=60 SRC=/dev/sdc TARGET=/mnt/odd ROOT=/ OPTS=uhelper=udisks2\nSRC=x TARGET=/mnt/o OPTS=user\nbroken\n"
    points = mounts.udisks_points(utab)
    assert points == {b"/mnt/odd"}
    assert guarded(desktop=points) - guarded() == {b"/mnt/odd"}


def test_the_last_mount_on_a_point_is_the_one_seen():
    table = TABLE + rb"99 27 0:99 / /mnt/image rw - tmpfs tmpfs rw" + b"\n"
    assert b"/mnt/image" not in guarded(table)


def test_a_program_cannot_pretend_to_be_a_stick():
    line = b"80 27 8:17 / /home/x/m rw - fuse.evil /dev/sdb1 rw,user_id=1000\n"
    assert guarded(line) == set()


def test_every_prefix_of_the_table_parses():
    for end in range(len(TABLE)):
        for mount in mounts.parse(TABLE[:end]):
            assert isinstance(mount, Mount)


def test_rubbish_is_no_mount():
    assert mounts.parse(b"\xff\x00" * 1000 + b"\n - - - - -\n1 2 3:4 - a b c\n" + b"1 1 1:1 / / rw - \n") == ()


def test_what_the_system_keeps_on_a_removable_disk_is_no_volume():
    """A laptop that runs from a USB disk: an airlock over the agent's own folder would wait for itself."""
    own = (b"/var/lib", b"/var/lib/serment", b"/var/log", b"/var/cache")
    table = TABLE + b"".join(b"71 27 7:3 / %s rw - ext4 /dev/loop3 rw\n" % point for point in own)
    assert guarded(table) == guarded()
    assert guarded(table, volumes=own) == guarded()
    assert mounts.may_be_guarded(b"/var/library")
    assert mounts.may_be_guarded(b"/var/lib/echanges")  # a stick that somebody mounts there is a stick


_COVERED = rb"""27 1 254:0 / / rw - ext4 /dev/vda rw
30 27 254:1 / /home rw - ext4 /dev/vdb rw
40 30 0:70 / /home/alma/Cloud rw - fuse.bindfs /x rw,user_id=1000
"""


def test_where_a_path_leads_is_found_from_the_root() -> None:
    def leads(table: bytes, path: bytes) -> bytes:
        found = mounts.leads_into(mounts.parse(table), path)
        return found.filesystem if found else b""

    assert leads(_COVERED, b"/home/alma/Cloud/x") == leads(_COVERED, b"/home/alma/Cloud") == b"fuse.bindfs"
    assert leads(_COVERED, b"/home/alma/Cloud2") == leads(_COVERED, b"/etc") == b"ext4"
    over_home = _COVERED + b"50 30 0:71 / /home rw - tmpfs t rw\n"  # what lay deeper is hidden with it
    assert leads(over_home, b"/home/alma/Cloud") == b"tmpfs"
    over_root = _COVERED + b"51 27 0:72 / / rw - overlay o rw\n"
    assert leads(over_root, b"/home/alma/Cloud") == b"overlay"
    assert leads(b"30 29 254:1 / /home rw - ext4 /dev/vdb rw\n", b"/home/alma") == b""
    assert leads(b"5 5 254:1 / / rw - ext4 /dev/vdb rw\n", b"/home") == b"ext4"
