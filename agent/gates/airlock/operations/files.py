"""Bytes of open files: read, written, and judged at flush (each close) and fsync."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from agent.gates.airlock import protocol as wire
from agent.gates.airlock.judging import judge_state
from agent.gates.airlock.operations.waiting import until_killed
from agent.gates.airlock.staging import next_data
from agent.gates.asking import Flag

if TYPE_CHECKING:
    from agent.gates.airlock.nodes import Node
    from agent.gates.airlock.session import Request
    from agent.gates.airlock.staged import Staged
    from agent.gates.airlock.volume import Volume

_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_ZEROS = memoryview(bytes(1 << 20))


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def read(volume: Volume, request: Request) -> tuple[memoryview]:
    number, offset, size, *_ = wire.READ_IN.unpack_from(request.body)
    node = volume.handle(number).node
    buffer = request.scratch(min(size, wire.MAX_WRITE))
    staged = node.bytes_here
    if staged is not None:
        return (buffer[: staged.blob.read(buffer, offset)],)
    try:
        file = volume.reading(node)
    except FileNotFoundError as error:
        raise _error(errno.ESTALE) from error  # opened when it was just going
    return (buffer[: os.preadv(file.fd, (buffer,), offset)],)


def write(volume: Volume, request: Request) -> bytes:
    number, offset, size, *_ = wire.WRITE_IN.unpack_from(request.body)
    handle = volume.handle(number)
    if not handle.writing:
        raise _error(errno.EBADF)
    data = request.body[wire.WRITE_IN.size : wire.WRITE_IN.size + size]
    volume.medium.refuse_too_large(offset + len(data))
    _room(volume, len(data))
    writer = handle.writer if request.pid == 0 else (request.uid, request.pid)
    volume.changing(handle.node, writer, lambda staged: staged.write(data, offset), until_killed(request))
    return wire.WRITTEN.pack(len(data), 0)


def _room(volume: Volume, more: int) -> None:
    """ENOSPC now rather than at the close, when a whole file was written in vain."""
    if volume.store.total + more > volume.medium.room():
        raise _error(errno.ENOSPC)


def flush(volume: Volume, request: Request) -> bytes:
    """One of the descriptors is closed. An empty state waits for the last one (``judging``)."""
    (number,) = wire.HANDLE.unpack_from(request.body)
    handle = volume.handle(number)
    staged = handle.node.staged
    if not handle.writing or staged is None:
        return b""
    with staged.gate(request.tick):
        staged.closed_at = staged.generation
        if staged.blob.size == 0 and not staged.known:
            return b""
        staged.writer = (request.uid, request.pid)
        code = judge_state(volume, staged, Flag.NONE, request.tick)
    if code:
        raise _error(code)
    return b""


def fsync(volume: Volume, request: Request) -> bytes:
    number, _, _ = wire.FSYNC_IN.unpack_from(request.body)
    handle = volume.handle(number)
    staged = handle.node.staged
    if staged is None:
        if handle.node.on_medium:
            os.fsync(volume.reading(handle.node).fd)
        return b""
    with staged.gate(request.tick):
        staged.writer = (request.uid, request.pid)
        code = judge_state(volume, staged, Flag.SYNC, request.tick)
    if code:
        raise _error(code)
    return b""


def allocate(volume: Volume, request: Request) -> bytes:
    """fallocate(2): room that is there anyway, or a hole; the other modes are not offered."""
    number, offset, length, mode, _ = wire.FALLOCATE_IN.unpack_from(request.body)
    handle = volume.handle(number)
    if not handle.writing:
        raise _error(errno.EBADF)
    tick = until_killed(request)
    writer = (request.uid, request.pid)
    if mode == 0:
        volume.medium.refuse_too_large(offset + length)
        _room(volume, max(0, offset + length - _size(volume, handle.node)))
        volume.changing(handle.node, writer, lambda staged: _grow(staged, offset + length), tick)
    elif mode == _KEEP_SIZE | _PUNCH_HOLE:
        volume.changing(handle.node, writer, lambda staged: _clear(staged, offset, length), tick)
    elif mode != _KEEP_SIZE:
        raise _error(errno.EOPNOTSUPP)
    return b""


def _size(volume: Volume, node: Node) -> int:
    return volume.attributes(node)[0].size


def _grow(staged: Staged, size: int) -> None:
    if size > staged.blob.size:
        staged.truncate(size)


def _clear(staged: Staged, offset: int, length: int) -> None:
    """What is a hole stays one: gigabytes of zeros would take the room of what others write, and the time."""
    end = min(offset + length, staged.blob.size)
    while (offset := next_data(staged.blob, offset)) < end:
        part = _ZEROS[: end - offset]
        staged.write(part, offset)
        offset += len(part)


def seek(volume: Volume, request: Request) -> bytes:
    number, offset, whence, _ = wire.LSEEK_IN.unpack_from(request.body)
    if whence not in {os.SEEK_DATA, os.SEEK_HOLE}:
        raise _error(errno.EINVAL)
    node = volume.handle(number).node
    staged = node.bytes_here
    if staged is not None:
        return wire.OFFSET.pack(staged.blob.seek(offset, whence))
    return wire.OFFSET.pack(os.lseek(volume.reading(node).fd, offset, whence))
