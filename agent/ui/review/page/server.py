"""The review as a page on 127.0.0.1, for as long as ``serment audit review --page`` runs. HTTP, no script, no file.

Owns the listening socket and the threads of requests. Nobody but the person who started it and root is answered
anything else than 403, before a byte of a request is read; ``admission`` says the rest, ``views`` makes the pages.
Everything bounded: connections, time, sizes.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from agent.errors import SermentError
from agent.ui.review.page.admission import Admission
from agent.ui.review.page.peers import uid_behind
from agent.ui.review.page.views import Page, Reply

MAX_BODY = 64 << 10
MAX_FIELDS = 400
_AT_ONCE = 16
_PATIENCE_S = 10.0
_IDLE_S = 900.0
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would take the Origin from our own forms
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageServer(ThreadingHTTPServer):
    """``url`` is to be printed; ``serve`` until somebody closes it or nobody asks any more."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(
        self, page: Page, uids: frozenset[int], behind: Callable[[socket.socket], int | None] = uid_behind
    ) -> None:
        self._slots = threading.BoundedSemaphore(_AT_ONCE)
        self.page, self.behind = page, behind
        self.asked = time.monotonic()
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.admission = Admission(uids, self.server_address[1])

    @property
    def url(self) -> str:
        return self.admission.address

    def serve(self, idle_s: float = _IDLE_S) -> None:
        """Returns when the page was closed, or nobody asked for ``idle_s`` seconds."""
        thread = threading.Thread(target=self.serve_forever, name="page", daemon=True)
        thread.start()
        try:
            while not self.closing.wait(min(1.0, idle_s)) and time.monotonic() - self.asked < idle_s:
                pass
        finally:
            self.shutdown()
            self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread to be had
            self._slots.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away is no news; nothing of a request is ever printed."""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = _PATIENCE_S
    server_version, sys_version = "Serment", ""
    error_content_type = "text/plain"
    error_message_format = "%(code)d"

    def handle(self) -> None:
        """The user behind the connection comes before anything that it says."""
        if self.server.admission.admits_user(self.server.behind(self.connection)):
            super().handle()
        else:
            self._turn_away()

    def _turn_away(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.settimeout(1.0)
            self.connection.sendall(b"HTTP/1.0 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.recv(4096)  # so that the answer arrives

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Nothing is logged here: the agent records who looked at what."""

    def do_GET(self) -> None:
        self._answered(self._get)

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, make: Callable[[], Reply]) -> None:
        try:
            reply = make()
        except SermentError as error:
            reply = self.server.page.refused(error)
        self._send(reply)

    def _get(self) -> Reply:
        admission, target = self.server.admission, urlsplit(self.path)
        if not admission.admits_origin(self.headers_, writes=False):
            return Reply(403)
        if target.path.startswith("/open/"):
            cookie = admission.takes_link(target.path[6:])
            return Reply(303, location="/", cookie=cookie) if cookie else self.server.page.strange()
        if target.path == "/style.css":
            return self.server.page.style()
        if not admission.knows(self.headers_):
            return self.server.page.strange()
        self.server.asked = time.monotonic()
        return self.server.page.get(target.path, _fields(target.query), admission.form)

    def _post(self) -> Reply:
        admission = self.server.admission
        if not admission.admits_origin(self.headers_, writes=True) or not admission.knows(self.headers_):
            return Reply(403)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return Reply(413)
        fields = _fields(self.rfile.read(int(length)).decode("utf-8", "replace"))
        if not admission.is_own_form(fields.get("form", [""])[0]):
            return Reply(403)
        self.server.asked = time.monotonic()
        if self.path == "/close":
            self.server.closing.set()
        return self.server.page.post(self.path, fields)

    @property
    def headers_(self) -> Mapping[str, str]:
        """Each header once; one that stands twice is none."""
        return {name: self.headers[name] for name in self.headers if len(self.headers.get_all(name, [])) == 1}

    def _send(self, reply: Reply) -> None:
        body = reply.body.encode("utf-8")
        with contextlib.suppress(OSError):
            self.send_response(reply.status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", f"{reply.kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            if reply.location:
                self.send_header("Location", reply.location)
            if reply.cookie:
                self.send_header("Set-Cookie", reply.cookie)
            self.end_headers()
            self.wfile.write(body)


def _fields(text: str) -> dict[str, list[str]]:
    """The fields of a form or a query; too many are none."""
    found: dict[str, list[str]] = {}
    with contextlib.suppress(ValueError):
        for name, value in parse_qsl(text, max_num_fields=MAX_FIELDS):
            found.setdefault(name, []).append(value)
    return found
