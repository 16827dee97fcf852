"""What a gate's process and the agent say to each other: questions and answers as bytes. Pure.

A gate holds something and asks; the agent judges, decides, records, acts, and answers. One packet of a SOCK_SEQPACKET
socket is one message; a descriptor may travel with it (``agent.gates.link``). Both ends are ours and run as root, and
yet each reads the other's packets as bounded, versioned and possibly wrong.

=========  ========================================================  ==========================================
question   meaning                                                   answered by
=========  ========================================================  ==========================================
HELLO      a gate has (again) begun: ``name`` its token,             RELEASE: go on; REFUSE: end
           ``detail`` the mount point or the like
FILE       a finished state of a file, its bytes behind the          RELEASE, REFUSE or SUBSTITUTE (descriptor
           descriptor; ``name`` is its path below the volume         of the sealed file, its name)
NAME       ``name`` is to appear (folder, link, new name)            RELEASE or REFUSE
READ       somebody opens the file behind the descriptor;            RELEASE or REFUSE
           ``detail`` says which program (``agent.gates.gate``)
=========  ========================================================  ==========================================

After RELEASE or SUBSTITUTE of a FILE the gate says how the commit went: DONE with the number of the question, ``error``
0 and the state of the file on the medium, or the error number; ``name`` is what a sealed file is called there, which
need not be what the agent proposed. TELL is news without an answer (progress, counts):
``ABANDONED`` that ``size`` files were finished, and neither judged nor written, before the gate's end.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import NamedTuple

from agent.errors import N_, UntrustedInputError
from agent.stamp import Stamp

VERSION = 1
MAX_PACKET = 16 * 1024  # bytes: a path has at most 4,096
_QUESTION = struct.Struct("<BBHIQIIQHH")
_ANSWER = struct.Struct("<BBHiQH")
_DONE = struct.Struct("<BBHiQQQQqq")
_MAX_TEXT = 4096
ABANDONED = b"abandoned"
TOKEN = b"gate"  # of the gate on folders, in its HELLO; an airlock's is its own
ONCE = b"once"
"""Name of an answer that holds for this question only."""
NEWS = (1 << 64) - 1
"""Number of an answer that nobody has asked for: there are other settings in the memory that both share."""


class Ask(IntEnum):
    HELLO = 1
    FILE = 2
    NAME = 3
    READ = 4
    TELL = 5


class Say(IntEnum):
    RELEASE = 0x81
    REFUSE = 0x82
    SUBSTITUTE = 0x83


DONE = 0x40


class Flag(IntFlag):
    """Of a question. Nobody sees a refusal of what is LAST: the notice alone tells."""

    NONE = 0
    NEW = 1  # there is no such file on the medium yet
    SYNC = 2  # asked by fsync: more may follow
    LAST = 4  # asked at the last close: the writer is gone
    FOLDER = 8
    LINK = 16
    WRITE = 32  # READ: opened for writing too


class Question(NamedTuple):
    """``number`` is the gate's own, never used twice in its life; ``uid`` and ``pid`` are who does it (pid 0: unknown,
    the kernel's own write-back); ``size`` in bytes.
    """

    number: int
    kind: Ask
    flags: Flag = Flag.NONE
    uid: int = 0
    pid: int = 0
    size: int = 0
    name: bytes = b""
    detail: bytes = b""

    def encode(self) -> bytes:
        """One packet. Raises ValueError for a name or detail of more than 4,096 bytes."""
        if len(self.name) > _MAX_TEXT or len(self.detail) > _MAX_TEXT:
            raise ValueError("a name is too long for a question")
        head = _QUESTION.pack(
            self.kind, VERSION, 0, self.flags, self.number, self.uid, self.pid, self.size,
            len(self.name), len(self.detail),
        )  # fmt: skip
        return head + self.name + self.detail


class Answer(NamedTuple):
    """``error`` is the number that the program gets when it is refused (EPERM, or EIO when nobody could judge)."""

    number: int
    say: Say
    error: int = 0
    name: bytes = b""

    def encode(self) -> bytes:
        return _ANSWER.pack(self.say, VERSION, 0, self.error, self.number, len(self.name)) + self.name


class Done(NamedTuple):
    """How the commit of a released FILE went: ``error`` 0 and the state on the medium, or the error number.

    ``name`` of the sealed file on the medium, without its folder; empty for a file that went as it is, and from a gate
    of a version that does not say it.
    """

    number: int
    error: int = 0
    state: Stamp | None = None
    name: bytes = b""

    def encode(self) -> bytes:
        state = self.state or Stamp(0, 0, 0, 0, 0)
        return _DONE.pack(
            DONE, VERSION, 0, self.error, self.number,
            state.device, state.inode, state.size, state.mtime_ns, state.ctime_ns,
        ) + (bytes((len(self.name),)) + self.name if self.name else b"")  # fmt: skip


def decode(packet: bytes) -> Question | Answer | Done:
    """The message in one packet. Raises UntrustedInputError for anything that ``encode`` does not write."""
    try:
        message = _decode(packet)
        if message.encode() != packet:
            raise ValueError  # reserved bytes that are not zero, a state beside an error: not from us
        return message
    except (struct.error, ValueError, IndexError) as error:
        raise UntrustedInputError(N_("a message between a gate and the agent is damaged")) from error


def _decode(packet: bytes) -> Question | Answer | Done:
    if packet[1] != VERSION:
        raise ValueError
    if packet[0] == DONE:
        _, _, _, code, number, device, inode, size, mtime, ctime = _DONE.unpack_from(packet)
        state = None if code else Stamp(device, inode, size, mtime, ctime)
        return Done(number, code, state, _file_name(packet[_DONE.size :]))
    if packet[0] & 0x80:
        say, _, _, code, number, length = _ANSWER.unpack_from(packet)
        return Answer(number, Say(say), code, _tail(packet, _ANSWER.size, length))
    kind, _, _, flags, number, uid, pid, size, names, details = _QUESTION.unpack_from(packet)
    texts = _tail(packet, _QUESTION.size, names + details)
    return Question(number, Ask(kind), Flag(flags), uid, pid, size, texts[:names], texts[names:])


def _file_name(tail: bytes) -> bytes:
    """Behind the byte that says its length; a Done without one has no such byte either."""
    name = tail[1:]
    if tail and (tail[0] != len(name) or not name or b"/" in name or b"\0" in name):
        raise ValueError
    return name


def _tail(packet: bytes, start: int, length: int) -> bytes:
    if len(packet) != start + length or length > 2 * _MAX_TEXT:
        raise ValueError
    return packet[start:]
