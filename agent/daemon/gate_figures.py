"""How the gate is, in figures, out of the memory that it shares with the agent. Owns nothing."""

from __future__ import annotations

from typing import Any

from agent.daemon.canary import Canary
from agent.gates.gate.board import Board


def figures(board: Board, canary: Canary) -> dict[str, Any]:
    """For ``serment status``: times in milliseconds; our own trials are not counted. ``outside``: whether files outside
    the guarded folders are asked about each time, or the kernel remembers their folders (``bpf_moves``).
    """
    counts = board.counts()
    longest = counts["longest_ns"]  # the others are upper ends of classes
    return {
        "p50_ms": min(board.quantile_ns(0.5), longest) / 1e6, "p99_ms": min(board.quantile_ns(0.99), longest) / 1e6,
        "max_ms": longest / 1e6, "cached": counts["cached"],
        "refused": max(0, counts["refused"] - canary.refused), "asked": counts["asked"] - canary.asked,
        "fallback": counts["fallback"], "restarts": counts["restarts"],
        "ignored": counts["ignored"], "outside": "remembered" if counts["moves"] else "asked",
        "canary": canary.status(),
    }  # fmt: skip
