"""A balancer that knows nothing but TCP: each connection goes to one of the places that answer, by chance.

As a program, for a network of its own: ``python -m tests.balancer LISTEN:PORT PLACE:PORT…`` (says « ready »).
"""

from __future__ import annotations

import random
import socket
import sys
import threading

CONNECT_S = 1.0
SILENT_S = 3.0
"""A place that says nothing for so long, although it was asked, is given up: it may be gone without a word."""


class Balancer:
    """Serves until ``close``. ``places`` are (host, port)."""

    def __init__(self, places: list[tuple[str, int]], address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self.places = places
        self._listening = socket.create_server(address, backlog=64)
        self.url = "http://{}:{}".format(*self._listening.getsockname()[:2])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        for place in random.sample(self.places, len(self.places)):
            try:
                server = socket.create_connection(place, timeout=CONNECT_S)
                break
            except OSError:
                continue
        else:
            client.close()
            return
        server.settimeout(SILENT_S)
        threading.Thread(target=self._copy, args=(server, client), daemon=True).start()
        self._copy(client, server)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        self._listening.close()


def _place(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    Balancer([_place(text) for text in sys.argv[2:]], _place(sys.argv[1]))
    print("ready", flush=True)
    threading.Event().wait()
