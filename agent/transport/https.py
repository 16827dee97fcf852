"""The collector over HTTP(S): the one importer of urllib3, loaded by the short-lived sync process alone.

Translates every foreign error once, here. Follows no redirect (a token goes to the address it was given for), reads
no more of a reply than the wire's limit, and speaks plain HTTP to this machine only.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import urllib3

from agent.errors import N_, ConfigError, TransportError, UntrustedInputError
from agent.transport import wire
from agent.transport.wire import Batch, Reply

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
MAX_RETRY_AFTER_S = 3600


class HttpsCollector:
    """A collector at ``url`` (https://host[:port], or http:// on a loopback address), opened with ``token``."""

    def __init__(self, url: str, token: str, *, ca_file: str | None = None) -> None:
        self._url = check_url(url) + wire.PATH
        self._token = token
        self._pool = urllib3.PoolManager(
            num_pools=1,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
            ca_certs=ca_file,
        )

    def sync(self, batch: Batch) -> Reply:
        """See Collector.sync."""
        headers = {
            **wire.headers(batch.letterhead),
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/vnd.serment.frames",
        }
        try:
            response = self._pool.request(
                "POST", self._url, body=batch.body, headers=headers, redirect=False, preload_content=False
            )
            try:
                untrusted = response.read(wire.MAX_REPLY_BYTES + 1, decode_content=False)
            finally:
                response.release_conn()
                if response.length_remaining:
                    response.close()
        except (urllib3.exceptions.SSLError, urllib3.exceptions.InvalidHeader) as error:
            raise _refused(N_("the collector's certificate is not trusted ({detail})"), type(error).__name__) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(type(error).__name__) from error
        return _answer(response.status, untrusted, response.headers.get("Retry-After", ""))

    def close(self) -> None:
        self._pool.clear()


def check_url(url: str) -> str:
    """``url`` without a trailing slash. Raises ConfigError: not https, and not http on a loopback address."""
    try:
        parts = urlsplit(url)
        loopback = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        loopback = False
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and loopback)):
        raise ConfigError(N_("the collector's address should be https://…, found {found}"), found=repr(url))
    return url.rstrip("/")


def _answer(status: int, untrusted: bytes, retry_after: str) -> Reply:
    if status in {200, 409}:
        try:
            return wire.parse_reply(untrusted, refused=status == 409)
        except UntrustedInputError as error:
            raise _refused(N_("the collector's answer is not understood (status {detail})"), str(status)) from error
    if status in {429, 503} or status >= 500:
        wait = min(int(retry_after), MAX_RETRY_AFTER_S) if retry_after.isascii() and retry_after.isdigit() else 0
        raise _unreachable(f"HTTP {status}", wait)
    if status in {401, 403}:
        raise _refused(N_("the collector does not accept this laptop's token (status {detail})"), str(status))
    raise _refused(N_("the collector refuses with status {detail}"), str(status))


def _unreachable(detail: str, retry_s: int = 0) -> TransportError:
    return TransportError(
        N_("the collector cannot be reached ({detail})"),
        hint=N_("nothing is lost: the records wait in the audit log and are sent later"),
        kind="unreachable", detail=detail, retry_s=retry_s,
    )  # fmt: skip


def _refused(message: str, detail: str) -> TransportError:
    return TransportError(
        message,
        hint=N_("check the address and the token of the collector; the records wait in the audit log"),
        kind="refused", detail=detail, retry_s=0,
    )  # fmt: skip
