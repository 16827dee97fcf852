"""The words of the path of one file: place, event, facts, verdict, action, outcome. Frozen values, no behaviour.

File names are bytes from the kernel to the last moment before a person reads them. Imports nothing of ours but the
findings, which are values too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.findings import Findings
from agent.stamp import Stamp as Stamp  # noqa: PLC0414 - one of these words, for whoever imports them from here


class ChannelKind(StrEnum):
    """The ways a document leaves or arrives."""

    REMOVABLE = "removable"
    CLOUD_SYNC = "cloud_sync"
    DOWNLOADS = "downloads"


class Strength(StrEnum):
    """What a channel can promise here and now; shown as it is by ``serment status``."""

    HOLD = "hold"  # the transfer waits for the verdict
    AFTER_WRITE = "after-write"  # the action follows the write: bytes may have left
    OFF = "off"


class Cause(StrEnum):
    """Why a file is looked at."""

    EXISTING = "existing"  # it was there when the place came under guard
    WRITTEN = "written"
    MOVED_IN = "moved-in"
    RESUMED = "resumed"  # an interrupted transfer, taken up again after a restart
    READ = "read"  # the second and final look: its pictures have been read


@dataclass(frozen=True, slots=True)
class Device:
    """A removable device. Text is what the device says of itself: hostile, bounded, printable ASCII after cleaning."""

    bus: str = ""  # usb, mmc, ...
    vendor_id: str = ""  # four hexadecimal digits
    product_id: str = ""
    vendor: str = ""
    product: str = ""
    serial: str = ""
    volume_uuid: str = ""
    filesystem: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A folder under guard: one mounted volume, one sync folder, one download folder."""

    channel: ChannelKind
    root: bytes  # absolute path
    owner: int  # uid of the clinician it belongs to
    service: str = ""  # nextcloud, dropbox, firefox, ...; for removable: "usb", "disk", "sd"
    device: Device | None = None
    strength: Strength = Strength.AFTER_WRITE
    mechanism: str = "watch"
    reason: str = ""  # catalogue key: why the strength is what it is
    host: str = ""  # where its documents go: a host's name, for a sync folder whose program states it


@dataclass(frozen=True, slots=True)
class FileEvent:
    """A file to look at. ``name`` is relative to ``place.root``, without a leading slash, never with a ``..``."""

    place: Place
    name: bytes
    cause: Cause


class Decision(StrEnum):
    """What a policy can say, from mild to strict; comparing needs ``severity``."""

    OBSERVE = "observe"
    INFORM = "inform"
    JUSTIFY = "justify"
    ENCRYPT = "encrypt"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        return list(Decision).index(self)


class Mode(StrEnum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a policy may look at: what the verdict was decided on, kept with the audit record for replay."""

    channel: ChannelKind
    arrival: str  # "existing" or "new"
    findings: Findings
    size: int = 0  # bytes
    extension: str = ""
    service: str = ""
    device: Device | None = None
    user: str = ""  # login name of the owner of the place
    groups: tuple[str, ...] = ()
    day: str = ""  # ISO date, for exceptions that end
    host: str = ""  # where a sync folder's documents go, by its program's settings; "": not known


@dataclass(frozen=True, slots=True)
class Verdict:
    """What policy says. ``decision`` is what is to be done; ``wanted`` is what the rule would do in mode enforce."""

    decision: Decision
    wanted: Decision
    rule: str = ""  # rule id, or "" when nothing matched
    policy: str = ""  # name of the policy
    release: str = ""  # first 12 hexadecimal digits of the policy file's SHA-256
    mode: Mode = Mode.ENFORCE
    offer: Decision | None = None
    exception: str = ""  # who granted the exception that relaxed the rule, or ""
    message: tuple[tuple[str, str], ...] = ()  # (language, text) the policy wants shown
    wanted_by: str = ""  # id of the rule that ``wanted`` comes from; differs from ``rule`` when a rule is on trial


class Result(StrEnum):
    """How an action ended. A missing outcome counts as interrupted."""

    DONE = "done"
    FAILED = "failed"  # nothing was changed; ``Outcome.problem`` says why
    CHANGED = "changed"  # the file is no longer the judged one: nothing was done, it is judged again
    GONE = "gone"  # the file disappeared before the action
    INTERRUPTED = "interrupted"  # the agent died between intent and outcome; found out at the next start


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened. ``held`` is the quarantine id, or the neutral name of the sealed file, when there is one."""

    result: Result
    action: Decision
    problem: str = ""  # a short stable word: disk-full, read-only, io-error, permission, ...
    held: str = ""
    recipients: tuple[str, ...] = ()
