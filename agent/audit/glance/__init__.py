"""One look at a record that is to be filed: that it is in its one form, and the few values that it is filed by. Pure.

A collector does this for every record of its fleet, so records of the usual shape are judged by a compiled walk over
their bytes; it declines whatever is unusual, and wherever it could not be compiled ``plain`` judges all. Both accept
the same records and give the same values (``tests/unit/audit/test_glance.py``). ``COMPILED`` says whether it is there.
"""

from __future__ import annotations

from agent.audit.glance.plain import Glance, whole

__all__ = ["COMPILED", "Glance", "glance"]

try:
    from agent.audit.glance._compiled import quick

    COMPILED = True
except ImportError:
    COMPILED = False

    def quick(untrusted: bytes) -> Glance | None:  # noqa: ARG001 - the twin of one that looks
        """Nothing is usual."""
        return None


def glance(untrusted: bytes) -> Glance:
    """The values of a record of version 2. Raises UntrustedInputError, as ``record.decode_raw`` does."""
    return quick(untrusted) or whole(untrusted)
