"""What the agent asks of the process that checks a bundle, and what it answers. Light: the resident agent loads it."""

from __future__ import annotations

import msgspec

from agent.fleet.release import Emergency

MAX_REQUEST = 48 << 20


class Request(msgspec.Struct):
    """``trusted``: the verified files of the last answer; ``root``: an administrator's own first root (b"": the one
    that the authority ``ca`` states). ``active``: the release in force (0: none), ``back_to``: which one it may be
    replaced by although it is older, ``seen``: release → when it was first seen.
    """

    bundle: bytes
    device: str
    group: str
    now: int
    ca: str = ""
    root: bytes = b""
    trusted: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    active: int = 0
    back_to: int = 0
    seen: dict[int, int] = {}
    offline: bool = False


class Answer(msgspec.Struct):
    """``why`` is "" or the word of the refusal, ``message`` its catalogue key. ``number`` 0: nothing comes into
    force.
    """

    why: str = ""
    message: str = ""
    number: int = 0
    policy: bytes = b""
    back_to: int = 0
    max_age_days: int = 90
    timestamp: int = 0
    trusted: dict[str, bytes] = {}
    numbers: dict[str, int] = {}
    seen: dict[int, int] = {}
    emergency: Emergency | None = None
