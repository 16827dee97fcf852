"""A hospital's directory for tests: an OpenID Connect provider over TLS that really signs, and that lies when told to.

It stands for the real one (Keycloak, ADFS), which cannot run here. Written after the specification with nothing but
``cryptography``, so that it shares no line with what it tests: discovery, keys, authorization with PKCE (S256), codes
that count once, tokens by RS256 or ES256.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import ssl
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.siem import make_certificates

CLIENT, SECRET = "serment", "a secret: 100 %"


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A signing key of the directory."""

    def __init__(self, kid: str, algorithm: str = "RS256", bits: int = 2048) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.secret: Any = (
            rsa.generate_private_key(65537, bits) if algorithm == "RS256" else ec.generate_private_key(ec.SECP256R1())
        )

    def public(self) -> dict[str, str]:
        numbers = self.secret.public_key().public_numbers()
        shared = {"kid": self.kid, "use": "sig"}
        if self.algorithm == "RS256":
            return {**shared, "kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        x, y = (b64(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
        return {**shared, "kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, data: bytes) -> bytes:
        if self.algorithm == "RS256":
            return self.secret.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.secret.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Directory:
    """Serves until ``close``. ``person`` is who signs in next; ``spoil`` changes a token's claims before it is signed,
    ``write`` makes the token (header, claims) instead of signing it well.
    """

    def __init__(self, folder: Path, key: Key) -> None:
        self.ca_file, certificate, key_file = make_certificates(folder)
        self._key = key
        self.begin()
        handler = type("Handler", (_Handler,), {"directory": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.issuer = f"https://127.0.0.1:{self._server.server_address[1]}/realms/hospital"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def begin(self) -> None:
        """Honest again, and nobody on the way."""
        self.keys, self.signing = [self._key], self._key
        self.person: dict[str, Any] = {"sub": "p-1", "preferred_username": "Camille", "groups": ["serment-dpo"]}
        self.said: dict[str, Any] = {}
        self.spoil: Any = lambda claims: claims
        self.write: Any = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.info: Any = None
        self.bearers: list[str] = []

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.info is not None else {}), **self.said,
        }  # fmt: skip

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to, as if the person had signed in at once."""
        assert query["response_type"] == "code" and query["client_id"] == CLIENT and "openid" in query["scope"].split()
        assert query["code_challenge_method"] == "S256"
        code = self.code(query)
        return query["redirect_uri"] + "?" + urlencode({"code": code, "state": query["state"], "iss": self.issuer})

    def code(self, query: dict[str, str]) -> str:
        """For whoever asked so."""
        code = secrets.token_urlsafe(16)
        self.codes[code] = query
        return code

    def redeem(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """The answer to a code; None: refused. Every code counts once."""
        asked = self.codes.pop(form.get("code", ""), None)
        pair = f"{CLIENT}:{SECRET}"
        if asked is None or unquote(b64decode(authorization.removeprefix("Basic ")).decode()) != pair:
            return None
        proof = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if proof != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        return {"access_token": "x", "token_type": "Bearer", "id_token": self.token(asked.get("nonce", ""))}

    def token(self, nonce: str) -> str:
        now = int(time.time())
        claims = self.spoil(
            {"iss": self.issuer, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300, **self.person}
        )
        header = {"alg": self.signing.algorithm, "kid": self.signing.kid, "typ": "JWT"}
        if self.write is not None:
            return self.write(header, claims)
        return self.signed(header, claims)

    def signed(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        text = joined(header, claims)
        return f"{text}.{b64(self.signing.sign(text.encode()))}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def joined(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(b64(json.dumps(part).encode()) for part in (header, claims))


class _Handler(BaseHTTPRequestHandler):
    directory: Directory

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        place = parts.path.removeprefix("/realms/hospital")
        self.directory.asked.append(place)
        if place == "/.well-known/openid-configuration":
            self._answer(200, self.directory.discovery())
        elif place == "/keys":
            self._answer(200, {"keys": [key.public() for key in self.directory.keys]})
        elif place == "/userinfo":
            self.directory.bearers.append(self.headers.get("Authorization", ""))
            status, said = self.directory.info
            self._answer(status, said)
        elif place == "/auth":
            where = self.directory.authorize({name: values[0] for name, values in parse_qs(parts.query).items()})
            self.send_response(302)
            self.send_header("Location", where)
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.directory.asked.append("/token")
        form = {name: values[0] for name, values in parse_qs(body).items()}
        found = self.directory.redeem(form, self.headers.get("Authorization", ""))
        self._answer(200 if found else 400, found or {"error": "invalid_grant"})

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass
