"""The cloud-sync channel: folders that a client uploads, and cloud storage that a program has mounted.

The folders come from ``folders.py``; this file adds what the mount table shows (rclone, pCloud's drive, ...): writing
there is uploading.
"""

from __future__ import annotations

import os

from agent.channels import mounts
from agent.channels.folders import FolderChannel, mount_table
from agent.channels.hosts import host_of
from agent.channels.mounts import Mount
from agent.model import ChannelKind, Place

_BY_TYPE = {
    b"fuse.rclone": "rclone",
    b"fuse.seadrive": "seafile",
    b"fuse.onedriver": "onedrive",
    b"fuse.google-drive-ocamlfuse": "googledrive",
    b"fuse.pcloud": "pcloud",
    b"fuse.pCloud.fs": "pcloud",
    b"fuse.insync": "insync",
    b"fuse.mega": "mega",
    b"fuse.mega-cmd": "mega",
    b"fuse.kDrive": "kdrive",
}
_BY_SOURCE = {b"pCloud.fs": "pcloud", b"seadrive": "seafile"}


def cloud_service(mount: Mount) -> str:
    """Which cloud service a mount is, or "" when it is none. The type is what the program said of itself."""
    if not mount.is_program:
        return ""
    if mount.filesystem == b"fuse" and mount.source.startswith((b"https://", b"http://")):
        return "webdav"  # davfs2
    return _BY_TYPE.get(mount.filesystem, "") or _BY_SOURCE.get(mount.source, "")


class CloudSyncChannel(FolderChannel):
    """Sync folders of ``people``, ``folders`` besides them, and mounted cloud storage."""

    KIND = ChannelKind.CLOUD_SYNC
    WHAT = "cloud"

    def more(self, found: dict[bytes, Place]) -> None:
        guarded = {person.uid for person in self._people}
        for mount in mounts.visible(mount_table()):
            service = cloud_service(mount)
            value = mount.option(b"user_id") or b""
            owner = int(value) if value.isdigit() and len(value) < 11 else 0
            if service and (owner in guarded or owner == 0) and mounts.may_be_guarded(mount.point):
                host = host_of(os.fsdecode(mount.source)) if service == "webdav" else ""
                found.setdefault(mount.point, self.place(mount.point, owner, service, host))
