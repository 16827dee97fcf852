import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import UntrustedInputError, UsageError
from agent.fleet import token
from agent.fleet.enrolment import is_due, new_key
from agent.fleet.token import Token
from agent.transport import sealing, signed
from collector.enrol.certificates import spki

GOOD = Token(b"0123456789", b"abcdefghijklmnop", "collector.example", 8443)


@given(st.binary(min_size=10, max_size=10), st.binary(min_size=16, max_size=16), st.integers(1, 65535))
def test_tokens_survive_however_they_are_typed(pin, secret, port):
    made = Token(pin, secret, "[2001:db8::1]", port)
    text = token.write(made)
    for typed in (text, text.lower(), f"  {text.replace('-', ' ')}\n", text.replace("-", "")):
        assert token.read(typed) == made


@pytest.mark.parametrize(
    "typed",
    ["", "SRM1", token.write(GOOD)[:-12], token.write(GOOD).replace("SRM1", "SRM2"), token.write(GOOD)[1:],
     token.write(GOOD).replace("@", ""), token.write(GOOD).replace("8443", "0"), token.write(GOOD).replace("8443", "65536"),
     token.write(GOOD).replace("collector", "-x"), token.write(GOOD).replace("collector", "a/b"),
     token.write(GOOD).replace("@", "@user@"), token.write(GOOD).replace("SRM1-", "SRM1-1"), "x" * 100_000],
)  # fmt: skip
def test_what_is_no_token_is_refused_without_repeating_it(typed):
    with pytest.raises(UsageError) as caught:
        token.read(typed)
    assert "GAYT" not in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_a_token_or_refused(text):
    try:
        assert token.read(token.write(token.read(text))) == token.read(text)
    except UsageError:
        pass


def test_renewal_is_due_at_two_thirds():
    assert [is_due(0, 90, day) for day in (0, 59, 60, 90, 400)] == [False, False, True, True, True]


HEADERS = {"Serment-Device": "dev_one", "Serment-From": "3", "Serment-Size": "9", "Serment-Report": "2"}


@pytest.fixture(scope="module")
def key():
    return new_key()


def proof(key, body=b"body", headers=HEADERS, **changes):
    options = {"method": "POST", "path": "/v1/sync", "device": "dev_one", "created_us": 5} | changes
    return {**headers, **signed.sign(headers=headers, body=body, key=key, **options)}


def test_a_signed_request_is_accepted_as_it_was_sent(key):
    assert signed.verify("POST", "/v1/sync", proof(key), b"body", "dev_one", spki(key.public_key())) == 5


@pytest.mark.parametrize(
    ("change", "value"),
    [("Serment-From", "4"), ("Serment-Size", "8"), ("Serment-Device", "dev_two"), ("Serment-Report", "3"),
     ("Serment-Log", "serment-log/" + "0" * 32), ("Serment-Missing", "1"), ("Content-Encoding", "serment-hpke"),
     ("Serment-Report", None), ("Content-Digest", None), ("Signature", None), ("Signature-Input", None),
     ("Signature", "serment=:AAAA:"), ("Signature-Input", "serment=();created=5"), ("Content-Digest", "sha-256=:AAAA:")],
)  # fmt: skip
def test_whatever_is_changed_on_the_way_is_noticed(key, change, value):
    sent = proof(key)
    sent.pop(change, None)
    if value is not None:
        sent[change] = value
    with pytest.raises(UntrustedInputError):
        signed.verify("POST", "/v1/sync", sent, b"body", "dev_one", spki(key.public_key()))


def test_body_method_path_key_and_speaker_are_covered(key):
    public = spki(key.public_key())
    for method, path, body, device, by in (
        ("PUT", "/v1/sync", b"body", "dev_one", public), ("POST", "/v1/renew", b"body", "dev_one", public),
        ("POST", "/v1/sync", b"bodx", "dev_one", public), ("POST", "/v1/sync", b"body", "dev_two", public),
        ("POST", "/v1/sync", b"body", "dev_one", spki(new_key().public_key())),
        ("POST", "/v1/sync", b"body", "dev_one", b"no key"),
    ):  # fmt: skip
        with pytest.raises(UntrustedInputError):
            signed.verify(method, path, proof(key), body, device, by)


@settings(deadline=None)
@given(st.text(max_size=100), st.text(max_size=100))
def test_any_headers_are_refused_in_one_way(one, two):
    sent = {**HEADERS, signed.INPUT_HEADER: one, signed.SIGNATURE_HEADER: two, signed.DIGEST_HEADER: signed.digest(b"")}
    with pytest.raises(UntrustedInputError):
        signed.verify("POST", "/v1/sync", sent, b"", "dev_one", b"")


def test_a_sealed_body_opens_for_its_key_and_context_only():
    secret, public = sealing.make()
    sealed = sealing.seal(b"plain", public, b"sync")
    assert sealing.unseal(sealed, secret, b"sync") == b"plain"
    assert len(sealed) - 5 <= 4096
    for data, by, info in ((sealed, sealing.make()[0], b"sync"), (sealed, secret, b"enrol"), (sealed[:-1], secret, b"sync"),
                           (b"", secret, b"sync"), (sealed + b"x", secret, b"sync")):  # fmt: skip
        with pytest.raises(UntrustedInputError):
            sealing.unseal(data, by, info)
