"""Confined process: a PDF in, the same PDF locked with a phrase out (AES-256, ISO 32000-2, 7.6.4, revision 6).

``python -m agent.outside.pdf_worker FD``: FD is a stream socket, on which come the phrase and the document, each after
its length, and on which goes back one byte (a ``Reply``) and the locked document after its length. qpdf parses hostile
bytes here, so the process is armed like a reader before the first of them is read: no files, no network, no rights.
"""

from __future__ import annotations

import io
import socket
import struct
import sys
from enum import IntEnum

LENGTH = struct.Struct("<Q")
MAX_PDF = 200 << 20  # bytes
MAX_PHRASE = 127  # bytes: ISO 32000-2, 7.6.4.3.3
MEMORY_BYTES = 2 << 30


class Reply(IntEnum):
    LOCKED = 0
    LOCKED_ALREADY = 1
    NOT_A_PDF = 2


def locked(content: bytes, phrase: str) -> bytes:
    """The document, to be opened with ``phrase``; nothing of it, its title neither, can be read without.

    Raises pikepdf.PasswordError (locked already), pikepdf.PdfError (not a PDF that can be read).
    """
    import pikepdf

    target = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as pdf:
        if pdf.is_encrypted:
            raise pikepdf.PasswordError
        everything = pikepdf.Permissions()
        pdf.save(target, encryption=pikepdf.Encryption(owner=phrase, user=phrase, R=6, allow=everything))
    return target.getvalue()


def receive(sock: socket.socket, limit: int) -> bytes:
    """One length and that many bytes. Raises ValueError: more than ``limit``; EOFError: the other end is gone."""
    (size,) = LENGTH.unpack(_exactly(sock, LENGTH.size))
    if size > limit:
        raise ValueError("longer than the limit")
    return _exactly(sock, size)


def _exactly(sock: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        piece, *_ = sock.recvmsg(min(1 << 20, size - len(content)))  # the only call that an armed process may hear by
        if not piece:
            raise EOFError
        content += piece
    return bytes(content)


def answer(content: bytes, phrase: str) -> tuple[Reply, bytes]:
    """What is said of one document."""
    import pikepdf

    try:
        return Reply.LOCKED, locked(content, phrase)
    except pikepdf.PasswordError:
        return Reply.LOCKED_ALREADY, b""
    except (pikepdf.PdfError, ValueError, RuntimeError):
        return Reply.NOT_A_PDF, b""


def warm_up() -> None:
    """Load what is loaded late: nothing can be opened afterwards."""
    import pikepdf

    target = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(target)
    locked(target.getvalue(), "warm")
    answer(b"", "warm")


def main() -> int:
    from agent.extraction import sandbox

    sock = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    sandbox.arm(sock.fileno(), memory_bytes=MEMORY_BYTES, cpu_seconds=300)
    phrase = receive(sock, MAX_PHRASE).decode("utf-8")
    reply, content = answer(receive(sock, MAX_PDF), phrase)
    sock.sendall(bytes([reply]) + LENGTH.pack(len(content)) + content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
