"""What whoever counts and files records needs of one, by way of the whole record. The reference, and what serves where
nothing could be compiled. Pure.
"""

from __future__ import annotations

from agent.audit import record
from agent.audit.names import CODE_OF

_CHANNEL, _DECISION, _OF = CODE_OF["channel"], CODE_OF["decision"], CODE_OF["of"]

Glance = tuple[int, int, str, str, str, int | None, bytes]
"""Number, wall clock (µs since 1970 UTC), kind, channel ("": none), decision ("": none), transfer that an outcome
closes (None: none), link. Texts are as long as they are sent: 512 characters at most.
"""


def whole(untrusted: bytes) -> Glance:
    """See ``glance``."""
    raw = record.decode_raw(untrusted)
    channel, decision, of = (raw.fields.get(code) for code in (_CHANNEL, _DECISION, _OF))
    return (
        raw.number,
        raw.time_us,
        raw.kind,
        channel if type(channel) is str else "",
        decision if type(decision) is str else "",
        of if type(of) is int else None,
        raw.link,
    )
