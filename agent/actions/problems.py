"""What the file system answered, as one of a few stable words, and as an outcome."""

from __future__ import annotations

import errno
from collections.abc import Callable

from agent.actions.base import OpenTransfer
from agent.actions.removal import Removal
from agent.errors import ChangedError, SermentError
from agent.model import Decision, Outcome, Result

_WORDS = {
    errno.ENOSPC: "disk-full",
    errno.EDQUOT: "disk-full",
    errno.EROFS: "read-only",
    errno.EACCES: "permission",
    errno.EPERM: "permission",
    errno.EFBIG: "too-large",
    errno.ENAMETOOLONG: "name-too-long",
    errno.EBUSY: "in-use",
    errno.ETXTBSY: "in-use",
    errno.ENOENT: "gone",
    errno.ENOTDIR: "gone",
    errno.ESTALE: "gone",
}


def word(error: OSError) -> str:
    """``disk-full``, ``read-only``, ``permission``, ``too-large``, ``in-use``, ``gone``, else ``io-error``."""
    return _WORDS.get(error.errno or 0, "io-error")


def not_removed(removal: Removal, decision: Decision) -> Outcome:
    """The outcome when the original's name was left alone."""
    if removal is Removal.CHANGED:
        return Outcome(Result.CHANGED, decision)
    if removal is Removal.GONE:
        return Outcome(Result.GONE, decision, problem="gone")
    return Outcome(Result.FAILED, decision, problem="in-use")


def guarded(decision: Decision, act: Callable[[OpenTransfer], Outcome], transfer: OpenTransfer) -> Outcome:
    """What ``act`` says, or the outcome that its error means. Errors of ours that are no SermentError go on up."""
    try:
        return act(transfer)
    except ChangedError:
        return Outcome(Result.CHANGED, decision)
    except SermentError:
        return Outcome(Result.FAILED, decision, problem="keys")  # the only ones below: keys that cannot be used
    except OSError as error:
        problem = word(error)
        return Outcome(Result.GONE if problem == "gone" else Result.FAILED, decision, problem=problem)
