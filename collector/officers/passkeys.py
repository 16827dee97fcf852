"""Passkeys (WebAuthn, level 2): registered by somebody who is signed in, asked for at every later sign-in.

The library checks what a browser brings; this owns the challenges (in the session, once, five minutes) and the keys.
"""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Engine, delete, func, insert, select, update

from agent.errors import N_, UntrustedInputError
from collector.journal import note
from collector.officers.sessions import Session
from collector.store.tables import officer_passkeys, officer_sessions
from collector.store.writing import writing

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

CHALLENGE_S = 300
MAX_PASSKEYS = 8
MAX_CREDENTIAL = 16 << 10
MAX_LABEL = 60
_p, _s = officer_passkeys.c, officer_sessions.c


class Place(NamedTuple):
    """Where a passkey is valid: the site's name, and its whole origin."""

    rp_id: str
    origin: str


def place(pages_url: str, scheme: str, host: str) -> Place | None:
    """The site, as it was set; without a setting only a browser on this very machine (localhost). None: no passkeys
    here.
    """
    origin = pages_url.rstrip("/") or f"{scheme}://{host}"
    name = urlsplit(origin).hostname or ""
    if name == "localhost" or (pages_url and origin.startswith("https://")):
        return Place(name, origin)
    return None


def count(engine: Engine, officer: int) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(_p.officer == officer)).scalar_one())


def listed(engine: Engine, officer: int) -> list[tuple[str, str, int, int | None]]:
    """Each passkey: its id as a form carries it, label, when it was made and last used (seconds)."""
    query = select(officer_passkeys).where(_p.officer == officer).order_by(_p.made_at)
    with engine.connect() as connection:
        return [
            (row.credential.hex(), row.label, row.made_at, row.last_at) for row in connection.execute(query)
        ]  # fmt: skip


def registration(engine: Engine, session: Session, where: Place) -> str:
    """What the browser is asked to make, as JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=where.rp_id, rp_name="Serment", user_name=session.officer.name,
        user_id=session.officer.id.to_bytes(8, "big"), challenge=_challenge(engine, session),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(engine, session.officer.id),
    )  # fmt: skip
    return webauthn.options_to_json(options)


def register(engine: Engine, session: Session, where: Place, untrusted: str, label: str) -> None:
    """Enter a new passkey. Raises UntrustedInputError: it does not answer the challenge, or there are too many."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(engine, session)
    try:
        found = webauthn.verify_registration_response(
            credential=_bounded(untrusted), expected_challenge=challenge, expected_rp_id=where.rp_id,
            expected_origin=where.origin, require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _not_taken() from error
    officer = session.officer
    with writing(engine) as connection:
        known = connection.execute(select(_p.officer).where(_p.credential == found.credential_id)).first()
        if known or count(engine, officer.id) >= MAX_PASSKEYS:
            raise _not_taken()
        values = {
            "credential": found.credential_id, "officer": officer.id, "public_key": found.credential_public_key,
            "sign_count": found.sign_count, "label": label.strip()[:MAX_LABEL] or "-", "made_at": int(time.time()),
        }  # fmt: skip
        connection.execute(insert(officer_passkeys).values(values))
        note(connection, officer.name, "passkey.added")


def question(engine: Engine, session: Session, where: Place) -> str:
    """What the browser is asked to sign at a sign-in, as JSON."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=where.rp_id, challenge=_challenge(engine, session),
        allow_credentials=_descriptors(engine, session.officer.id),
        user_verification=UserVerificationRequirement.REQUIRED,
    )  # fmt: skip
    return webauthn.options_to_json(options)


def answer(engine: Engine, session: Session, where: Place, untrusted: str) -> None:
    """Check what a passkey signed. Raises UntrustedInputError: it is not one of this officer's, or it signed something
    else.
    """
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(engine, session)
    try:
        text = _bounded(untrusted)
        credential = webauthn.base64url_to_bytes(str(json.loads(text)["rawId"]))
        with engine.connect() as connection:
            mine = select(officer_passkeys).where(_p.credential == credential, _p.officer == session.officer.id)
            key = connection.execute(mine).first()
        if key is None:
            raise _not_taken()
        found = webauthn.verify_authentication_response(
            credential=text, expected_challenge=challenge, expected_rp_id=where.rp_id, expected_origin=where.origin,
            credential_public_key=key.public_key, credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise _not_taken() from error
    with writing(engine) as connection:
        used = update(officer_passkeys).where(_p.credential == credential)
        connection.execute(used.values(sign_count=found.new_sign_count, last_at=int(time.time())))


def remove(engine: Engine, session: Session, untrusted: str) -> None:
    """Forget one of the officer's own passkeys."""
    try:
        credential = bytes.fromhex(untrusted)
    except ValueError:
        return
    mine = delete(officer_passkeys).where(_p.credential == credential, _p.officer == session.officer.id)
    with writing(engine) as connection:
        if connection.execute(mine).rowcount:
            note(connection, session.officer.name, "passkey.removed")


def _challenge(engine: Engine, session: Session) -> bytes:
    challenge = secrets.token_bytes(32)
    with writing(engine) as connection:
        put = update(officer_sessions).where(_s.digest == session.digest)
        connection.execute(put.values(challenge=challenge, challenge_until=int(time.time()) + CHALLENGE_S))
    return challenge


def _take_challenge(engine: Engine, session: Session) -> bytes:
    """The challenge that was put; it serves once."""
    with writing(engine) as connection:
        mine = _s.digest == session.digest
        row = connection.execute(select(_s.challenge, _s.challenge_until).where(mine)).first()
        if row is None or row.challenge is None or row.challenge_until <= time.time():
            raise _not_taken()
        taken = update(officer_sessions).where(mine, _s.challenge == row.challenge)
        if connection.execute(taken.values(challenge=None)).rowcount != 1:
            raise _not_taken()
        return bytes(row.challenge)


def _bounded(untrusted: str) -> str:
    if len(untrusted) > MAX_CREDENTIAL:
        raise _not_taken()
    return untrusted


def _descriptors(engine: Engine, officer: int) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    with engine.connect() as connection:
        found = connection.execute(select(_p.credential).where(_p.officer == officer)).scalars()
        return [PublicKeyCredentialDescriptor(id=bytes(each)) for each in found]


def _not_taken() -> UntrustedInputError:
    return UntrustedInputError(
        N_("this passkey was not accepted"), hint=N_("try again; the question is valid for five minutes")
    )
