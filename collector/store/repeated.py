"""The columns of ``laptops`` that repeat what its summary and its report say, for counting and searching. Pure."""

from __future__ import annotations

from typing import Any

from collector import fleet
from collector.report import parse_report, refusal


def of_summary(summary: str) -> dict[str, Any]:
    """From a summary (JSON). A zero byte, which PostgreSQL's text has not, is left out."""
    found = fleet.from_json(summary)
    words = {
        "guard": found.guard, "policy_name": found.policy, "policy_release": found.release, "policy_mode": found.mode,
    }  # fmt: skip
    running = None if found.running is None else int(found.running)
    return {"running": running, **{name: word.replace("\0", "") for name, word in words.items()}}


def of_laptop(summary: str, report: bytes) -> dict[str, Any]:
    """From a summary and a report as they are stored."""
    why, number = refusal(parse_report(report))
    return {**of_summary(summary), "refused_why": why, "refused_number": number}
