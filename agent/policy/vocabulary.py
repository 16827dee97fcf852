"""The closed list of what a rule may look at, and how each is compared. The one table that the others read.

A key added here needs its line in ``matching``, in ``given``, in ``sentences`` and in docs/formats/policy.md; the tests
compare the lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from agent.document import Problem
from agent.findings import Judgement, Kind
from agent.model import ChannelKind
from agent.policy.hosts import APPROVED, OTHER, UNKNOWN
from agent.policy.schema import Operator

FORMAT = "1"
LANGUAGES = ("fr", "en")
EXCEPTION_DAYS = 365  # the longest life of an exception
MAX_PATIENTS = 1_000_000
MAX_SIZE = 1 << 50  # bytes

ACTIONS = {"copy": ChannelKind.REMOVABLE, "sync": ChannelKind.CLOUD_SYNC, "download": ChannelKind.DOWNLOADS}
REMOVABLE = ("usb", "disk", "sd")
DESTINATIONS: dict[str, frozenset[str]] = {word: frozenset({word}) for word in (*REMOVABLE, "cloud", "laptop")} | {
    "removable": frozenset(REMOVABLE)
}
# A family is a word that stands for several kinds: the content that a clinician means, whatever the format it comes in.
_SINGLE = {kind.value: frozenset({kind.value}) for kind in Kind}
FAMILIES: dict[str, tuple[Kind, ...]] = {
    "compte-rendu": (Kind.CLINICAL_NOTE, Kind.CDA, Kind.HPRIM),
    "ordonnance": (Kind.PRESCRIPTION,),
    "imagerie": (Kind.IMAGING_REPORT, Kind.DICOM),
    "biologie": (Kind.LAB_REPORT,),
    "certificat": (Kind.CERTIFICATE,),
    "liste-de-patients": (Kind.PATIENT_TABLE, Kind.PMSI),
}
DOCUMENTS: dict[str, frozenset[str]] = (
    {"any": frozenset(kind.value for kind in Kind)}
    | _SINGLE
    | {word: frozenset(kind.value for kind in kinds) for word, kinds in FAMILIES.items()}
)
# Kinds that are found on documents about nobody as well: they alone do not make a rule narrow.
NEUTRAL_KINDS = frozenset({Kind.EMAIL, Kind.ARCHIVE, Kind.OTHER, Kind.RESEARCH, Kind.PERSONAL_IDENTIFIER})
CLOUD_SERVICES = frozenset({
    "nextcloud", "owncloud", "dropbox", "onedrive", "insync", "googledrive", "rclone", "mega", "pcloud", "syncthing",
    "seafile", "kdrive", "webdav",
})  # fmt: skip
DOWNLOAD_SERVICES = frozenset({
    "firefox", "chromium", "chrome", "brave", "edge", "vivaldi", "opera", "thunderbird", "downloads",
})  # fmt: skip
CONFIGURED = frozenset({"folder"})  # a place that agent.toml lists, of whatever channel
YES_NO = ("yes", "no")


class Shape(Enum):
    WORD = auto()  # of a closed list
    NAME = auto()  # of the administrator's world: a service, a user, a group, an extension
    FLAG = auto()  # yes or no
    DEVICE = auto()  # a pattern
    NUMBER = auto()
    SIZE = auto()  # bytes, written with a unit


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that facts have. ``means`` maps the words of the file to the values they stand for."""

    shape: Shape
    means: dict[str, frozenset[str]] | None = None
    high: int = 0  # the greatest number allowed; the least is 0


def _words(*words: str) -> dict[str, frozenset[str]]:
    return {word: frozenset({word}) for word in words}


HOSTS = _words(*APPROVED, OTHER, UNKNOWN) | {"approved": frozenset(APPROVED)}
PROBLEMS = _words(*(word.value for word in Problem)) | {"any": frozenset(word.value for word in Problem)}
KEYS: dict[str, Key] = {
    "action": Key(Shape.WORD, _words(*ACTIONS)),
    "destination": Key(Shape.WORD, DESTINATIONS),
    "service": Key(Shape.NAME),
    "device": Key(Shape.DEVICE),
    "device_approved": Key(Shape.FLAG),
    "host": Key(Shape.WORD, HOSTS),
    "judgement": Key(Shape.WORD, _words(*(word.value for word in Judgement))),
    "document": Key(Shape.WORD, DOCUMENTS),
    "identified": Key(Shape.FLAG),
    "test_data": Key(Shape.FLAG),
    "patient_list": Key(Shape.FLAG),
    "confidence": Key(Shape.NUMBER, high=100),
    "patients": Key(Shape.NUMBER, high=MAX_PATIENTS),
    "problem": Key(Shape.WORD, PROBLEMS),
    "size": Key(Shape.SIZE, high=MAX_SIZE),
    "extension": Key(Shape.NAME),
    "arrival": Key(Shape.WORD, _words("existing", "new")),
    "user": Key(Shape.NAME),
    "group": Key(Shape.NAME),
}
DEVICE_KEYS = frozenset({"device", "device_approved"})  # hold for removable media only
HOST_KEYS = frozenset({"host"})  # hold for sync folders only
SCOPE_KEYS = ("group", "user", "service", "device")

_SUFFIXES = {"_min": Operator.MIN, "_max": Operator.MAX, "_in": Operator.IS, "_not": Operator.NOT}
_ALLOWED = {
    Shape.WORD: ("", "_in", "_not"),
    Shape.NAME: ("", "_in", "_not"),
    Shape.DEVICE: ("", "_in", "_not"),
    Shape.FLAG: ("",),
    Shape.NUMBER: ("_min", "_max"),
    Shape.SIZE: ("_min", "_max"),
}
CONDITIONS: dict[str, tuple[str, Operator]] = {
    key + suffix: (key, _SUFFIXES.get(suffix, Operator.IS))
    for key, spec in KEYS.items()
    for suffix in _ALLOWED[spec.shape]
}
"""Every name that ``when`` knows → (key, operator)."""


def values(key: str, words: tuple[str, ...]) -> frozenset[str]:
    """The values that words of the file stand for (families and ``any`` opened)."""
    means = KEYS[key].means
    return frozenset(words) if means is None else frozenset().union(*(means[word] for word in words))
