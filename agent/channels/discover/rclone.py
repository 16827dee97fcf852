"""rclone: what user units run.

``rclone.conf`` names remotes, not local folders, so the local side of ``mount``, ``sync``, ``bisync``, ``copy`` and
``move`` is read from ``~/.config/systemd/user/*.service``; mounts that are up are seen in the mount table (type
fuse.rclone) by the channel itself.

Source: rclone.org/commands (argument order), systemd.service(5) (ExecStart=), systemd.unit(5) (%h).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

from agent.channels.discover.reading import Found, Home, ini_items

FILES = (("rclone", ".config/rclone/rclone.conf"),)
_UNITS = ".config/systemd/user"
_COMMANDS = frozenset({"mount", "sync", "bisync", "copy", "move", "cmount", "nfsmount"})
# Options whose value is a path of rclone's own, and nothing that is synchronised.
_OWN_PATHS = frozenset({
    "--config", "--log-file", "--cache-dir", "--temp-dir", "--files-from", "--files-from-raw", "--filter-from",
    "--include-from", "--exclude-from", "--ca-cert", "--client-cert", "--client-key", "--rc-cert", "--rc-key",
    "--rc-files", "--rc-htpasswd",
})  # fmt: skip
_REMOTE = re.compile(r"^[^/~%$][^/]*:")


def find(home: Home) -> Iterator[Found]:
    """The local folders in the command lines of units that start rclone."""
    for name in home.files(_UNITS, ".service"):
        text = (home.read(f"{_UNITS}/{name}") or "").replace("\\\n", " ")
        for _, key, value in ini_items(text):
            if key.startswith("ExecStart") and "rclone" in value:
                for path in _local_folders(home, value):
                    yield Found("rclone", path)


def _local_folders(home: Home, command: str) -> Iterator[bytes]:
    try:
        words = shlex.split(command)
    except ValueError:
        return
    verbs = [index for index, word in enumerate(words) if word in _COMMANDS]
    if not verbs or not any(word.rpartition("/")[2].startswith("rclone") for word in words[: verbs[0]]):
        return
    after = words[verbs[0] :]
    arguments = [
        word for option, word in pairwise(after) if not word.startswith("-") and option not in _OWN_PATHS
    ]  # fmt: skip
    if not any(_REMOTE.match(word) for word in arguments):
        return
    for word in arguments:
        path = None if _REMOTE.match(word) else home.expand(word)
        if path is not None:
            yield path
