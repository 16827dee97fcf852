"""What may go for a while: an emergency, the rest of a batch that was answered, a document for one more try.

A pass is one person's, for one channel, and ends by the machine's own clock (CLOCK_BOOTTIME: counts while asleep, and
nobody sets it), at the next boot at the latest. Owns ``passes.json`` (0600), by which a pass survives a restart of the
agent until its end, and how often a person called an emergency is remembered. It decides nothing about limits: who
grants a pass has asked the policy.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent.fsys.atomic import replace_file

EMERGENCY, BATCH, DOCUMENT = "emergency", "batch", "document"
MAX_BYTES = 1 << 20
MAX_PASSES = 1_000
DAY_S = 24 * 3600.0
_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"


@dataclass(frozen=True, slots=True)
class Pass:
    """``root``, ``rule``, ``file`` empty: any. ``ends_s`` is CLOCK_BOOTTIME in the boot ``boot``."""

    id: str
    what: str
    uid: int
    channel: str
    ends_s: float
    boot: str
    root: str = ""  # hexadecimal
    rule: str = ""
    file: str = ""  # digest of the document's state
    began: int = 0  # seconds since the epoch, for people
    minutes: int = 0
    went: int = 0  # documents that went by it

    def fits(self, uid: int, channel: str, root: str, rule: str, file: str) -> bool:
        same = self.uid == uid and self.channel == channel
        return same and all(
            not own or own == asked for own, asked in ((self.root, root), (self.rule, rule), (self.file, file))
        )


class Clock:
    """The machine's clock and boot; a test moves it."""

    def now_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall_s(self) -> float:
        return time.time()

    def boot(self) -> str:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


class Passes:
    """Any thread. Raises OSError from ``grant`` when the pass cannot be written down; it does not count then."""

    def __init__(self, file: Path, clock: Clock | None = None) -> None:
        self._file = file
        self._clock = clock or Clock()
        self._boot = self._clock.boot()
        self._lock = threading.Lock()
        self._passes: list[Pass] = []
        self._called: list[tuple[int, float]] = []  # uid, seconds since the epoch
        self._left: list[Pass] = []  # of another boot: over, and not told yet
        self._load()

    def call(self, wanted: Pass) -> Pass:
        """``wanted`` with an id, counted as called; nothing may go by it before ``grant``."""
        with self._lock:
            called = [*self._called, (wanted.uid, self._clock.wall_s())]
            self._write(self._passes, called)
            self._called = called
            return replace(wanted, id=_new_id(wanted.what))

    def grant(self, given: Pass, seconds: float) -> Pass:
        """``given`` with an end ``seconds`` from now, and an id if it has none."""
        with self._lock:
            made = replace(
                given, id=given.id or _new_id(given.what), ends_s=self._clock.now_s() + seconds, boot=self._boot,
                began=int(self._clock.wall_s()), minutes=round(seconds / 60),
            )  # fmt: skip
            passes = [*self._passes, made][-MAX_PASSES:]
            self._write(passes, self._called)
            self._passes = passes
            return made

    def allows(self, uid: int, channel: str, root: bytes, rule: str, file: str) -> str:
        """The id of a pass by which this may go now; empty when there is none."""
        if not self._passes:  # nearly always
            return ""
        with self._lock:
            now, key = self._clock.now_s(), root.hex()
            order = sorted(enumerate(self._passes), key=lambda item: item[1].what != EMERGENCY)  # the loud one first
            for index, each in order:
                if now < each.ends_s and each.fits(uid, channel, key, rule, file):
                    self._passes[index] = replace(each, went=each.went + 1)
                    return each.id
        return ""

    def active(self, uid: int | None = None, what: str = EMERGENCY) -> tuple[Pass, ...]:
        with self._lock:
            now = self._clock.now_s()
            return tuple(
                each for each in self._passes if each.what == what and uid in {None, each.uid} and now < each.ends_s
            )

    def left_s(self, given: Pass) -> float:
        return max(0.0, given.ends_s - self._clock.now_s())

    def called(self, uid: int) -> int:
        """Emergencies of this person in the last 24 hours; one in the future (the clock was set back) counts too."""
        with self._lock:
            now = self._clock.wall_s()
            return sum(1 for who, when in self._called if who == uid and now - when < DAY_S)

    def end(self, pass_id: str) -> Pass | None:
        """End one before its time."""
        with self._lock:
            found = next((each for each in self._passes if each.id == pass_id), None)
            if found is not None:
                self._passes.remove(found)
                self._save()
            return found

    def ended(self) -> tuple[Pass, ...]:
        """Those whose time is over since the last call; they are forgotten here."""
        if not self._passes and not self._left:
            return ()
        with self._lock:
            now = self._clock.now_s()
            over, self._left = self._left, []
            over += [each for each in self._passes if each.ends_s <= now]
            if over:
                self._passes = [each for each in self._passes if each.ends_s > now]
                self._save()
            return tuple(over)

    def next_end_s(self) -> float | None:
        """Seconds until the next one ends."""
        with self._lock:
            return min((max(0.0, each.ends_s - self._clock.now_s()) for each in self._passes), default=None)

    def _save(self) -> None:
        with contextlib.suppress(OSError):  # a full disk: what has ended here ends by the clock there too
            self._write(self._passes, self._called)

    def _write(self, passes: list[Pass], called: list[tuple[int, float]]) -> None:
        now = self._clock.wall_s()
        recent = [[who, when] for who, when in called if now - when < DAY_S]
        table = {"passes": [asdict(each) for each in passes], "called": recent}
        replace_file(self._file, json.dumps(table).encode("ascii"))

    def _load(self) -> None:
        """What cannot be read lets nothing go."""
        try:
            with self._file.open("rb") as file:
                table = json.loads(file.read(MAX_BYTES))
            self._called = [(int(who), float(when)) for who, when in table["called"]]
            kept = [_read(each) for each in table["passes"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return
        self._passes = [each for each in kept if each.boot == self._boot]
        self._left = [each for each in kept if each.boot != self._boot]


def _read(table: dict[str, Any]) -> Pass:
    return Pass(**{**table, "uid": int(table["uid"]), "ends_s": float(table["ends_s"])})


def _new_id(what: str) -> str:
    return what[0].upper() + "-" + "".join(secrets.choice(_ALPHABET) for _ in range(7))
