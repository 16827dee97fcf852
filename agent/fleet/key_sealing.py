"""How a laptop's key as one of a fleet is kept: sealed to its TPM or its system, or in a file of who syncs.

TLS in Python takes its key from a file, from no TPM (docs/decisions/0034). So the key is sealed as a credential of
systemd, which opens it for the sync service alone, in memory: what lies on the disk opens on this laptop and nowhere
else. Where the sync process is not systemd's to start, the key is a file that only its user reads.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from agent.crypto.protection import Credential, has_tpm
from agent.errors import HostError

LABEL = "fleet"
NAME = "serment-key-fleet"
"""The credential's name: the unit asks for it by this one, and systemd refuses another under it."""
UNITS = ("usr/lib/systemd/system", "lib/systemd/system", "etc/systemd/system")
UNIT = "serment-sync.service"


def sealed(key: bytes) -> tuple[bytes, str]:
    """The key as a credential, and by what: ``tpm`` or ``credential``; (b"", "") where there is no way to.

    The TPM's state (firmware, secure boot) takes no part: an update of firmware must not part a fleet from its
    collector.
    """
    if os.geteuid() != 0 or shutil.which("systemd-creds") is None:
        return b"", ""
    for tpm in (True, False):
        if tpm and not has_tpm():
            continue
        way = Credential(tpm=tpm, any_state=True)
        try:
            blob = way.seal(key, LABEL)
            if way.open(blob, LABEL) == key:
                return blob, way.name
        except HostError:
            continue
    return b"", ""


def opens(blob: bytes) -> bool:
    """Whether this laptop opens the credential now; for root."""
    try:
        return bool(Credential(tpm=True).open(blob, LABEL))
    except HostError:
        return False


def is_given_by_unit(folder: Path, root: Path = Path("/")) -> bool:
    """Whether systemd starts the sync process here and would open the credential in ``folder`` for it."""
    if not (root / "run/systemd/system").is_dir():
        return False
    wanted = f"LoadCredentialEncrypted={NAME}:{folder}/"
    for place in UNITS:
        try:
            text = (root / place / UNIT).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if any(line.startswith(wanted) for line in text.splitlines()):
            return True
    return False
