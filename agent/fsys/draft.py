"""A file that appears whole or not at all, in a folder that other people can write to.

The draft has no name where the file system allows it (O_TMPFILE), so that neither a sync client nor a hostile user can
see or swap it; elsewhere it is called ``.serment-TOKEN.tmp``. Whoever makes the draft writes to ``fd`` and publishes;
leaving the context without publishing leaves nothing behind. Owner and rights are set on the descriptor.
"""

from __future__ import annotations

import errno
import os
import secrets
from types import TracebackType

from agent.fsys.openat import open_beneath
from agent.fsys.rename import free_names, rename_noreplace

_NO_UNNAMED = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.EISDIR, errno.ENOENT, errno.ENOSYS})
_NO_OWNERS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


def temporary_name(token: str) -> bytes:
    """The name of a draft with this token, where it needs one."""
    return b".serment-" + token.encode("ascii") + b".tmp"


class Draft:
    """``fd`` is open for reading and writing; ``visible`` says whether a temporary name stands in the folder.

    Raises OSError (ENOSPC, EROFS, EACCES, EIO, ...). The folder's descriptor stays the caller's.
    """

    def __init__(self, folder_fd: int, token: str = "", *, unnamed: bool = True) -> None:
        self._folder = folder_fd
        self._name = temporary_name(token or secrets.token_hex(8))
        self._published = False
        self.visible = False
        self.fd = self._open_unnamed() if unnamed else -1
        if self.fd < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            self.fd = open_beneath(folder_fd, self._name, flags, 0o600)
            self.visible = True

    def _open_unnamed(self) -> int:
        try:
            return os.open(b".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600, dir_fd=self._folder)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
            return -1

    def own(self, uid: int, gid: int, mode: int) -> None:
        """Owner and rights; on a file system without owners (FAT) the mount decides and nothing is changed.

        Without root the owner stays who we are. Raises OSError (EDQUOT, EIO, ...).
        """
        try:
            os.fchown(self.fd, uid, gid)
        except OSError as error:
            if error.errno not in _NO_OWNERS:
                raise
        try:
            os.fchmod(self.fd, mode & 0o666)
        except OSError as error:
            if error.errno not in _NO_OWNERS:
                raise

    def publish(self, name: bytes) -> None:
        """Show the file as ``name``; FileExistsError when that is taken, ESTALE when somebody swapped the draft."""
        if self.visible:
            rename_noreplace(self._folder, self._name, self._folder, name)
        else:
            os.link(f"/proc/self/fd/{self.fd}", name, dst_dir_fd=self._folder, follow_symlinks=True)
        self._published = True
        if not self.is_at(name):
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def publish_free(self, name: bytes) -> bytes:
        """Show the file under the first free one of ``free_names(name)``, which is returned."""
        for candidate in free_names(name):
            try:
                self.publish(candidate)
            except FileExistsError:
                continue
            return candidate
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    def replace(self, name: bytes) -> None:
        """Show the file as ``name`` in the place of what is there now."""
        if not self.visible:
            os.link(f"/proc/self/fd/{self.fd}", self._name, dst_dir_fd=self._folder, follow_symlinks=True)
            self.visible = True
        os.rename(self._name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._published = True

    def is_at(self, name: bytes) -> bool:
        """Whether ``name`` in the folder is this very file."""
        ours = os.fstat(self.fd)
        try:
            there = os.stat(name, dir_fd=self._folder, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def withdraw(self, name: bytes) -> None:
        """Take a published file back, if ``name`` still is it. Raises OSError."""
        if self.is_at(name):
            os.unlink(name, dir_fd=self._folder)

    def __enter__(self) -> Draft:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.visible and not self._published:
                self.withdraw(self._name)
        except OSError:
            pass  # a volume that is gone took the draft with it; recovery knows the token
        finally:
            os.close(self.fd)
