"""The kinds of change that verification tells apart, in words. Append only: programs read the words."""

from __future__ import annotations

from enum import StrEnum

from agent.errors import N_, TamperError


class Tampering(StrEnum):
    """The kind of change that fits what is found."""

    EDITED = "edited"
    INSERTED = "inserted"
    DELETED = "deleted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    HEAD_REPLACED = "head-replaced"
    RESEALED = "resealed"
    UNSEALED = "unsealed"
    KEY_REPLACED = "key-replaced"
    SPLICED = "spliced"
    FORKED = "forked"


_TEXTS = {
    Tampering.EDITED: N_("record {index} was changed after it was written"),
    Tampering.INSERTED: N_("record {index} was inserted later"),
    Tampering.DELETED: N_("record {index} was removed"),
    Tampering.REORDERED: N_("record {index} is not at its place"),
    Tampering.TRUNCATED: N_("the log was cut off before record {index}"),
    Tampering.HEAD_REPLACED: N_("the head of the log does not belong to it: it differs at record {index}"),
    Tampering.RESEALED: N_("the log was sealed anew from record {index} on, by somebody who had not the keys of then"),
    Tampering.UNSEALED: N_("the seals from record {index} on were removed"),
    Tampering.KEY_REPLACED: N_("the session at record {index} was opened with a key that the log never announced"),
    Tampering.SPLICED: N_("from record {index} on this is the log of another laptop"),
    Tampering.FORKED: N_("the log is not the one that the collector signed: it differs at record {index} or before"),
}


def tampered(kind: Tampering, index: int) -> TamperError:
    """The error that names the first bad record and the kind of change that fits."""
    return TamperError(
        _TEXTS[kind],
        hint=N_("keep a copy of the folder as evidence and compare it with the collector's records"),
        index=index,
        kind=kind,
    )
