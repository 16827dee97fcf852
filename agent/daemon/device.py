"""Who this laptop is: a random device id and the key of its pseudonyms. Made once, kept in data_dir/device.json.

Names of people, volumes and files leave this process only as keyed digests: without the key, which stays here, nobody
can test a guess. Deleting the file makes a new laptop of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, HostError
from agent.fsys.atomic import replace_file

_KEY_BYTES = 32
_MAX_BYTES = 4096
_DEVICE_ID = re.compile(r"dev_[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    device_id: str  # dev_ and 16 hexadecimal digits
    key: bytes  # 32 bytes

    def pseudonym(self, purpose: str, *parts: bytes, length: int = 16) -> str:
        """A keyed digest of ``parts`` (``length`` hexadecimal digits), different for each purpose."""
        digest = hmac.new(self.key, purpose.encode(), hashlib.sha256)
        for part in parts:
            digest.update(len(part).to_bytes(4, "big") + part)
        return digest.hexdigest()[:length]


def load_device(folder: Path) -> DeviceIdentity:
    """The identity kept in ``folder``, made at the first call.

    Raises HostError: it cannot be read or written, is damaged (an empty key would make guessing names possible), or
    the folder is not ours alone to write, so that somebody else could have chosen the key.
    """
    path = folder / "device.json"
    try:
        _require_ours(folder)
        if not os.path.lexists(path):
            made = {"device_id": "dev_" + secrets.token_hex(8), "key": secrets.token_hex(_KEY_BYTES)}
            replace_file(path, json.dumps(made).encode(), 0o600)
        stored = json.loads(_read(path))
        identity = DeviceIdentity(str(stored["device_id"]), bytes.fromhex(stored["key"]))
    except OSError as error:
        raise HostError(
            N_("this laptop's identity cannot be read or made"), where=str(path), hint=N_("check rights and free space")
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error
    if len(identity.key) != _KEY_BYTES or not _DEVICE_ID.fullmatch(identity.device_id):
        raise _damaged(path)
    return identity


def _damaged(path: Path) -> HostError:
    return HostError(
        N_("this laptop's identity is damaged"), where=str(path),
        hint=N_("put it back from a backup; without the file the agent starts as a new laptop"),
    )  # fmt: skip


def _require_ours(folder: Path) -> None:
    state = os.stat(folder)  # an administrator may have moved it and left a link of the own
    ours = state.st_uid == os.geteuid() and os.lstat(folder).st_uid in {0, os.geteuid()}
    if not ours or state.st_mode & 0o022:
        raise HostError(
            N_("the folder {folder} must be a folder of the agent's own that nobody else can write to"),
            hint=N_("choose another data_dir in agent.toml, or mend its owner and rights"), folder=folder,
        )  # fmt: skip


def _read(path: Path) -> bytes:
    """Bounded, never through a link; rights that a backup widened are narrowed again."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) & 0o077:
            os.fchmod(fd, 0o600)
        return os.read(fd, _MAX_BYTES)
    finally:
        os.close(fd)
