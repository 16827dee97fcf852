"""A collector over HTTP(S): the one importer of urllib3, loaded by short-lived processes alone.

Translates every foreign error once, here. Follows no redirect (a secret goes to the address it was given for), reads no
more of an answer than its limit, speaks plain HTTP to this machine only, and goes through the network's proxy
(CONNECT).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

import urllib3

from agent.errors import N_, ConfigError, TransportError, UntrustedInputError
from agent.transport import wire
from agent.transport.proxies import is_script
from agent.transport.wire import Batch, Reply

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_RETRY_AFTER_S = 24 * 3600
_Pool = urllib3.PoolManager | urllib3.ProxyManager


class Answer(NamedTuple):
    """What a collector answered; the body is hostile. ``retry_s`` is its wish, 0 without."""

    status: int
    body: bytes
    retry_s: int = 0


class Line:
    """A connection to the collector at ``url`` (https://host[:port], or http:// on a loopback address).

    ``context`` says whom to trust and by which certificate to be known; None: the system's authorities, no certificate.
    ``proxy`` is the address of an HTTP proxy; None: as the environment says (https_proxy, no_proxy), "": none.
    """

    def __init__(self, url: str, *, context: ssl.SSLContext | None = None, proxy: str | None = None) -> None:
        self.url = check_url(url)
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        through = proxy_for(self.url) if proxy is None else proxy
        if is_script(through):
            raise ConfigError(
                N_("the proxy's address is that of a script (PAC), which is not run here"), where="https_proxy",
                hint=N_("ask the network's administrator for the proxy's own address, as http://proxy.example:3128"),
            )  # fmt: skip
        self._pool: _Pool
        try:
            if through:
                secret = urllib3.util.parse_url(through).auth
                headers = urllib3.make_headers(proxy_basic_auth=secret) if secret else None
                self._pool = urllib3.ProxyManager(
                    through, num_pools=1, retries=False, timeout=timeout, ssl_context=context, proxy_headers=headers
                )
            else:
                self._pool = urllib3.PoolManager(num_pools=1, retries=False, timeout=timeout, ssl_context=context)
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise ConfigError(N_("the proxy's address is not understood"), where="https_proxy") from error

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes, limit: int) -> Answer:
        """One request; at most ``limit`` bytes of the answer are read, and one more.

        Raises TransportError, kind "untrusted" (whoever answers is not who we trust) or "unreachable".
        """
        return self._ask(method, path, headers, body, limit)[0]

    def ask_and_hold(self, path: str, headers: Mapping[str, str], limit: int) -> tuple[Answer, socket.socket | None]:
        """A GET, and the bare connection on which it was answered, without what was spoken over it (TLS); None:
        there is none to be had. The caller closes it. Raises TransportError as ``ask`` does.
        """
        answer, fd = self._ask("GET", path, headers, b"", limit, hold=True)
        return answer, socket.socket(fileno=fd) if fd >= 0 else None

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, limit: int, *, hold: bool = False
    ) -> tuple[Answer, int]:
        fd = -1
        try:
            response = self._pool.request(
                method, self.url + path, body=body, headers=dict(headers), redirect=False, preload_content=False
            )
            try:
                if hold and response.status == 200:
                    fd = _duplicate(response)
                untrusted = response.read(limit + 1, decode_content=False)
            finally:
                response.release_conn()
                if response.length_remaining:
                    response.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if fd >= 0:
                os.close(fd)
            raise _translated(error) from error
        return Answer(response.status, untrusted, _retry(response.headers.get("Retry-After", ""))), fd

    def close(self) -> None:
        self._pool.clear()


def _translated(error: Exception) -> TransportError:
    if isinstance(error, urllib3.exceptions.SSLError | urllib3.exceptions.InvalidHeader):
        return _untrusted(type(error).__name__)
    if isinstance(error, urllib3.exceptions.ProxyError):
        if isinstance(error.original_error, ssl.SSLError):
            return _untrusted(type(error).__name__)
        return unreachable(type(error.original_error).__name__)
    return unreachable(type(error).__name__)


def _duplicate(response: urllib3.BaseHTTPResponse) -> int:
    """A descriptor of our own for the connection of an answer that is not read yet; -1: it is over already."""
    held = getattr(getattr(response, "connection", None), "sock", None)
    try:
        return os.dup(held.fileno()) if held is not None else -1
    except (OSError, ValueError):
        return -1


def proxy_for(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """The proxy that the environment names for ``url``; "" for none, and always for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = environment.get("https_proxy") or environment.get("HTTPS_PROXY") or ""
    excluded = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if parts.scheme != "https" or not named or is_loopback(host):
        return ""
    if proxy_bypass_environment(host, {"no": excluded}):
        return ""
    return named if "://" in named else f"http://{named}"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is that of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class HttpsCollector:
    """A collector that knows this laptop by a token: the one embedded in an agent."""

    def __init__(self, url: str, token: str) -> None:
        self._line = Line(url)
        self._token = token

    def sync(self, batch: Batch) -> Reply:
        """See Collector.sync."""
        headers = {
            **wire.headers(batch.letterhead),
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/vnd.serment.frames",
        }
        return reply_in(self._line.ask("POST", wire.PATH, headers, batch.body, wire.MAX_REPLY_BYTES))

    def close(self) -> None:
        self._line.close()


def check_url(url: str) -> str:
    """``url`` without a trailing slash. Raises ConfigError: not https, and not http on a loopback address."""
    try:
        parts = urlsplit(url)
        loopback = is_loopback(parts.hostname or "")
    except ValueError:
        raise _address(url) from None
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise _address(url)
    return url.rstrip("/")


def _address(url: str) -> ConfigError:
    return ConfigError(N_("the collector's address should be https://…, found {found}"), found=repr(url))


def _retry(said: str) -> int:
    return min(int(said), MAX_RETRY_AFTER_S) if said.isascii() and said.isdigit() and len(said) < 10 else 0


def reply_in(answer: Answer) -> Reply:
    """The answer to a visit. Raises TransportError."""
    status = answer.status
    if status in {200, 409}:
        try:
            return wire.parse_reply(answer.body, refused=status == 409)
        except UntrustedInputError as error:
            raise refused(N_("the collector's answer is not understood (status {detail})"), str(status)) from error
    if status in {408, 429} or status >= 500:
        raise unreachable(f"HTTP {status}", answer.retry_s)
    if status == 403 and b"denied" in answer.body[:64]:
        raise denied()
    if status == 401 and b"certificate" in answer.body[:64]:
        raise _unknown()
    if status in {401, 403}:
        raise refused(N_("the collector does not accept this laptop's token (status {detail})"), str(status))
    raise refused(N_("the collector refuses with status {detail}"), str(status))


def denied() -> TransportError:
    """The laptop is no longer one of the fleet."""
    return TransportError(
        N_("the collector has denied this laptop"),
        hint=N_("ask whoever runs the collector; this laptop goes on guarding with the policy that it has"),
        kind="denied", detail="", retry_s=DENIED_RETRY_S,
    )  # fmt: skip


def _unknown() -> TransportError:
    """The laptop has a certificate, and the collector knows it no longer, or knows another one."""
    return TransportError(
        N_("the collector does not know this laptop or its certificate"),
        hint=N_("ask whoever runs the collector; after it was put back from an older backup, enrol this laptop again"),
        kind="refused", detail="401", retry_s=0,
    )  # fmt: skip


DENIED_RETRY_S = 24 * 3600


def unreachable(detail: str, retry_s: int = 0) -> TransportError:
    """Later, then."""
    return TransportError(
        N_("the collector cannot be reached ({detail})"),
        hint=N_("nothing is lost: the records wait in the audit log and are sent later"),
        kind="unreachable", detail=detail, retry_s=retry_s,
    )  # fmt: skip


def refused(message: str, detail: str) -> TransportError:
    """Waiting does not help."""
    return TransportError(
        message,
        hint=N_("check the address and the token of the collector; the records wait in the audit log"),
        kind="refused", detail=detail, retry_s=0,
    )  # fmt: skip


def _untrusted(detail: str) -> TransportError:
    return TransportError(
        N_("the collector's certificate is not trusted ({detail})"),
        hint=N_("check the address and the token of the collector; the records wait in the audit log"),
        kind="untrusted", detail=detail, retry_s=0,
    )  # fmt: skip
