"""Listings: what is on the medium and may be seen, and what is being written and will be."""

from __future__ import annotations

import stat
from functools import partial
from typing import TYPE_CHECKING

from agent.fsys.rename import sync_folder_fd
from agent.gates.airlock import protocol as wire
from agent.gates.airlock.listings import refuse_too_many
from agent.gates.airlock.operations.names import entry, find

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.volume import Handle, Volume

_DOTS = (b".", b"..")


def open_folder(volume: Volume, request: Request) -> bytes:
    handle = volume.open(volume.tree.get(request.node), (request.uid, request.pid), writing=False)
    return wire.OPENED.pack(handle.number, 0, 0)


def release_folder(volume: Volume, request: Request) -> bytes:
    (number,) = wire.HANDLE.unpack_from(request.body)
    handle = volume.handle(number)
    volume.close(handle)
    volume.tree.settle(handle.node)
    return b""


def sync_folder(volume: Volume, request: Request) -> bytes:
    sync_folder_fd(volume.folder(volume.tree.get(request.node)))
    return b""


def read_folder(volume: Volume, request: Request) -> bytes:
    return _read(volume, request, plus=False)


def read_folder_plus(volume: Volume, request: Request) -> bytes:
    return _read(volume, request, plus=True)


def _read(volume: Volume, request: Request, *, plus: bool) -> bytes:
    number, offset, size, *_ = wire.READ_IN.unpack_from(request.body)
    handle = volume.handle(number)
    listing = handle.listing
    if listing is None or offset == 0:
        listing = volume.listings.make(handle, partial(_listing, volume, handle.node))
    reply = bytearray()
    for position in range(offset, len(listing)):
        name, inode, kind = listing[position]
        item = wire.directory_entry(inode, position + 1, name, kind >> 12)
        if len(reply) + len(item) + (len(wire.NO_ENTRY) if plus else 0) > size:
            break
        if plus:
            reply += _entry(volume, handle, name)
        reply += item
    return bytes(reply)


def _entry(volume: Volume, handle: Handle, name: bytes) -> bytes:
    if name in _DOTS:
        return wire.NO_ENTRY
    try:
        return entry(volume, find(volume, handle.node, name))
    except OSError:
        return wire.NO_ENTRY  # gone meanwhile: the name alone, as readdir(3) may


def _listing(volume: Volume, folder: Node) -> list[tuple[bytes, int, int]]:
    above = folder.parent or folder
    found = [(b".", folder.inode, stat.S_IFDIR), (b"..", above.inode, stat.S_IFDIR)]
    seen = set()
    children = folder.children
    fold = volume.tree.fold
    for name, inode, kind in volume.medium.names(volume.folder(folder)):
        refuse_too_many(len(found))
        seen.add(fold(name))
        node = children.get(fold(name))
        found.append((name, node.inode if node is not None else inode, kind))
    with volume.tree.lock:
        found += [
            (node.name, node.inode, node.kind) for key, node in children.items() if key not in seen and _listed(node)
        ]
    return found


def _listed(node: Node) -> bool:
    """A file that is not on the medium: seen while it is written, but not once it was sealed under another name."""
    staged = node.staged
    return staged is not None and not (node.sealed_as and staged.known)
