"""How large the log may become and how often it is sealed. Values only; times in seconds, sizes in bytes."""

from __future__ import annotations

from dataclasses import dataclass

from agent.audit.segments import SEGMENT_BYTES

_CROWDED = 0.8


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_bytes`` is for all segments together; above four fifths of it observations are told together.

    Records are sealed and durable after ``flush_after_s``, sealed after ``seal_records`` of them; without news there
    is a seal every ``beat_s``.
    """

    segment_bytes: int = SEGMENT_BYTES
    flush_after_s: float = 1.0
    seal_records: int = 256
    beat_s: float = 900.0
    max_bytes: int = 512 << 20

    @property
    def crowded_bytes(self) -> int:
        """From here on observations are counted."""
        return int(self.max_bytes * _CROWDED)
