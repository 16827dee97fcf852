"""A policy file that cannot be used, as the agent tells it: file, line, rule, what was expected and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.errors import N_, PolicyError
from agent.fleet.refusal_words import REASONS
from agent.ui.printable import printable
from agent.ui.wording import Translate


def refusal_of(told: Mapping[str, Any], translate: Translate) -> tuple[str, str]:
    """(what is wrong, what to do), in the reader's language; ``told`` is ``policy.refusal`` of the status."""
    fields = {key: value for key, value in told["fields"].items() if key not in {"hint", "where"}}
    error = PolicyError(told["message"], hint=told["hint"], where=printable(told["where"]), **fields)
    text, hint = error.said(translate)
    if fields.get("expected") and fields.get("found"):
        pair = translate(N_("expected: {expected}; found: {found}"))
        expected = translate(str(fields["expected"]))
        text += f" ({pair.format(expected=printable(expected), found=printable(str(fields['found'])))})"
    return text, hint


def refusal_worded(fields: Mapping[str, Any], translate: Translate) -> dict[str, Any]:
    """The fields of a trouble, with what « why » means where it is the word for a refused release."""
    worded = dict(fields)
    if (meant := REASONS.get(str(fields.get("why", "")))) is not None:
        worded["why"] = translate(meant)
    return worded
