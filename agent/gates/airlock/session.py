"""One FUSE connection: reads requests, has each answered, writes replies and notices. Knows no file.

Owns the threads and their buffers, not the descriptor of the connection. A thread that waits for a verdict is replaced
by another one, so that a slow judgement holds only who waits for it. Three at most read at once: of those the kernel
wakes one for a request, where it would wake all who poll. The others rest until they are called, or end. A reply may be
sent early (``Request.fail``) while the work goes on; whatever comes after it is dropped.

Notices to the kernel are written by a thread of their own: the kernel takes locks for them that an operation under way
may hold (linux/fs/fuse/dev.c, fuse_notify_inval_entry), so no thread that answers may write one. That attributes have
changed is the exception: it takes no lock of an operation's (fs/fuse/inode.c, fuse_reverse_inval_inode), and comes
before the reply.
"""

from __future__ import annotations

import errno
import mmap
import os
import select
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from agent.gates.airlock import protocol as wire

_READERS = 3  # threads that wait for the next request
_MOMENT_S = 2.0  # without a request, before a thread gives its memory back, or ends
_SMALL = 64 * 1024  # bytes of a request that leave no memory worth giving back
_MOST_THREADS = 256
_STACK = 256 * 1024  # bytes a thread; deep recursion is nowhere
_GONE = frozenset({errno.ENODEV, errno.EBADF, errno.ENOTCONN})
_CLOSING = frozenset(
    {wire.FLUSH, wire.RELEASE, wire.RELEASEDIR, wire.FORGET, wire.BATCH_FORGET, wire.INTERRUPT, wire.DESTROY}
)
_SIGKILL = 1 << 8
_PF_SIGNALED = 0x400  # linux/sched.h: in the flags of /proc/PID/stat

Parts = bytes | tuple[bytes | memoryview, ...] | None
Handler = Callable[["Request"], Parts]


class Request:
    """One request of the kernel. ``body`` and ``scratch`` are the thread's own and end with the handler."""

    __slots__ = (
        "_lock",
        "_session",
        "answered",
        "body",
        "gid",
        "interrupted",
        "node",
        "opcode",
        "pid",
        "uid",
        "unique",
    )

    def __init__(self, session: Session, header: tuple[int, ...], body: memoryview) -> None:
        _, self.opcode, self.unique, self.node, self.uid, self.gid, self.pid, _, _ = header
        self._session = session
        self._lock = threading.Lock()
        self.body = body
        self.answered = False
        self.interrupted = False

    def scratch(self, size: int) -> memoryview:
        """Room for up to MAX_WRITE bytes of a reply, without allocating it anew."""
        return self._session.scratch(size)

    def reply(self, parts: Parts) -> None:
        self._answer(0, parts or b"")

    def fail(self, code: int) -> None:
        """Answer with an error number, once; also before the work is done."""
        self._answer(code, b"")

    def tick(self) -> bool:
        """Called now and then by whoever waits: lets a process that is being killed go. True when it has gone."""
        if (self.interrupted or self.opcode == wire.FLUSH) and not self.answered and _being_killed(self.pid):
            self.fail(errno.EINTR)
        return self.answered

    def _answer(self, code: int, parts: bytes | tuple[bytes | memoryview, ...]) -> None:
        with self._lock:
            if self.answered:
                return
            self.answered = True
        body = parts if isinstance(parts, tuple) else (parts,)
        self._session.write(-code, self.unique, body)


class Session:
    """Serves ``fd`` with ``handlers`` (by opcode) until the file system is unmounted or ``stop`` is called.

    ``forgetting`` are opcodes that have no reply. A missing handler is ENOSYS, which the kernel remembers.
    """

    def __init__(self, fd: int, handlers: Mapping[int, Handler], *, name: str = "fuse") -> None:
        self._fd = fd
        self._handlers = dict(handlers)
        self._handlers[wire.INTERRUPT] = self._interrupt
        self._name = name
        self._lock = threading.Lock()
        self._readers = 0
        self._resting = 0
        self._called = threading.Semaphore(0)  # one for each that has been taken out of ``_resting``
        self._threads = 0
        self._busy: dict[int, Request] = {}
        self._local = threading.local()
        self._ended = threading.Event()
        self._news = threading.Event()
        self.refusing = 0  # the error number of whatever is new
        self._notices: SimpleQueue[tuple[int, bytes] | None] = SimpleQueue()

    def start(self) -> None:
        threading.stack_size(_STACK)
        threading.Thread(target=self._notify, name=f"{self._name} notices", daemon=True).start()
        self._more()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the connection is gone, ``stop`` or ``refuse`` was called; False when the time ran out."""
        return self._news.wait(timeout_s)

    def stop(self) -> None:
        """Take no further request. Threads that work finish; one that reads ends with its next request."""
        self._ended.set()
        self._news.set()

    def refuse(self, code: int) -> None:
        """Answer whatever comes with this error, but for closing; what has begun goes on."""
        self.refusing = code
        self._news.set()

    def drained(self) -> bool:
        """Whether no request is being worked on."""
        return not self._busy

    def notify(self, code: int, body: bytes) -> None:
        """Tell the kernel something, soon."""
        self._notices.put((code, body))

    def notify_attributes(self, node: int) -> None:
        """The kernel is to ask for the attributes of a node again, from now on."""
        self.write(wire.NOTIFY_INVAL_INODE, 0, (wire.forget_attributes(node),))

    def scratch(self, size: int) -> memoryview:
        buffer: bytearray | None = getattr(self._local, "buffer", None)
        if buffer is None or len(buffer) < size:
            buffer = self._local.buffer = bytearray(size)
        return memoryview(buffer)[:size]

    def write(self, error: int, unique: int, body: tuple[bytes | memoryview, ...]) -> None:
        length = wire.REPLY.size + sum(map(len, body))
        try:
            os.writev(self._fd, (wire.REPLY.pack(length, error, unique), *body))
        except OSError as problem:
            if problem.errno not in _GONE | {errno.ENOENT}:  # ENOENT: nobody waits for it any more
                _complain(problem)

    def _notify(self) -> None:
        while (notice := self._notices.get()) is not None:
            code, body = notice
            self.write(code, 0, (body,))

    def _more(self) -> None:
        """One more reader. When the machine has no thread to give, whoever works goes on, and this is tried again."""
        with self._lock:
            self._readers += 1
            if self._resting:
                self._resting -= 1
                self._called.release()
                return
            self._threads += 1
        try:
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._threads -= 1
                self._readers -= 1

    def _serve(self) -> None:
        buffer = _room()
        used = False  # whether the buffers hold pages worth giving back
        while True:
            if used and not self._soon():
                buffer = _room()
                self._local.buffer, used = None, False
            length = self._read(buffer)
            if length <= 0:
                break
            used |= length > _SMALL
            with self._lock:
                self._readers -= 1
                short = self._readers == 0 and (self._resting > 0 or self._threads < _MOST_THREADS)
            if short:
                self._more()
            self._handle(buffer[:length])
            used |= len(getattr(self._local, "buffer", None) or b"") > _SMALL
            if not self._wanted():
                return
        self.stop()

    def _soon(self) -> bool:
        """Whether a request comes within a moment."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(_MOMENT_S * 1000))

    def _wanted(self) -> bool:
        """Whether this thread is to read again, perhaps after a rest; it ends otherwise."""
        with self._lock:
            if self._readers < _READERS:
                self._readers += 1
                return True
            self._resting += 1
        if self._called.acquire(timeout=_MOMENT_S):
            return True
        with self._lock:
            if self._resting:
                self._resting -= 1
                self._threads -= 1
                return False
        return self._called.acquire()  # called just now

    def _read(self, buffer: memoryview) -> int:
        while not self._ended.is_set():
            try:
                return os.readv(self._fd, (buffer,))
            except OSError as error:
                if error.errno in _GONE:
                    return 0
                if error.errno not in {errno.EINTR, errno.EAGAIN, errno.ENOENT}:
                    _complain(error)
                    return 0
        return 0

    def _handle(self, packet: memoryview) -> None:
        header = wire.HEADER.unpack_from(packet)
        request = Request(self, header, packet[wire.HEADER.size :])
        handler = self._handlers.get(request.opcode)
        if handler is None:
            request.fail(errno.ENOSYS)
            return
        if self.refusing and request.opcode not in _CLOSING:
            request.fail(self.refusing)
            return
        self._busy[request.unique] = request
        try:
            parts = handler(request)
            if parts is not None:
                request.reply(parts)
        except OSError as error:
            request.fail(error.errno or errno.EIO)
        except (ValueError, OverflowError, struct.error):
            request.fail(errno.EINVAL)
        except Exception as error:
            _complain(error)
            request.fail(errno.EIO)
        finally:
            self._busy.pop(request.unique, None)

    def _interrupt(self, request: Request) -> None:
        (unique,) = wire.OFFSET.unpack_from(request.body)
        target = self._busy.get(unique)
        if target is None:
            request.fail(errno.EAGAIN)  # perhaps not begun yet: the kernel says it again
        else:
            target.interrupted = True


def _room() -> memoryview:
    """For the largest request. Untouched pages, which cost no memory: a bytearray writes its zeros."""
    return memoryview(mmap.mmap(-1, wire.MAX_REQUEST, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


def _being_killed(pid: int) -> bool:
    """Whether a fatal signal has come to this thread, or has ended it and it closes its files: nobody reads a result.

    Any other interruption is none of ours: a program that handles a signal wants its close to succeed.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            flags = int(stat.read().rpartition(b")")[2].split()[6])
        with open(f"/proc/{pid}/status", "rb") as status:
            pending = next(int(line.split()[1], 16) for line in status if line.startswith(b"SigPnd:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return False
    return bool(flags & _PF_SIGNALED or pending & _SIGKILL)


def _complain(error: BaseException) -> None:
    """A fault of ours, by its kind and place; never its text, which may hold a name."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "?"
    number = f" {error.errno}" if isinstance(error, OSError) else ""
    print(f"airlock: {type(error).__name__}{number} in {place}", file=sys.stderr, flush=True)
