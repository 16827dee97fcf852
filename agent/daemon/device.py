"""Who this laptop is: a random device id and the key of its pseudonyms. Made once, kept in data_dir/device.json.

Names of people, volumes and files leave this process only as keyed digests: without the key, which stays here, nobody
can test a guess. Deleting the file makes a new laptop of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from agent.errors import N_, HostError
from agent.fsys.atomic import replace_file


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
    """The identity kept in ``folder``, made at the first call. Raises HostError when it cannot be read or written."""
    path = folder / "device.json"
    try:
        if not path.exists():
            made = {"device_id": "dev_" + secrets.token_hex(8), "key": secrets.token_hex(32)}
            replace_file(path, json.dumps(made).encode(), 0o600)
        stored = json.loads(path.read_bytes())
        return DeviceIdentity(str(stored["device_id"]), bytes.fromhex(stored["key"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HostError(
            N_("this laptop's identity cannot be read or made"), where=str(path), hint=N_("check rights and free space")
        ) from error
