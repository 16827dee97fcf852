"""Recovery by two: any two of a practice's officers give access to a sealed file back, from its header alone. Pure.

The recovery identity is never stored whole. For each pair of officers A and B there is one age file, sealed to B inside
another sealed to A. What travels are small JSON texts (docs/formats/sealed-files.md, section 5)::

    laptop  → request  header of the file, recipient of who asks
    A       → step     the same, and what A opened: still sealed to B
    B       → answer   a header with a stanza for who asks and a fresh MAC

The document stays on the laptop: nobody who unlocks can read it, and nobody on the way learns a key. B's machine holds
the recovery identity in memory for as long as it takes. Every text is untrusted and read within bounds.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.crypto import header
from agent.crypto.header import MAX_HEADER
from agent.crypto.message import seal_message
from agent.crypto.recipients import kind_of, recipient_of, unwrap
from agent.crypto.rehead import new_header
from agent.errors import N_, SealError

MAX_TEXT = 1 << 20  # bytes
MAX_OFFICERS = 7
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")

Open = Callable[[bytes], bytes]
"""Opens a message that is sealed to the officer, with a key that this module never sees."""


@dataclass(frozen=True, slots=True)
class Pair:
    """``first`` unlocks before ``second``. ``sealed`` is useless to either alone."""

    first: str
    second: str
    recovery: str  # the recipient whose identity is inside
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A laptop asks: give ``requester`` access to the file with this header. ``case`` names it in records."""

    head: bytes
    requester: str

    @property
    def case(self) -> str:
        return hashlib.sha256(self.head + self.requester.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Step:
    """``first`` has unlocked; ``inner`` is for ``second``."""

    request: Request
    first: str
    second: str
    recovery: str
    inner: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The new header, and who unlocked."""

    case: str
    head: bytes
    officers: tuple[str, str]


def make_pairs(identity: str, officers: Mapping[str, str]) -> list[Pair]:
    """One pair for each two of the officers (name → recipient), in the order of their names.

    Raises SealError: fewer than two, more than seven, a bad name, the same key twice, not a recipient.
    """
    if not 2 <= len(officers) <= MAX_OFFICERS or not all(_NAME.fullmatch(name) for name in officers):
        raise SealError(
            N_("recovery needs 2 to {limit} officers, named in lower-case letters and digits"), limit=MAX_OFFICERS
        )
    if len(set(officers.values())) < len(officers):
        raise SealError(N_("two officers have the same key"), hint=N_("each officer has a key of the own"))
    recovery, pairs = recipient_of(identity), []
    for first, second in itertools.combinations(sorted(officers), 2):
        inner = seal_message(identity.encode("ascii"), [officers[second]])
        pairs.append(Pair(first, second, recovery, seal_message(inner, [officers[first]])))
    return pairs


def unlock_first(request: Request, pair: Pair, opened: Open) -> Step:
    """What the first officer of the pair does. Raises SealError: not this officer's."""
    inner = opened(pair.sealed)
    return Step(request, pair.first, pair.second, pair.recovery, inner)


def unlock_second(step: Step, opened: Open) -> Answer:
    """What the second officer does. Raises SealError: not this officer's, the file has no stanza for recovery, the key
    of who asks is of another kind than the file.
    """
    identity = opened(step.inner).decode("ascii", "replace")
    if recipient_of(identity) != step.recovery:
        raise SealError(N_("this is not the recovery key that the pair was made for"))
    old = header.parse(step.request.head)
    file_key = unwrap(old, [identity])
    if kind_of(step.request.requester).stanza not in {each.kind for each in old.stanzas}:
        raise SealError(
            N_("the key of who asks and this file are of different kinds"),
            hint=N_("ask with a key of the file's kind (age1… or age1pq1…)"),
        )
    return Answer(step.request.case, new_header(old, file_key, [step.request.requester], ()), (step.first, step.second))


def require_answer_to(answer: Answer, request: Request) -> None:
    """Raises SealError when the answer is one to something else.

    Who asked takes the file key out of the answer's header and makes the new header alone: a stanza that an officer
    slipped in does not come into the file.
    """
    if answer.case != request.case:
        raise SealError(N_("this answer is not for this file"), hint=N_("use the answer to this file's request"))


# ---- as texts


def write(value: Pair | Request | Step | Answer) -> bytes:
    """The JSON text of one of the four."""
    table: dict[str, Any] = {"serment": f"recovery-{type(value).__name__.lower()}", "version": 1}
    if isinstance(value, Pair):
        table |= {
            "first": value.first,
            "second": value.second,
            "recovery": value.recovery,
            "sealed": _b64(value.sealed),
        }
    elif isinstance(value, Answer):
        table |= {"case": value.case, "header": _b64(value.head), "officers": list(value.officers)}
    else:
        request = value if isinstance(value, Request) else value.request
        table |= {"header": _b64(request.head), "requester": request.requester}
        if isinstance(value, Step):
            table |= {"first": value.first, "second": value.second, "recovery": value.recovery}
            table["inner"] = _b64(value.inner)
    return json.dumps(table, indent=1).encode("ascii") + b"\n"


def read(text: bytes) -> Pair | Request | Step | Answer:
    """The value in an untrusted text. Raises SealError: not one of the four."""
    try:
        table = json.loads(text[: MAX_TEXT + 1]) if len(text) <= MAX_TEXT else None
        if not isinstance(table, dict) or table.get("version") != 1:
            raise _not_ours()
        return _READERS[table["serment"]](table)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _not_ours() from error


def _not_ours() -> SealError:
    return SealError(N_("this is not a text of a recovery"), hint=N_("see: serment keys recovery --help"))


def _pair(table: dict[str, Any]) -> Pair:
    return Pair(_name(table["first"]), _name(table["second"]), _key(table["recovery"]), _bytes(table["sealed"]))


def _request(table: dict[str, Any]) -> Request:
    return Request(_bytes(table["header"], MAX_HEADER), _key(table["requester"]))


def _step(table: dict[str, Any]) -> Step:
    inner = _bytes(table["inner"])
    return Step(_request(table), _name(table["first"]), _name(table["second"]), _key(table["recovery"]), inner)


def _answer(table: dict[str, Any]) -> Answer:
    first, second = table["officers"]
    if not re.fullmatch("[0-9a-f]{16}", table["case"]):
        raise _not_ours()
    return Answer(table["case"], _bytes(table["header"], MAX_HEADER), (_name(first), _name(second)))


_READERS: dict[str, Callable[[dict[str, Any]], Pair | Request | Step | Answer]] = {
    "recovery-pair": _pair, "recovery-request": _request, "recovery-step": _step, "recovery-answer": _answer,
}  # fmt: skip


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise _not_ours()
    return value


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise _not_ours()
    kind_of(value)
    return value


def _bytes(value: Any, limit: int = 64 * 1024) -> bytes:
    if not isinstance(value, str) or len(value) > 2 * limit:
        raise _not_ours()
    data = base64.b64decode(value, validate=True)
    if len(data) > limit:
        raise _not_ours()
    return data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
