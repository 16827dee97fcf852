"""The record of a transfer as the agent writes it, a clock that stands still, and a kill."""

from agent.audit import checkpoint, frames, tree
from agent.audit.checkpoint import Seal, Why
from agent.audit.frames import FrameType
from agent.crypto.signing import FileKey, OnceKey

TRANSFER = {
    "channel": "removable", "service": "usb", "arrival": "new", "judgement": "medical", "kind": "lab-report",
    "confidence": 930, "identified": True, "patients": 1, "test": False, "format": "pdf", "problem": "", "size": 12345,
    "ext": "pdf", "decision": "encrypt", "wanted": "encrypt", "rule": "usb-01", "policy": "enforce",
    "release": "0123456789ab", "mode": "enforce", "exception": "", "act": False, "file": "a" * 32, "volume": "b" * 32,
    "device": {"bus": "usb", "vendor_id": "0951", "product_id": "1666", "serial": "c" * 32}, "user": "p_7Qm3",
}  # fmt: skip


def opening():
    """The frame of a first opening: what an honest log begins with."""
    by, following, key = FileKey(), FileKey(), OnceKey()
    bare = Seal(
        Why.OPEN, 0, 1, tree.EMPTY_ROOT, key.public, identity=by.public, by=by.public, next_start=following.public
    )
    text = checkpoint.text(bare, checkpoint.origin(by.public))
    return frames.pack(FrameType.CHECKPOINT, checkpoint.pack(bare._replace(signature=by.sign(text))))


class StillClock:
    boot = "0badcafe"

    def __init__(self):
        self.seconds = 1_795_289_704

    def now(self):
        return self.seconds * 1_000_000, 42


def abandon(log):
    """What kill -9 leaves: the files as they are, the lock gone, nothing written."""
    log._let_go()
