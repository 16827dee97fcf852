"""A volume below our own FUSE mount is still the volume; a user's mount that calls itself ours is not."""

from __future__ import annotations

from agent.channels import mounts

LOWER = b"42 27 8:17 / /media/medecin/CLE ro,nosuid,nodev,relatime shared:1 - vfat /dev/sdb1 rw,uid=1000\n"
OURS = b"45 42 0:39 / /media/medecin/CLE rw,nosuid,nodev - fuse.serment serment:1234abcd rw,user_id=0,group_id=0\n"
THEIRS = (
    b"46 42 0:40 / /media/medecin/CLE rw,nosuid,nodev - fuse.serment serment:1234abcd rw,user_id=1000,group_id=1000\n"
)
POINT = b"/media/medecin/CLE"


def test_the_volume_is_seen_through_our_mount() -> None:
    table = mounts.parse(LOWER + OURS)
    (seen,) = mounts.visible(table)
    assert seen.filesystem == b"vfat"
    assert mounts.stack(table, POINT) == table
    found = mounts.removable(table, lambda _mount: mounts.BlockFacts(removable=True))
    assert [mount.source for mount in found] == [b"/dev/sdb1"]


def test_a_users_mount_of_that_name_hides_what_is_below() -> None:
    table = mounts.parse(LOWER + THEIRS)
    (seen,) = mounts.visible(table)
    assert seen.is_program
    assert not seen.is_airlock
    assert mounts.stack(table, POINT)[1] is None


def test_our_mount_alone_is_no_volume() -> None:
    table = mounts.parse(OURS)
    assert mounts.stack(table, POINT) == (None, table[0])
    assert mounts.removable(table, lambda _mount: None, volumes=()) == ()


def test_a_mount_over_ours_is_what_the_path_leads_to() -> None:
    over = LOWER.replace(b"42 27 8:17", b"50 45 8:33").replace(b"sdb1", b"sdc1")
    table = mounts.parse(LOWER + OURS + over)
    volume, airlock = mounts.stack(table, POINT)
    assert volume is not None
    assert (volume.source, airlock) == (b"/dev/sdc1", None)
