"""Seal: the document is replaced by a sealed file beside it, for the clinician and the practice.

The sealed file is complete, read back and durable under a name that says nothing before the original goes. A file that
already is one of ours stays as it is: sealing twice is sealing once.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from agent.actions.base import OpenTransfer
from agent.actions.copying import digest_of, require_room, require_unchanged, require_writable
from agent.actions.journal import Intent, Journal
from agent.actions.problems import guarded, not_removed
from agent.actions.quarantine import owner_of_transfer
from agent.actions.removal import Removal, remove_judged, still_there
from agent.crypto.keys import KeyStore
from agent.crypto.sealed import SealedInfo, is_sealed, is_sealed_for, looks_sealed, neutral_name, seal
from agent.fsys.draft import Draft
from agent.fsys.openat import parent_folder
from agent.fsys.rename import sync_folder_fd
from agent.model import Decision, Outcome, Result

_NAME_ATTEMPTS = 64


class Encrypt:
    def __init__(self, keys: KeyStore, journal: Journal) -> None:
        self._keys = keys
        self._journal = journal

    def apply(self, transfer: OpenTransfer) -> Outcome:
        """Seal what was written, or let the sealed file go in its stead. ``held`` is the sealed file's name."""
        act: Callable[[OpenTransfer], Outcome] = self._seal_written if transfer.hold is None else self._seal_held
        return guarded(Decision.ENCRYPT, act, transfer)

    def already(self, transfer: OpenTransfer) -> bool:
        """Whether the document is a sealed one of this laptop's already. Raises SermentError, OSError."""
        if not is_sealed(transfer.fd):
            return False
        identities = self._keys.opening(owner_of_transfer(transfer, os.fstat(transfer.fd)))
        return is_sealed_for(transfer.fd, *identities) if identities else looks_sealed(transfer.fd)

    def _seal_written(self, transfer: OpenTransfer) -> Outcome:
        if self.already(transfer):
            return Outcome(Result.DONE, Decision.ENCRYPT)
        require_writable(transfer.root_fd)
        require_unchanged(transfer.fd, transfer.stamp)
        recipients = self._recipients(transfer)
        intent = Intent(
            secrets.token_hex(8), transfer.event.place.root, transfer.event.name, transfer.stamp, transfer.number
        )
        with parent_folder(transfer.root_fd, transfer.event.name) as (folder_fd, tail):
            if not still_there(folder_fd, tail, transfer.stamp):
                os.stat(tail, dir_fd=folder_fd, follow_symlinks=False)  # ENOENT: it is gone
                return Outcome(Result.CHANGED, Decision.ENCRYPT)
            with self._journal.at_work(intent.token):
                return self._replace(transfer, folder_fd, intent, recipients)

    def _replace(self, transfer: OpenTransfer, folder_fd: int, intent: Intent, recipients: tuple[str, ...]) -> Outcome:
        token, resolved, removal = intent.token, True, None
        self._journal.write(intent)
        try:
            with Draft(folder_fd, token) as draft:
                info = _fill(transfer, recipients, draft)
                name = self._show(draft, folder_fd, intent, info)
                try:
                    removal = remove_judged(transfer.root_fd, intent.name, intent.stamp, token)
                    if removal is not Removal.REMOVED:
                        draft.withdraw(name)
                except OSError:
                    resolved = _taken_back(transfer, draft, name)
                    raise
        finally:
            if resolved and removal is not Removal.REMOVED:
                self._journal.close(token)  # else it is closed once the outcome is written: ``Journal.settled``
        if removal is not Removal.REMOVED:
            return not_removed(removal, Decision.ENCRYPT)
        return Outcome(Result.DONE, Decision.ENCRYPT, held=name.decode("ascii"), recipients=recipients)

    def _show(self, draft: Draft, folder_fd: int, intent: Intent, info: SealedInfo) -> bytes:
        """Under the first neutral name that is free; the journal knows it before the folder does."""
        for _ in range(_NAME_ATTEMPTS):
            name = neutral_name()
            self._journal.write(replace(intent, sealed=name, sealed_sha256=info.sealed_sha256))
            try:
                draft.publish(name)
            except FileExistsError:
                continue
            sync_folder_fd(folder_fd)
            return name
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    def _seal_held(self, transfer: OpenTransfer) -> Outcome:
        """The sealed file is made on the laptop's own disk; the gate carries it over."""
        assert transfer.hold is not None
        if self.already(transfer):
            transfer.hold.release()
            return Outcome(Result.DONE, Decision.ENCRYPT)
        with ExitStack() as opened:
            try:
                recipients = self._recipients(transfer)
                draft = opened.enter_context(self._journal.draft())
                _fill(transfer, recipients, draft)
                os.lseek(draft.fd, 0, os.SEEK_SET)
            except BaseException:
                transfer.hold.refuse()  # what cannot be sealed does not go
                raise
            name = neutral_name()
            transfer.hold.substitute(draft.fd, name)
            name = transfer.hold.name or name  # a second state of the document replaces the first one's sealed file
        return Outcome(Result.DONE, Decision.ENCRYPT, held=name.decode("ascii", "replace"), recipients=recipients)

    def _recipients(self, transfer: OpenTransfer) -> tuple[str, ...]:
        return self._keys.recipients(owner_of_transfer(transfer, os.fstat(transfer.fd)))


def _fill(transfer: OpenTransfer, recipients: tuple[str, ...], draft: Draft) -> SealedInfo:
    """Write the sealed document, with the owner and rights of the plain one, and read it back.

    Raises ChangedError, SealError, OSError.
    """
    state, stamp = os.fstat(transfer.fd), transfer.stamp
    require_room(draft.fd, stamp.size)
    tail = transfer.event.name.rpartition(b"/")[2]
    info = seal(transfer.fd, stamp.size, tail, stamp.mtime_ns, recipients, draft.fd)
    require_unchanged(transfer.fd, stamp)
    draft.own(state.st_uid, state.st_gid, state.st_mode | 0o600)
    os.fsync(draft.fd)
    if digest_of(draft.fd) != info.sealed_sha256:
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    return info


def _taken_back(transfer: OpenTransfer, draft: Draft, name: bytes) -> bool:
    """After a failed removal: withdraw the sealed file when the original is seen in its place. False: not known yet."""
    try:
        if still_there(transfer.root_fd, transfer.event.name, transfer.stamp):
            draft.withdraw(name)
            return True
    except OSError:
        pass
    return False
