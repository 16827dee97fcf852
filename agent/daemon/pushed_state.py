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

FOLDER = "policy"
STATE, FLEET, ROOT = "pushed.state", "fleet.json", "root.json"
MAX_STATE = 32 << 20


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
        with path.open("rb") as file:
            return msgspec.msgpack.decode(file.read(MAX_STATE), type=PushedState)
    except FileNotFoundError:
        return PushedState()
    except (OSError, msgspec.MsgspecError) as error:
        raise HostError(N_("cannot be used"), where=str(path)) from error


def save_state(folder: Path, state: PushedState) -> None:
    """Durably. Raises OSError."""
    replace_file(folder / STATE, msgspec.msgpack.encode(state))


def load_fleet(folder: Path) -> Fleet:
    """Whose laptop this is; nobody's when it is not enrolled."""
    try:
        return msgspec.json.decode((folder / FLEET).read_bytes()[: 64 << 10], type=Fleet)
    except (OSError, msgspec.MsgspecError):
        return Fleet()


def save_fleet(data: Path, fleet: Fleet) -> None:
    """At the enrolment. Another authority than before begins anew. Raises OSError."""
    folder = private_folder(data / FOLDER)
    if load_fleet(folder).ca not in {"", fleet.ca}:
        (folder / STATE).unlink(missing_ok=True)
        _forget_trust(data / "fleet")
    replace_file(folder / FLEET, msgspec.json.encode(fleet))


def _forget_trust(folder: Path) -> None:
    """What the sync process verified is the other fleet's: beside it nothing of this one could be verified, ever."""
    import shutil  # the command that enrols pays for it alone

    if shutil.rmtree.avoids_symlink_attacks:  # the folder is another account's
        shutil.rmtree(folder / "tuf", ignore_errors=True)
    (folder / "policy.bundle").unlink(missing_ok=True)


def first_root(folder: Path) -> bytes:
    """The root that an administrator put there (``serment policy apply --trust``); b"": none."""
    try:
        return (folder / ROOT).read_bytes()[: 1 << 20]
    except OSError:
        return b""
