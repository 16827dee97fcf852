"""Whose folder the collector's is: a command that root gives acts as that account.

What the command leaves in the folder is then the service's to read, and root follows nothing that the service's account
may have put there. Files that officers hand over (``publish``) lie where that account can read them.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path


def act_as_owner(data: Path) -> None:
    """For root, and a folder of somebody else: become its owner, for good. Raises OSError; otherwise does nothing."""
    if os.geteuid() != 0:
        return
    try:
        found = data.stat()
    except FileNotFoundError:
        return  # systemd gives a new one to the service's account at its first start
    if found.st_uid == 0:
        return
    os.setgroups([])
    os.setgid(found.st_gid)
    os.setuid(found.st_uid)
    os.environ["HOME"] = _home(found.st_uid)


def _home(uid: int) -> str:
    """Where root's own settings are not."""
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        return "/"
