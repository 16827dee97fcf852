"""What the kernel may ask of the file system, one function an opcode: (volume, request) → body of the reply.

What is not in the table is ENOSYS on purpose, and the kernel remembers it: extended attributes and ACLs (a channel for
bytes that nobody judges), copy_file_range (the kernel then copies through READ and WRITE), ioctl, poll, bmap, O_TMPFILE
(a file without a name that could be linked in later).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.operations import attributes, files, folders, names, opening

if TYPE_CHECKING:
    from agent.gates.airlock.session import Handler, Parts, Request
    from agent.gates.airlock.volume import Volume

_TABLE: dict[int, Callable[[Volume, Request], Parts]] = {
    wire.LOOKUP: names.lookup,
    wire.FORGET: names.forget,
    wire.BATCH_FORGET: names.batch_forget,
    wire.MKNOD: opening.make_node,
    wire.MKDIR: names.make_folder,
    wire.SYMLINK: names.make_link,
    wire.LINK: names.refuse_link,
    wire.UNLINK: names.unlink,
    wire.RMDIR: names.remove_folder,
    wire.RENAME: names.rename,
    wire.RENAME2: names.rename_with_flags,
    wire.GETATTR: attributes.get,
    wire.SETATTR: attributes.change,
    wire.READLINK: attributes.read_link,
    wire.STATFS: attributes.figures,
    wire.CREATE: opening.create,
    wire.OPEN: opening.open_file,
    wire.RELEASE: opening.release,
    wire.READ: files.read,
    wire.WRITE: files.write,
    wire.FLUSH: files.flush,
    wire.FSYNC: files.fsync,
    wire.FALLOCATE: files.allocate,
    wire.LSEEK: files.seek,
    wire.OPENDIR: folders.open_folder,
    wire.READDIR: folders.read_folder,
    wire.READDIRPLUS: folders.read_folder_plus,
    wire.RELEASEDIR: folders.release_folder,
    wire.FSYNCDIR: folders.sync_folder,
    wire.DESTROY: attributes.nothing,
}


def handlers(volume: Volume) -> dict[int, Handler]:
    """The table of a session, without INIT."""
    return {opcode: partial(operation, volume) for opcode, operation in _TABLE.items()}
