"""Forms from anybody at all: one that never ends, or whose sender goes, keeps no place."""

import asyncio

import pytest
from starlette.requests import Request

from agent.errors import ChangedError
from collector.officers import decisions, guard

HEADERS = [(b"content-type", b"application/x-www-form-urlencoded")]


def read(*parts, then, headers=HEADERS):
    """What is made of a form that comes in ``parts``; ``then`` is awaited for what follows."""
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in parts]

    async def receive():
        return waiting.pop(0) if waiting else await then()

    scope = {"type": "http", "method": "POST", "path": "/login", "headers": headers}
    return asyncio.run(asyncio.wait_for(guard.read_form(Request(scope, receive)), 60))


async def end():
    return {"type": "http.request", "body": b"", "more_body": False}


async def never():
    await asyncio.Event().wait()


async def gone():
    return {"type": "http.disconnect"}


def test_a_form_in_pieces_is_one_form():
    assert read(b"name=cam", b"ille&next=", then=end) == {"name": "camille", "next": ""}


def test_a_form_that_never_ends_is_none(monkeypatch):
    monkeypatch.setattr(guard, "FORM_TIMEOUT_S", 0.05)
    assert read(b"name=cam", then=never) is None


def test_a_sender_that_goes_is_no_error():
    assert read(b"name=cam", then=gone) is None


@pytest.mark.parametrize(
    ("charset", "value"),
    [("punycode", b"-a9h" * 20), ("utf-7", b"+2AA-"), ("unicode_escape", b"\\ud800"), ('"utf-16"', b"\x00\xd8")],
)
def test_a_form_in_a_code_that_its_sender_chose_is_none(charset, value):
    def sent(kind):
        part = b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n' + value + b"\r\n--B--\r\n"
        return read(part, then=end, headers=[(b"content-type", f"multipart/form-data; boundary=B{kind}".encode())])

    assert sent(f"; charset={charset}") is None
    assert sent("") == sent("; charset=UTF-8")
    assert set(sent("")) == {"name"}


def asked(**headers):
    listed = [(name.encode(), value.encode()) for name, value in {"host": "h:1", **headers}.items()]
    return guard.from_here(Request({"type": "http", "method": "POST", "path": "/login", "headers": listed}))


def test_only_a_form_of_ours_is_from_here():
    assert asked() and asked(origin="https://h:1") and asked(origin="http://h:1")
    for origin in ("https://other", "https://h:2", "null", "", "http://[", "https://h:1/", "h:1"):
        assert not asked(origin=origin), origin
    assert not asked(origin="null", host="")


def test_a_risk_of_a_number_beyond_all_is_none(light_store):
    form = {
        "version": "1", "title": "t", "treatment": "accepted", "owner": "o", "decided_on": "2026-11-22",
        "review_on": "2027-11-22",
    }  # fmt: skip
    with pytest.raises(ChangedError):
        decisions.keep_risk(light_store.engine, 10**30, form, "camille")
