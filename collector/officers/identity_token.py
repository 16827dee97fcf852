"""Whether an ID token says who somebody is: OpenID Connect Core 1.0, section 3.1.3.7. Pure: bytes, keys and time in.

joserfc checks the signature; what must be in the token is decided here. The algorithms are ours to choose, never the
token's: no « none », and no shared secret, which would let whoever knows the client's secret make officers.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.errors import N_, UntrustedInputError

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
MAX_TOKEN = 64 << 10
MAX_KEYS = 32
MAX_SUBJECT = 255  # ASCII characters: OpenID Connect Core, section 2
LEEWAY_S = 60
MAX_AGE_S = 600  # since it was made; a sign-in takes no longer
LEAST_RSA_BITS = 2048
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


def refused(word: str) -> UntrustedInputError:
    """``word``: what was wrong, for whoever sets the directory up."""
    return UntrustedInputError(
        N_("the directory's answer was not accepted ({word})"), word=word,
        hint=N_("sign in again; if it stays so, tell whoever runs the collector the word in brackets"),
    )  # fmt: skip


def checked(
    untrusted: str, keys: Sequence[Mapping[str, Any]], issuer: str, client_id: str, nonce: str, now: int
) -> dict[str, Any]:
    """The claims of a token that ``issuer`` made for ``client_id``, for the sign-in that ``nonce`` belongs to.

    Raises UntrustedInputError; its field ``word`` is one of malformed, algorithm, key, signature, issuer, audience,
    nonce, expired, early, old, subject.
    """
    claims = _signed(untrusted, keys)
    if claims.get("iss") != issuer:
        raise refused("issuer")
    _check_audience(claims, client_id)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
        claims["nonce"].encode("utf-8", "surrogatepass"), nonce.encode()
    ):
        raise refused("nonce")
    _check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isascii() or not 0 < len(subject) <= MAX_SUBJECT:
        raise refused("subject")
    return claims


def _signed(untrusted: str, keys: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims, after one of ``keys`` was found to have signed them."""
    from joserfc import jwt
    from joserfc.errors import JoseError

    header = _header(untrusted)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise refused("algorithm")
    found = False
    for key in _candidates(header, keys):
        found = True
        try:
            token = jwt.decode(untrusted, key, algorithms=[algorithm])
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue
        if isinstance(token.claims, dict):
            return dict(token.claims)
    raise refused("signature" if found else "key")


def _header(untrusted: str) -> dict[str, Any]:
    try:
        if len(untrusted) > MAX_TOKEN or untrusted.count(".") != 2:
            raise ValueError
        raw = untrusted.split(".", 1)[0].encode("ascii")
        header = json.loads(urlsafe_b64decode(raw + b"=" * (-len(raw) % 4)))
    except (ValueError, RecursionError) as error:
        raise refused("malformed") from error
    if not isinstance(header, dict) or "crit" in header:
        raise refused("malformed")
    return header


def _candidates(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> Iterator[Any]:
    """The directory's keys that may have signed a token with this header, ready for use."""
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = _KINDS[str(header["alg"])[:2]]
    for each in keys[:MAX_KEYS]:
        if each.get("kty") != kind or each.get("use", "sig") != "sig":
            continue
        if "kid" in header and each.get("kid") != header["kid"]:
            continue
        try:
            key = kinds[kind].import_key(dict(each))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if kind != "RSA" or key.public_key.key_size >= LEAST_RSA_BITS:
            yield key


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Made for us; when for others too, then asked for by us."""
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or client_id not in named:
        raise refused("audience")
    if claims.get("azp", client_id if len(named) == 1 else None) != client_id:
        raise refused("audience")


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    for name, value in times.items():
        given = value is not None or name != "nbf"
        if given and (isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 53):
            raise refused("malformed")
    if times["exp"] <= now - LEEWAY_S:  # type: ignore[operator]
        raise refused("expired")
    if times["iat"] > now + LEEWAY_S or (times["nbf"] or 0) > now + LEEWAY_S:  # type: ignore[operator]
        raise refused("early")
    if times["iat"] < now - MAX_AGE_S:  # type: ignore[operator]
        raise refused("old")
