"""One record of the usual shape, written in one pass; ``record`` writes any other, or says what is wrong. Pure.

The agent does this for every document that passes, so what is usual is written by a compiled walk over the fields. It
declines whatever is unusual, and wherever it could not be compiled ``record`` writes all. Where both write, they write
the same bytes (``tests/unit/audit/test_packing.py``). ``COMPILED`` says whether it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["COMPILED", "quick"]

try:
    from agent.audit.packing._compiled import quick

    COMPILED = True
except ImportError:
    COMPILED = False

    def quick(
        index: int,  # noqa: ARG001
        time_us: int,  # noqa: ARG001
        monotonic_ms: int,  # noqa: ARG001
        boot: bytes,  # noqa: ARG001
        link: bytes,  # noqa: ARG001
        nonce: bytes,  # noqa: ARG001
        kind: str,  # noqa: ARG001
        fields: Mapping[str, Any],  # noqa: ARG001
    ) -> bytes | None:
        """Nothing is usual."""
        return None
