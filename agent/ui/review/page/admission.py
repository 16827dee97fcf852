"""Who is let in to the page: the person's own browser, with the link that was printed, and nothing it was tricked into.

Pure but for random numbers. In this order: the user behind the connection (``peers``), the Host (no other name leads
here: DNS rebinding), where the request comes from (no other site posts here: CSRF), the link that works once, the
session's cookie, and the form's own token. Cookies of 127.0.0.1 go to every port of it, so that a cookie alone would
prove little: whoever is no user of ours has no connection to show it on.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

COOKIE = "serment-review"
_MAX_COOKIES = 4096  # characters


class Admission:
    """Of one run of the page. ``uids`` may connect; ``port`` is where it listens, on 127.0.0.1."""

    def __init__(self, uids: frozenset[int], port: int) -> None:
        self._uids = uids
        self.host = f"127.0.0.1:{port}"
        self._link: str | None = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.form = secrets.token_urlsafe(32)
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        """The link to print; it works once."""
        return f"http://{self.host}/open/{self._link}"

    def admits_user(self, uid: int | None) -> bool:
        """Whether this user's programs may speak to the page at all."""
        return uid is not None and uid in self._uids

    def admits_origin(self, headers: Mapping[str, str], *, writes: bool) -> bool:
        """Whether the request was meant for this page, and comes from it when it ``writes``."""
        if headers.get("Host") != self.host:
            return False
        site = headers.get("Sec-Fetch-Site")
        origin = headers.get("Origin")
        if writes:
            return origin == f"http://{self.host}" and site in {None, "same-origin"}
        return origin in {None, f"http://{self.host}"} and site in {None, "same-origin", "none"}

    def takes_link(self, untrusted: str) -> str | None:
        """The cookie for whoever comes with the link, once; None for everybody else."""
        with self._lock:
            if self._link is None or not hmac.compare_digest(untrusted.encode(), self._link.encode()):
                return None
            self._link = None
        return f"{COOKIE}={self._session}; HttpOnly; SameSite=Strict; Path=/"

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the request has this session's cookie."""
        try:
            found = SimpleCookie(headers.get("Cookie", "")[:_MAX_COOKIES]).get(COOKIE)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._session.encode())

    def is_own_form(self, untrusted: str) -> bool:
        """Whether a form was made by this page."""
        return hmac.compare_digest(untrusted.encode(), self.form.encode())
