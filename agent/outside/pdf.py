"""A PDF locked with a phrase, for somebody who has no Serment: opens on any computer and telephone.

Owns the confined process that does it (``pdf_worker``), one for each document. Needs the extra ``outside`` (pikepdf).
"""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys

from agent.errors import N_, HostError, SealError
from agent.outside.pdf_worker import LENGTH, MAX_PDF, Reply, receive

DEADLINE_S = 310.0  # the process has 300 s of processor time


def available() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("pikepdf") is not None


def is_pdf(head: bytes) -> bool:
    """By the first kilobyte, as readers of PDF have it."""
    return b"%PDF-" in head[:1024]


def locked_pdf(content: bytes, phrase: str) -> bytes:
    """The document, to be opened with ``phrase``.

    Raises SealError: too large, locked already, not a PDF that can be read; HostError: the process did not answer.
    """
    if len(content) > MAX_PDF:
        raise SealError(N_("this PDF is too large to be locked"), hint=N_("seal it as a page, or send it by MSSanté"))
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            command = [sys.executable, "-m", "agent.outside.pdf_worker", str(theirs.fileno())]
            process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        try:
            return _asked(ours, content, phrase)
        except (OSError, EOFError, ValueError) as error:
            raise HostError(N_("the PDF could not be locked"), hint=N_("seal it as a page instead")) from error
        finally:
            process.kill()
            process.wait()


def _asked(sock: socket.socket, content: bytes, phrase: str) -> bytes:
    sock.settimeout(DEADLINE_S)
    for part in (phrase.encode(), content):
        sock.sendall(LENGTH.pack(len(part)) + part)
    said = sock.recv(1)
    if not said:
        raise EOFError
    if said[0] != Reply.LOCKED:
        raise SealError(_REFUSED.get(said[0], _REFUSED[Reply.NOT_A_PDF]))
    return receive(sock, 2 * MAX_PDF)


_REFUSED = {
    int(Reply.LOCKED_ALREADY): N_("this PDF has a password already"),
    int(Reply.NOT_A_PDF): N_("this PDF cannot be read"),
}
