"""What the agent remembers of the policies that were pushed to it: one file, whole or the one before.

Owns ``data``/policy/pushed.state (what was verified, what is in force, what is loosened) and
``data``/policy/fleet.json, which the enrolment writes: whose laptop this is and by which authority.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.errors import N_, HostError
from agent.fleet.release import Emergency
from agent.fsys.atomic import private_folder, replace_file
from agent.fsys.small import read_small

FOLDER = "policy"
STATE, FLEET, ROOT = "pushed.state", "fleet.json", "root.json"
MAX_STATE, MAX_FLEET = 32 << 20, 64 << 10
MEND = N_("put it back from a backup; or remove it and enrol this laptop again; then start the agent again")
_SPOILT = (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Fleet(msgspec.Struct, frozen=True):
    """Written by root at the enrolment: the process that syncs owns its own folder, not this."""

    ca: str = ""
    device: str = ""
    group: str = ""


class PushedState(msgspec.Struct, frozen=True):
    """``number`` is the release in force (0: none); ``checked`` when the repository was last found good (seconds)."""

    number: int = 0
    back_to: int = 0
    max_age_days: int = 90
    checked: int = 0
    timestamp: int = 0
    trusted: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    seen: dict[int, int] = {}
    emergency: Emergency | None = None
    refused: str = ""  # the word of the last refusal, "" when the last check went well
    refused_number: int = 0


def load_state(folder: Path) -> PushedState:
    """The state in ``folder``; a fresh one when there is none. Raises HostError: it is spoilt, and nothing weaker may
    take its place unseen.
    """
    path = folder / STATE
    try:
        return msgspec.msgpack.decode(read_small(path, MAX_STATE), type=PushedState)
    except FileNotFoundError:
        return PushedState()
    except _SPOILT as error:
        raise HostError(N_("cannot be used"), where=str(path), hint=MEND) from error


def save_state(folder: Path, state: PushedState) -> None:
    """Durably. Raises OSError."""
    replace_file(folder / STATE, msgspec.msgpack.encode(state))


def load_fleet(folder: Path) -> Fleet:
    """Whose laptop this is; nobody's when it is not enrolled. Raises HostError: it is spoilt, and as nobody's this
    laptop would follow another group's policy.
    """
    try:
        return msgspec.json.decode(read_small(folder / FLEET, MAX_FLEET), type=Fleet)
    except FileNotFoundError:
        return Fleet()
    except _SPOILT as error:
        raise HostError(N_("cannot be used"), where=str(folder / FLEET), hint=N_("enrol this laptop again")) from error


def save_fleet(data: Path, fleet: Fleet) -> None:
    """At the enrolment. Another authority than before begins anew. Raises OSError."""
    folder = private_folder(data / FOLDER)
    if _authority_before(folder) not in {"", fleet.ca}:
        (folder / STATE).unlink(missing_ok=True)
        _forget_trust(data / "fleet")
    replace_file(folder / FLEET, msgspec.json.encode(fleet))


def _authority_before(folder: Path) -> str:
    """The one that was trusted so far; of what is spoilt, none that is like the new one."""
    try:
        return load_fleet(folder).ca
    except HostError:
        return "?"


def _forget_trust(folder: Path) -> None:
    """What the sync process verified is the other fleet's: beside it nothing of this one could be verified, ever."""
    import shutil  # the command that enrols pays for it alone

    if shutil.rmtree.avoids_symlink_attacks:  # the folder is another account's
        shutil.rmtree(folder / "tuf", ignore_errors=True)
    (folder / "policy.bundle").unlink(missing_ok=True)


def first_root(folder: Path) -> bytes:
    """The root that an administrator put there (``serment policy apply --trust``); b"": none."""
    try:
        return read_small(folder / ROOT, 1 << 20)
    except OSError:
        return b""
