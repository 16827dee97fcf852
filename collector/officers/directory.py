"""The hospital's directory over HTTPS: where it is asked, its keys, and a code exchanged for who somebody is.

OpenID Connect Discovery 1.0; the authorization code flow with PKCE (RFC 7636, S256). Everything it answers is bounded
and untrusted until ``identity_token`` has checked it. TLS always, no redirect is followed. Owns no session and no
account.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from agent.errors import N_, TransportError, UntrustedInputError
from collector.officers.identity_token import checked, refused
from collector.officers.provider import Provider

WELL_KNOWN = "/.well-known/openid-configuration"
MAX_ANSWER = 256 << 10
WAIT_S = 10.0
KEEP_S = 3600.0  # what it says of itself
AGAIN_S = 30.0  # not asked for new keys more often than this
REST_S = 5.0  # after it did not answer, it is not asked again what it says of itself
AT_ONCE = 4  # sign-ins that wait for it; a slow directory must not take the threads that laptops need
_ACCESS = re.compile(r"[\x21-\x7e]{1,16384}")  # RFC 6750: nothing that would be another header
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Directory:
    """One provider. May be used by several threads."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._asking = threading.BoundedSemaphore(AT_ONCE)
        self._learning = threading.BoundedSemaphore(AT_ONCE)
        self._said: dict[str, Any] = {}
        self._keys: list[dict[str, Any]] = []
        self._said_at = self._keys_at = self._away_at = -KEEP_S

    def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent; it comes back to ``back``. Raises TransportError and UntrustedInputError."""
        query = {
            "response_type": "code",
            "scope": self.provider.scope,
            "client_id": self.provider.client_id,
            "redirect_uri": back,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        if self.provider.acr:
            query["acr_values"] = self.provider.acr
        place = str(self.said()["authorization_endpoint"])
        return place + ("&" if "?" in place else "?") + urlencode(query)

    def claims(self, code: str, verifier: str, nonce: str, back: str) -> dict[str, Any]:
        """Who the code stands for. Raises UntrustedInputError: not accepted; TransportError: not reached, busy."""
        if not self._asking.acquire(blocking=False):
            raise _away("busy")
        try:
            token, access = self._redeemed(code, verifier, back)
            claims = self._checked(token, nonce)
            if self.provider.roles_claim[0] not in claims:
                claims = {**self._userinfo(access, claims["sub"]), **claims}
        finally:
            self._asking.release()
        if self.provider.acr and claims.get("acr") != self.provider.acr:
            raise refused("acr")
        return claims

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """With the keys that are known; with new ones when it is signed by none of those."""
        issuer, client = self.provider.issuer, self.provider.client_id
        try:
            return checked(
                token, self._known_keys(AGAIN_S if not self._keys else KEEP_S), issuer, client, nonce, _now()
            )
        except UntrustedInputError as error:
            if error.fields["word"] not in {"key", "signature"} or time.monotonic() - self._keys_at < AGAIN_S:
                raise
        return checked(token, self._known_keys(AGAIN_S), issuer, client, nonce, _now())

    def sign_out(self, back: str) -> str:
        """Where a browser ends its session at the directory (RP-Initiated Logout 1.0), and comes back to ``back``; ""
        when there is no such place. No hint of who it is goes with it: the directory's own session says that, and no
        token is kept for it. Raises TransportError and UntrustedInputError.
        """
        place = self.said().get("end_session_endpoint")
        if not _secure(place):
            return ""
        query = {"client_id": self.provider.client_id, "post_logout_redirect_uri": back}
        return str(place) + ("&" if "?" in str(place) else "?") + urlencode(query)

    def said(self) -> Mapping[str, Any]:
        """What the provider says of itself. Raises TransportError (also: others wait for it already, or it did not
        answer just now: anybody at all may have this asked) and UntrustedInputError.
        """
        if time.monotonic() - self._said_at < KEEP_S:
            return self._said
        if not self._learning.acquire(blocking=False):
            raise _away("busy")
        try:
            with self._lock:
                if time.monotonic() - self._said_at >= KEEP_S:
                    self._said, self._said_at = self._learned(), time.monotonic()
                return self._said
        finally:
            self._learning.release()

    def _learned(self) -> dict[str, Any]:
        if time.monotonic() - self._away_at < REST_S:
            raise _away("no answer just now")
        try:
            found = self._get(self.provider.issuer.rstrip("/") + WELL_KNOWN)
        except TransportError:
            self._away_at = time.monotonic()
            raise
        if found.get("issuer") != self.provider.issuer:
            raise refused("issuer")
        for name in _ENDPOINTS:
            if not _secure(found.get(name)):
                raise refused("discovery")
        return found

    def _known_keys(self, max_age_s: float) -> list[dict[str, Any]]:
        place = str(self.said()["jwks_uri"])
        with self._lock:
            if time.monotonic() - self._keys_at >= max_age_s:
                found = self._get(place).get("keys")
                if not isinstance(found, list):
                    raise refused("keys")
                self._keys, self._keys_at = [key for key in found if isinstance(key, dict)], time.monotonic()
            return self._keys

    def _redeemed(self, code: str, verifier: str, back: str) -> tuple[str, str]:
        """The ID token for a code (RFC 6749, section 4.1.3), and the access token; "" for one that is no header's."""
        said = self.said()
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = isinstance(methods, list) and "client_secret_basic" in methods
        if self.provider.secret and basic:
            pair = f"{quote(self.provider.client_id, safe='')}:{quote(self.provider.secret, safe='')}"
            headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
        else:
            fields["client_id"] = self.provider.client_id
            if self.provider.secret:
                fields["client_secret"] = self.provider.secret
        answer = self._ask("POST", str(said["token_endpoint"]), headers, urlencode(fields).encode())
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise refused("token")
        return token, access if isinstance(access, str) and _ACCESS.fullmatch(access) else ""

    def _userinfo(self, access: str, subject: str) -> dict[str, Any]:
        """What the directory says besides of the person of a token (OpenID Connect Core, section 5.3); {} where it says
        nothing. It counts for ``subject`` alone, and never against what the signed token says.
        """
        place = self.said().get("userinfo_endpoint")
        if place is None or not access:
            return {}
        if not _secure(place):
            raise refused("discovery")
        found = self._ask("GET", str(place), {"Authorization": f"Bearer {access}"}, b"", wrong="userinfo")
        if found.get("sub") != subject:
            raise refused("userinfo")
        return found

    def _get(self, place: str) -> dict[str, Any]:
        return self._ask("GET", place, {}, b"")

    def _ask(
        self, method: str, place: str, headers: Mapping[str, str], body: bytes, *, wrong: str = ""
    ) -> dict[str, Any]:
        """One request; the object that is answered. ``wrong``: the word for an answer that is none."""
        import urllib3

        context = ssl.create_default_context(cafile=self.provider.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        asked = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        try:
            with urllib3.PoolManager(ssl_context=context, timeout=WAIT_S, retries=False) as pool:
                answer = pool.request(
                    method, place, headers=asked, body=body or None, redirect=False, preload_content=False
                )
                status, untrusted = answer.status, answer.read(MAX_ANSWER + 1, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _away(type(error).__name__) from error
        if status >= 500:
            raise _away(str(status))
        if status != 200:  # a code that was used before, or by somebody else
            raise refused(wrong or ("code" if method == "POST" else "discovery"))
        return _object(untrusted, wrong)


def challenge(verifier: str) -> str:
    """RFC 7636, section 4.2, S256."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _now() -> int:
    return int(time.time())


def _secure(untrusted: object) -> bool:
    if (
        not isinstance(untrusted, str)
        or not untrusted.isascii()
        or not untrusted.isprintable()
        or len(untrusted) > 2048
    ):
        return False
    try:
        parts = urlsplit(untrusted)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and not parts.username and not parts.fragment


def _object(untrusted: bytes, wrong: str = "") -> dict[str, Any]:
    try:
        found = json.loads(untrusted) if len(untrusted) <= MAX_ANSWER else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise refused(wrong or "malformed")
    return found


def _away(detail: str) -> TransportError:
    return TransportError(
        N_("the directory cannot be reached ({detail})"), detail=detail[:60], kind="away", retry_s=0,
        hint=N_("sign in with a passphrase and a passkey of the collector's own, or try again later"),
    )  # fmt: skip
