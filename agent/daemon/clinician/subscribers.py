"""Session helpers that want to hear when something is new. Costs nothing while nothing is.

Owns the connections that ``ControlServer`` hands over after ``helper.listen``. What is sent is one word and no content
(``notices``, ``status``): the helper asks for the rest, and is told what is its person's. Nothing here waits: a helper
that does not read has news in its buffer already, and one that is gone is dropped.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable

MOST = 64
MOST_EACH = 4  # of one person; the oldest makes room for a new one
_WORDS = {word: b'{"news":"' + word.encode("ascii") + b'"}\n' for word in ("notices", "status", "answers")}


class Subscribers:
    """``adopt`` from a thread of the control server, ``tell`` from any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[tuple[int, socket.socket]] = []

    def adopt(self, uid: int, connection: socket.socket) -> None:
        """Keep the connection of ``uid`` and tell it of what comes. It is closed when there are too many."""
        connection.setblocking(False)
        with self._lock:
            self._drop([each for each in self._connections if _gone(each[1])])
            own = [each for each in self._connections if each[0] == uid]
            self._drop(own[: max(0, len(own) + 1 - MOST_EACH)])
            if len(self._connections) >= MOST:
                connection.close()
                return
            self._connections.append((uid, connection))

    def tell(self, uid: int | None, word: str) -> None:
        """``word`` is new for ``uid`` (None: for everybody)."""
        with self._lock:
            gone = []
            for each in self._connections:
                if uid is not None and each[0] != uid:
                    continue
                try:
                    each[1].send(_WORDS[word], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                except BlockingIOError:
                    continue  # it has news waiting already
                except OSError:
                    gone.append(each)
            self._drop(gone)

    def listening(self, uid: int) -> bool:
        """Whether somebody listens for this person."""
        with self._lock:
            self._drop([each for each in self._connections if _gone(each[1])])
            return any(each[0] == uid for each in self._connections)

    def close(self) -> None:
        with self._lock:
            self._drop(list(self._connections))

    def _drop(self, connections: Iterable[tuple[int, socket.socket]]) -> None:
        for each in connections:
            each[1].close()
            self._connections.remove(each)


def _gone(connection: socket.socket) -> bool:
    """A helper says nothing after its request: what can be read is the end."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
