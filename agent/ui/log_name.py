"""The fingerprint of a log as people give it: the 32 digits, or the whole name that programs print."""

from __future__ import annotations

from agent.errors import N_, UsageError

_NAME = "serment-log/"
_DIGITS = 32


def asked_log(text: str | None) -> str | None:
    """The digits in lower case; None: nothing was given. Raises UsageError, also for an empty text: who asks for a
    comparison is not to hear « intact » without one.
    """
    if text is None:
        return None
    digits = "".join(text.split()).lower().removeprefix(_NAME)
    if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise UsageError(
            N_("a log's fingerprint is 32 hexadecimal digits, not {found}"),
            hint=N_("serment audit verify says it on the laptop, the collector on its page"), found=repr(text[:80]),
        )  # fmt: skip
    return digits
