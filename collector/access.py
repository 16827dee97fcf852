"""Who may speak to the collector: whoever can read its token file. The token, the cookie made of it, their comparison.

Laptops and scripts send the token itself as a bearer token; a browser opens ``/?token=…`` once and gets a cookie that
is derived from it, so that the token stays out of the browser's store.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from agent.errors import N_, HostError
from agent.fsys.atomic import replace_file

TOKEN_FILE = "token"  # noqa: S105 - the name of a file
COOKIE = "serment"
COOKIE_AGE_S = 30 * 24 * 3600
MAX_TOKEN_BYTES = 4096
MIN_TOKEN_CHARACTERS = 16


class Access:
    """Compares in constant time; an empty token opens nothing."""

    def __init__(self, token: str) -> None:
        if len(token) < MIN_TOKEN_CHARACTERS:
            raise HostError(N_("the token is too short"), hint=N_("remove the token file; a new one is made"))
        self._token = token.encode()
        self.cookie = hmac.new(self._token, b"serment-collector page", hashlib.sha256).hexdigest()

    @property
    def secret(self) -> str:
        """The token, for the link that opens the pages."""
        return self._token.decode()

    def bearer(self, untrusted: str) -> bool:
        """Whether an Authorization header carries the token."""
        scheme, _, value = untrusted.partition(" ")
        return scheme.lower() == "bearer" and self.token(value.strip())

    def token(self, untrusted: str) -> bool:
        return hmac.compare_digest(untrusted.encode("utf-8", "surrogatepass"), self._token)

    def page(self, untrusted: str) -> bool:
        """Whether a cookie's value is ours."""
        return hmac.compare_digest(untrusted.encode("utf-8", "surrogatepass"), self.cookie.encode())


def load_token(path: Path) -> str:
    """The token in the file, made (mode 0600) when it is not there. Raises HostError."""
    try:
        if not path.exists():
            replace_file(path, secrets.token_urlsafe(32).encode() + b"\n")
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(fd, "rb") as file:
            return file.read(MAX_TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not ASCII"
        raise HostError(N_("the token file cannot be used: {why}"), where=str(path), why=why) from error
