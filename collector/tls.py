"""The address for laptops: TLS 1.3, the collector's own certificate, and the client certificate handed to the routes.

A client certificate is asked for and not demanded: who has none may enrol, renew or bring a signed request. One that
does not verify ends the handshake. Tickets are off: a laptop that was denied must not resume.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.errors import N_, HostError
from agent.fsys.atomic import private_folder, replace_file
from collector.enrol.authority import FOLDER, Authority
from collector.enrol.certificates import SERVER_DAYS, issue_server, pseudonym
from collector.patience import PatientProtocol
from collector.sync.identity import STATE_KEY, TRANSPORT_KEY

if TYPE_CHECKING:
    import uvicorn

PATHS = ("/v1/sync", "/v1/bell", "/v1/enrol", "/v1/renew", "/v1/authority", "/v1/tuf/", "/health")
_KEY, _CHAIN = "server.key", "server.pem"
RENEW_BEFORE_S = SERVER_DAYS * 24 * 3600 // 3


class ForLaptops:
    """Around the application at this address: what laptops ask, and no page of people."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(PATHS):
            await PlainTextResponse("not found", 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


class CertifiedProtocol(PatientProtocol):
    """Tells the routes whose certificate the connection has."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        tls: Any = transport.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        self.app_state = {**self.app_state, STATE_KEY: _device(der) if der else "", TRANSPORT_KEY: transport}
        super().connection_made(transport)


def _device(der: bytes) -> str:
    """The pseudonym in a certificate that the handshake has verified; "" when it is for no laptop."""
    from cryptography import x509

    try:
        return pseudonym(x509.load_der_x509_certificate(der))
    except (ValueError, x509.ExtensionNotFound):
        return ""


def config(base: uvicorn.Config, authority: Authority, data: Path, names: tuple[str, ...]) -> uvicorn.Config:
    """``base`` for the address of laptops; makes or renews the collector's own certificate for ``names``."""
    base.http = CertifiedProtocol
    base.load()
    base.ssl = context(authority, data, names)
    return base


def context(authority: Authority, data: Path, names: tuple[str, ...]) -> ssl.SSLContext:
    """How to speak TLS with laptops. Raises HostError: no names."""
    if not names:
        raise HostError(
            N_("the address for laptops needs a name"), hint=N_("add --name with the host name that laptops use")
        )
    folder = private_folder(data / FOLDER)
    renew(authority, folder, names)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.num_tickets = 0
    made.load_cert_chain(folder / _CHAIN, folder / _KEY)
    made.load_verify_locations(cadata=authority.pem)
    made.verify_mode = ssl.CERT_OPTIONAL
    made.set_alpn_protocols(["http/1.1"])
    return made


def renew(authority: Authority, folder: Path, names: tuple[str, ...]) -> None:
    """Make the collector's own certificate anew, at each start: the key lives as long as the process's address."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = generate_private_key(SECP256R1())
    issued = issue_server(authority, names, key.public_key(), int(time.time()))
    replace_file(folder / _KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    replace_file(folder / _CHAIN, issued.pem.encode())


async def keep_renewed(configured: uvicorn.Config, authority: Authority, data: Path, names: tuple[str, ...]) -> None:
    """A process that runs for months gets a new certificate in time; open connections keep the old one."""
    folder = data / FOLDER
    while configured.ssl is not None:
        await asyncio.sleep(RENEW_BEFORE_S)
        await asyncio.to_thread(renew, authority, folder, names)
        configured.ssl.load_cert_chain(folder / _CHAIN, folder / _KEY)
