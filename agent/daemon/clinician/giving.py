"""One held document takes its way out: as it is with a reason, sealed, or towards the secure mail.

Each writes its record when all is copied and before it is given; what fails leaves the document in quarantine, and
nothing in the log. Called by one thread.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from agent.actions.entry import Entry
from agent.audit.record import Kind
from agent.crypto.sealed import neutral_name, seal
from agent.daemon.clinician.reach import EMERGENCY, MAIL, SEAL, Reach
from agent.errors import N_, HostError
from agent.policy.answers import Attach

DAY_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants of one document or one batch. ``to``: the folder of a mail's attachments."""

    how: str
    uid: int
    by: str  # owner or administrator
    why: str = ""
    text: str = ""
    batch: str = ""  # id of the batch when it is wanted of a whole one
    to: bytes = b""
    pass_id: str = ""  # of the emergency


def give(reach: Reach, entry: Entry, wish: Wish, *, first: bool) -> bytes:
    """Let it go; returns the folder and name it has now. ``first`` of its batch: the person's words are kept with it.

    Raises SermentError, OSError; the document is then still held.
    """
    if wish.how == MAIL:
        return _to_mail(reach, entry, wish)
    fields: dict[str, object] = {"held": entry.id, "by": wish.by, "how": wish.how, "of": max(entry.number, 0)}
    fields |= {"why": wish.why, "reason_length": len(wish.text)} if wish.how != SEAL else {}
    fields |= {key: value for key, value in (("batch", wish.batch), ("pass", wish.pass_id)) if value}
    private = {"reason": wish.text} if wish.text and first else b""
    fields["user"] = reach.user(entry.uid)
    recorded = partial(
        reach.append, Kind.RELEASE, fields, durable=first, private=private, owner=entry.uid if private else -1
    )
    if wish.how == SEAL:
        return _sealed(reach, entry, b"", recorded)
    days = 1 if wish.how == EMERGENCY else reach.answers.release_days
    until = int(time.time()) + days * DAY_S
    given = reach.store.release(entry.id, entry.uid, wish.text or wish.why, until, recorded)
    reach.given_back(entry)
    return given.folder + b"/" + given.name


def _sealed(reach: Reach, entry: Entry, folder: bytes, recorded: Callable[[], object]) -> bytes:
    """The sealed file is made and checked on the laptop, then written as its owner to where the document was going,
    or into ``folder``. ``recorded`` writes it down just before it has its name there.
    """
    source = reach.store.content(entry)
    try:
        with contextlib.ExitStack() as stack:
            draft = stack.enter_context(reach.store.journal.draft())
            info = seal(source, entry.size, entry.tail, entry.mtime_ns, reach.keys.recipients(entry.uid), draft.fd)
            if info.sha256 != entry.sha256:
                raise HostError(N_("the content of {id} is missing"), id=entry.id)
            os.fsync(draft.fd)
            size = os.fstat(draft.fd).st_size
            given = reach.store.put_instead(
                entry.id, entry.uid, draft.fd, size, info.sealed_sha256, neutral_name(), folder, recorded
            )
    finally:
        os.close(source)
    reach.given_back(entry)
    return given.folder + b"/" + given.name


def _to_mail(reach: Reach, entry: Entry, wish: Wish) -> bytes:
    """Into a folder of the person's own, for the mail program, as the policy says: as it is or sealed."""
    fields = {"held": entry.id, "by": wish.by, "how": MAIL, "user": reach.user(entry.uid)}
    recorded = partial(reach.append, Kind.RESTORE, fields)
    if reach.answers.mail.attach is Attach.SEALED:
        return _sealed(reach, entry, wish.to, recorded)
    given = reach.store.restore(entry.id, entry.uid, wish.to, guarded=reach.guarded(), recorded=recorded)
    reach.given_back(entry)
    return given.folder + b"/" + given.name
