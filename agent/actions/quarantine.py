"""Where held documents lie until their owner has them back: taken, finished or discarded, given back, released.

Owns what becomes of an entry; ``shelf`` has the folder it lies in, ``quarantine/journal/`` is agent.actions.journal's.
An entry appears whole (rename) after its content was read back. It copies and gives back; whether and when the
original goes is the action's business. One process at a time works here; its threads may share the store. Nothing is
ever overwritten to make room.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from agent.actions.base import OpenTransfer
from agent.actions.copying import copy_judged, digest_of
from agent.actions.entry import HELD, RELEASED, RESTORED, TAKEN, Entry
from agent.actions.giveback import GivenBack, give_back
from agent.actions.journal import Journal
from agent.actions.removal import same_file
from agent.actions.shelf import PARTIAL, Shelf, remove_tree
from agent.errors import N_, ChangedError, HostError, UsageError
from agent.fsys.asuser import may_read
from agent.fsys.atomic import replace_file, sync_folder

KEEP_RESTORED_S = 30 * 24 * 3600  # seconds that a copy stays after its owner has the document back
NO_INTENT = -1  # an entry that says nothing about how any one transfer ended


class QuarantineStore(Shelf):
    """The documents held below ``folder``. Raises OSError when the folder cannot be made."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.journal = Journal(folder / "journal")
        self._giving: tuple[Entry, ...] = ()  # being released at this moment
        self._in_hand: set[str] = set()  # taken by a thread that has neither finished nor discarded it

    def take(self, transfer: OpenTransfer) -> Entry:
        """Copy the judged document here, durably and verified; the original is not touched.

        The same file taken before (the agent was killed in between), or the same content held at the same place before
        (a sync client brought it again), gives that entry. Raises ChangedError, OSError (ENOSPC, EIO, ...).
        """
        for entry in self.unfinished():
            if _same_origin(entry, transfer):
                self.claim(entry)
                try:
                    if self.verified(entry) and self._entries.get(entry.id) == entry:
                        return entry
                except BaseException:
                    self.leave(entry)
                    raise
                self.leave(entry)
        entry = _entry_for(transfer, self._new_id())
        partial = self.folder / (entry.id + PARTIAL)
        try:
            return self._take_into(partial, entry, transfer)
        except BaseException:
            remove_tree(partial)
            raise

    def claim(self, entry: Entry) -> None:
        """Take it in hand, until ``finish``, ``discard`` or ``leave``. Raises ChangedError: another thread has it and
        is perhaps removing this very original: its copy is not ours to discard.
        """
        with self._lock:
            if entry.id in self._in_hand:
                raise ChangedError(N_("the document is no longer the one that was judged"))
            self._in_hand.add(entry.id)

    def leave(self, entry: Entry) -> None:
        """Nobody has it in hand any more: whoever comes next, or recovery, goes on with this copy."""
        with self._lock:
            self._in_hand.discard(entry.id)

    def _take_into(self, partial: Path, entry: Entry, transfer: OpenTransfer) -> Entry:
        partial.mkdir(mode=0o700)
        fd = os.open(partial / "content", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            entry = entry.with_state(TAKEN, sha256=copy_judged(transfer.fd, transfer.stamp, fd))
        finally:
            os.close(fd)
        known = self._held_before(entry)
        if known is not None:
            remove_tree(partial)
            again = known.with_state(
                TAKEN, stamp=entry.stamp, number=entry.number, copies=known.copies + 1,
                rule=entry.rule, action=entry.action,  # what holds it now says which ways out there are
            )  # fmt: skip
            self.claim(again)
            try:
                with self._lock:
                    return self._save(again)
            except BaseException:
                self.leave(again)
                raise
        replace_file(partial / "meta.json", entry.encode())
        partial.rename(self.folder / entry.id)
        sync_folder(self.folder)
        with self._lock:
            self._in_hand.add(entry.id)
            self._entries[entry.id] = entry
        return entry

    def _held_before(self, entry: Entry) -> Entry | None:
        for known in self.list():
            same = (known.sha256, known.root, known.name, known.uid) == (
                entry.sha256,
                entry.root,
                entry.name,
                entry.uid,
            )
            if same and known.state == HELD and self.verified(known):
                return known
        return None

    def finish(self, entry: Entry) -> Entry:
        """The original is gone: from now on this is the document. Never raises: it holds whether written down or not.

        What could not be written (a full disk) is found out again at the next start, as after a kill.
        """
        held = entry.with_state(HELD)
        with self._lock:
            self._in_hand.discard(entry.id)
            try:
                return self._save(held)
            except OSError:
                self._entries[entry.id] = held
                return held

    def discard(self, entry: Entry) -> None:
        """The original stays: forget the copy, or the news of one more. Raises OSError."""
        with self._lock:
            self._in_hand.discard(entry.id)
            if self._entries.get(entry.id) != entry:
                return  # somebody finished it, or it is gone: there is no copy of ours to forget
            if entry.copies > 1:
                self._save(entry.with_state(HELD, copies=entry.copies - 1, number=NO_INTENT))
            else:
                self._remove(entry)

    def restore(
        self, entry_id: str, uid: int, folder: bytes, *, guarded: Sequence[bytes] = (), keep: bool = True,
        as_root: bool = False, recorded: Callable[[], object] = bool,
    ) -> GivenBack:  # fmt: skip
        """Give the document back into ``folder`` (absolute), written with its owner's rights; never overwrites.

        ``uid`` is who asks: the owner, or root; with ``as_root`` root gets it for itself. ``guarded`` are the
        roots that a restored document may not go to. The copy here stays for 30 days, or goes at once when ``keep``
        is false. ``recorded`` writes it down, as for ``give_back``.
        Raises UsageError (no such document, guarded folder), HostError (cannot be written, content damaged); the
        document then stays here.
        """
        entry = self.get(entry_id, uid)
        given = self._give(entry, 0 if as_root and uid == 0 else entry.uid, folder, guarded, recorded)
        if keep:
            self._given(entry, RESTORED)
        else:
            with self._lock:
                self._remove(entry)
        return given

    def release(
        self, entry_id: str, uid: int, reason: str, free_until: int = 0, recorded: Callable[[], object] = bool
    ) -> GivenBack:
        """Put the document back in the place it was held on the way to, for a reason; raises like restore.

        ``free_until``: seconds since the epoch until which it may go there again (0: while the copy is kept).
        """
        if not reason.strip():
            raise UsageError(N_("a document is released for a reason"), hint=N_("say it with --reason"))
        entry = self.get(entry_id, uid)
        with self._on_its_way(entry):
            given = self._give(entry, entry.uid, entry.root.rstrip(b"/") + b"/" + entry.folder, (), recorded)
            name = entry.name[: -len(entry.tail)] + given.name
            self._given(
                entry, RELEASED, reason=reason.strip()[:1000], stamp=given.stamp, name=name, free_until=free_until
            )
        return given

    @contextlib.contextmanager
    def _on_its_way(self, entry: Entry) -> Iterator[None]:
        """Whoever asks is told that this is released, from before it is written until that is written down. Without the
        lock: the folder is a person's, opening it may take as long as a network does, and others are held meanwhile.
        """
        with self._lock:
            self._giving += (entry,)
        try:
            yield
        finally:
            with self._lock:
                self._giving = tuple(other for other in self._giving if other is not entry)

    def put_instead(
        self, entry_id: str, uid: int, fd: int, size: int, sha256: str, name: bytes, folder: bytes = b"",
        recorded: Callable[[], object] = bool,
    ) -> GivenBack:  # fmt: skip
        """Put what was made of the document (its sealed file, called ``name``) where the document was on its way to,
        or into ``folder``.

        The document stays here for 30 days and is released to nowhere. Raises like restore.
        """
        entry = self.get(entry_id, uid)
        made = replace(entry, size=size, sha256=sha256, name=entry.name[: -len(entry.tail)] + name)
        with self._on_its_way(made):
            target = folder or entry.root.rstrip(b"/") + b"/" + entry.folder
            given = give_back(made, fd, target, entry.uid, recorded=recorded)
            self._given(entry, RESTORED)
        return given

    def _give(
        self, entry: Entry, rights: int, folder: bytes, guarded: Sequence[bytes], recorded: Callable[[], object]
    ) -> GivenBack:
        try:
            content = self._open_content(entry)
        except OSError as error:
            raise HostError(N_("the content of {id} is missing"), id=entry.id) from error
        try:
            return give_back(entry, content, folder, rights, guarded, recorded)
        finally:
            os.close(content)

    def _given(self, entry: Entry, state: str, **changes: object) -> None:
        with self._lock:
            if entry.id in self._entries:
                self._save(entry.with_state(state, keep_until=int(time.time()) + KEEP_RESTORED_S, **changes))

    def released(self, transfer: OpenTransfer) -> str | None:
        """The id under which exactly this document was released to exactly this place, so that it is not held again.

        Raises OSError when the document cannot be read.
        """
        root, name = transfer.event.place.root, transfer.event.name
        for entry in self._giving:
            if (entry.root, entry.size) == (root, transfer.stamp.size) and digest_of(transfer.fd) == entry.sha256:
                return entry.id
        for entry in self.list():
            if (entry.state, entry.root, entry.name, entry.size) != (RELEASED, root, name, transfer.stamp.size):
                continue
            if entry.free_until and time.time() > entry.free_until:
                continue
            if digest_of(transfer.fd) == entry.sha256:  # size and times can be forged
                return entry.id
        return None

    def keep(self, transfer: OpenTransfer) -> str:
        """Take and finish in one: for a document that is refused and may have no other copy. Raises like take."""
        return self.finish(self.take(transfer)).id


def _same_origin(entry: Entry, transfer: OpenTransfer) -> bool:
    place = transfer.event.place
    return (entry.root, entry.name) == (place.root, transfer.event.name) and same_file(entry.stamp, transfer.stamp)


def owner_of(state: os.stat_result, clinician: int) -> int:
    """Whose document it is: the clinician's whose folder it lies in, unless that person could not have read it.

    A hard link to somebody else's file must not become a way to get at its content.
    """
    return clinician if may_read(clinician, state) else state.st_uid


def owner_of_transfer(transfer: OpenTransfer, state: os.stat_result) -> int:
    """Whose the document of a transfer is: what is held belongs to who writes it, not to the file it is staged in."""
    return owner_of(state, transfer.event.place.owner) if transfer.owner is None else transfer.owner


def _entry_for(transfer: OpenTransfer, entry_id: str) -> Entry:
    state = os.fstat(transfer.fd)
    event, now = transfer.event, int(time.time())
    return Entry(
        id=entry_id, root=event.place.root, name=event.name, uid=owner_of_transfer(transfer, state),
        mode=(state.st_mode & 0o777) | (0o600 if transfer.hold else 0), mtime_ns=transfer.stamp.mtime_ns,
        size=transfer.stamp.size, sha256="",
        stamp=transfer.stamp, channel=event.place.channel, service=event.place.service[:64],
        rule=transfer.verdict.rule[:200], action=transfer.verdict.decision, number=transfer.number, taken=now,
        day=time.strftime("%Y-%m-%d", time.localtime(now)), before=transfer.hold is not None,
    )  # fmt: skip
