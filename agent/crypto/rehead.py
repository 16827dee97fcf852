"""A sealed file gets another header; its payload is copied byte for byte, never opened.

That is how keys are rotated, a colleague is let in or left out, and access is restored: whoever has the file key makes
the new header. The new file is whole and durable before it takes the old one's place; owner, rights and times stay.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from agent.crypto import header
from agent.crypto.header import Header, Stanza
from agent.crypto.keys import KeyStore
from agent.crypto.recipients import one_kind, opened_by, wrap
from agent.crypto.sealed import read_header
from agent.errors import N_, ChangedError, HostError, SealError
from agent.fsys.atomic import stamp, write_all
from agent.fsys.draft import Draft
from agent.fsys.openat import open_regular
from agent.fsys.rename import sync_folder_fd

_CHUNK = 1 << 20  # bytes copied at once
_BY_HAND = frozenset({errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM})


def new_header(old: Header, file_key: bytes, recipients: Sequence[str], ours: Sequence[int] | None) -> bytes:
    """A header for ``recipients``. ``ours`` are the numbers of the stanzas that they replace; those of others stay,
    as long as they are of the same kind. None: nobody's stay.

    Raises SealError: ``file_key`` is not the one of ``old``, recipients of two kinds, more of them than we read again.
    """
    old.prove(file_key)
    kind = one_kind(recipients)
    others = [each for number, each in enumerate(old.stanzas) if ours is not None and number not in ours]
    kept: list[Stanza] = [each for each in others if each.kind == kind.stanza]
    if len(recipients) + len(kept) > header.MAX_STANZAS:
        raise SealError(
            N_("this sealed file would name more recipients than Serment reads ({limit})"),
            hint=N_("serment keys rotate --only-current takes those away that are not current"),
            limit=header.MAX_STANZAS,
        )  # fmt: skip
    return header.build([*(wrap(file_key, each) for each in recipients), *kept], file_key)


def stanzas_of(old: Header, identities: Sequence[str]) -> list[int]:
    """The numbers of the stanzas that one of ``identities`` opens."""
    return [number for number, stanza in enumerate(old.stanzas) if opened_by(stanza, identities) is not None]


def opens(keys: KeyStore, uid: int, old: Header) -> bool:
    """Whether ``uid`` opens it with keys of their own; False also where those are locked, and nobody can tell."""
    try:
        return bool(stanzas_of(old, keys.identities(uid)))
    except (SealError, HostError):
        return False


def replace_header(folder_fd: int, name: bytes, head: bytes, old: Header) -> None:
    """Put ``head`` in the place of the header of the sealed file ``name``, in a folder of ours or of somebody else.

    Raises ChangedError when the file is another one by now, SealError, OSError (ENOSPC, EROFS, …); the file is then as
    it was.
    """
    fd = open_regular(folder_fd, name)
    try:
        before = stamp(fd)
        if read_header(fd) != old:
            raise ChangedError(N_("this file was changed in the meantime; nothing was done"))
        with Draft(folder_fd) as draft:
            write_all(draft.fd, head)
            _copy(fd, old.size, draft.fd)
            state = os.fstat(fd)
            draft.own(state.st_uid, state.st_gid, state.st_mode)
            os.utime(draft.fd, ns=(state.st_atime_ns, state.st_mtime_ns))
            os.fsync(draft.fd)
            if stamp(fd) != before:
                raise ChangedError(N_("this file was changed in the meantime; nothing was done"))
            draft.replace(name)
    finally:
        os.close(fd)
    sync_folder_fd(folder_fd)


def _copy(fd: int, offset: int, to_fd: int) -> None:
    """From ``offset`` to the end, by the kernel where it can."""
    while True:
        try:
            copied = os.copy_file_range(fd, to_fd, 1 << 30, offset)
        except OSError as error:
            if error.errno not in _BY_HAND:
                raise
            break
        if copied == 0:
            break
        offset += copied
    while block := os.pread(fd, _CHUNK, offset):  # what is left where the kernel would not
        write_all(to_fd, block)
        offset += len(block)
