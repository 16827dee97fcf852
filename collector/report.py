"""What a laptop's last report says: an object, and whether it refuses what is published. Pure; every value hostile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

MAX_NUMBER = (1 << 53) - 1
MAX_WORD = 32


def parse_report(untrusted: bytes) -> Mapping[str, Any]:
    """A laptop's report; {} when there is none or it is not an object."""
    try:
        found = msgspec.json.decode(untrusted) if untrusted else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def refusal(report: Mapping[str, Any]) -> tuple[str, int]:
    """Why it does not take what is published, in a word that a terminal may show ("": it does), and the release that
    it got and refused (0: it was not got so far).
    """
    why, policy = report.get("tuf_refused"), report.get("policy")
    if why:
        return _word(why), 0
    if not isinstance(policy, dict) or not policy.get("why"):
        return "", 0
    number = policy.get("refused")
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_NUMBER:
        number = 0
    return _word(policy["why"]), number


def _word(untrusted: object) -> str:
    word = untrusted[:MAX_WORD] if isinstance(untrusted, str) else ""
    return word if word and word.isascii() and word.isprintable() else "?"
