"""The collector's application in process: what a laptop posts, and what anybody asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.fuzz.target import Check, Target, must
from tests.unit.collector.laptops import Laptop

TOKEN = "a-token-of-more-than-sixteen"
_MARK = b"\n\n"
Ask = Callable[..., tuple[int, bytes]]


def _application() -> tuple[Any, Ask]:
    """The engine, and ``ask(method, path, query, headers, body)`` → status and body."""
    import tempfile
    from pathlib import Path

    from collector import app
    from collector.access import Access
    from collector.ingest.verifiers import Verifiers
    from collector.ingest.witness import load_witness
    from collector.ingest.writer import Writer
    from collector.service import Service
    from collector.store.engine import open_store
    from collector.sync.admission import Admission

    folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
    store = open_store(Path(folder.name))
    engine = store.engine
    service = Service(store, Writer(store), Access(TOKEN), load_witness(Path(folder.name)), Verifiers(0))
    service.admission = Admission(1e9, 1e9)
    application, loop = app.build(service), asyncio.new_event_loop()

    def ask(
        method: str, path: bytes, query: bytes = b"", headers: list[tuple[bytes, bytes]] | None = None,
        body: bytes = b"", _keep: object = folder,
    ) -> tuple[int, bytes]:  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path.decode("utf-8", "replace"), "raw_path": path, "query_string": query, "root_path": "",
            "headers": headers or [], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        loop.run_until_complete(application(scope, receive, send))
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    return engine, ask


def _headers(letterhead: bytes) -> list[tuple[bytes, bytes]]:
    names = (b"serment-device", b"serment-from", b"serment-size", b"serment-missing", b"serment-sent")
    lines = [line for line in letterhead.split(b"\n")]
    given = [(name, line[:200]) for name, line in zip(names, lines, strict=False) if line]
    return [(b"authorization", f"Bearer {TOKEN}".encode()), *given]


def _posts() -> list[bytes]:
    laptop = Laptop().fill(3)
    laptop.add("start", version="0.1.0")
    laptop.add(
        channel="removable",
        decision="block",
        judgement="medical",
        kind="lab-report",
        size=9,
        act=True,
        device={"bus": "usb"},
    )
    laptop.add("outcome", of=4, result="blocked")
    laptop.add("place", state="armed", volume="v", channel="removable", strength="hold")
    laptop.add("policy", release="1", policy="enforce")
    laptop.add("trouble", what="disk", numbers=[1, 2, {"a": None}])
    found = []
    for first, end in ((0, 3), (0, None), (3, None)):
        batch = laptop.batch(first, end)
        found.append(f"dev_one\n{first}\n{len(laptop.publics)}\n\n1795289704000000".encode() + _MARK + batch.body)
    return found


def _ingest() -> Check:
    from collector.queries import list_laptops

    engine, ask = _application()

    def check(data: bytes) -> None:
        letterhead, _, body = data.partition(_MARK)
        status, answer = ask("POST", b"/v1/sync", headers=_headers(letterhead), body=body)
        must(status in {200, 400, 409}, f"a post is taken, refused or contradicted, not {status} {answer[:60]!r}")
        if status == 200:
            bearer = [(b"authorization", f"Bearer {TOKEN}".encode())]
            for path in (b"/v1/events", b"/v1/laptops"):
                must(ask("GET", path, headers=bearer)[0] == 200, "what was taken can be listed")
            laptops = list_laptops(engine)
            must(all(laptop.device for laptop in laptops), "laptops have names")

    return check


def _honest() -> Check:
    """Records that are well formed and follow the chain, with hostile content: the pages must still be shown."""
    from agent.audit import record
    from agent.errors import UntrustedInputError
    from collector.access import COOKIE, Access

    _engine, ask = _application()
    cookie = [(b"cookie", f"{COOKIE}={Access(TOKEN).cookie}".encode())]
    kinds = ("transfer", "outcome", "start", "stop", "place", "policy", "trouble", "release", "restore", "odd")
    laptops: dict[str, Laptop] = {}

    def check(data: bytes) -> None:
        import msgspec

        kind = kinds[data[0] % len(kinds)] if data else "transfer"
        try:
            fields = msgspec.json.decode(data[1:])
            device = f"laptop-{len(laptops) // 200:06d}"
            laptop = laptops.setdefault(device, Laptop(device))
            fields = {key: value for key, value in fields.items() if key not in record.RESERVED} | {"kind_": 1}
            before = len(laptop.publics)
            laptop.add(kind, **fields)
        except (
            msgspec.MsgspecError,
            UntrustedInputError,
            UnicodeDecodeError,
            RecursionError,
            TypeError,
            AttributeError,
        ):
            return
        laptops[f"-{len(laptops)}"] = laptop
        batch = laptop.batch(before)
        letterhead = f"{laptop.device}\n{before}\n{len(laptop.publics)}".encode()
        status, answer = ask("POST", b"/v1/sync", headers=_headers(letterhead), body=batch.body)
        must(status == 200, f"an honest record is taken, not {status} {answer[:60]!r}")
        for path in (b"/", b"/events", f"/events/{laptop.device}/{before}".encode()):
            status, page = ask("GET", path, headers=cookie)
            must(status == 200, f"{path!r} is shown, not {status}")
            must(b"<script" not in page, "a page holds no script")

    return check


def _records() -> list[bytes]:
    transfer = (
        b'\0{"channel":"removable","decision":"block","judgement":"medical","kind":"lab-report","size":9,"act":true,'
        b'"device":{"bus":"usb","vendor_id":"0951"},"user":"p_1","rule":"usb-01","confidence":930,"ext":"pdf"}'
    )
    return [
        transfer, b'\1{"of":0,"result":"sealed"}', b'\4{"state":"armed","channel":"cloud","strength":"hold"}',
        b'\5{"release":"1","policy":"<script>alert(1)</script>"}', b'\6{"what":"disk","numbers":[1,{"a":null}]}', b"\2{}",
    ]  # fmt: skip


def _ask() -> Check:
    from collector.access import COOKIE, Access

    _engine, ask = _application()
    laptop = Laptop().fill(3)
    ask("POST", b"/v1/sync", headers=_headers(b"dev_one\n0\n3"), body=laptop.batch().body)
    cookie = (b"cookie", f"{COOKIE}={Access(TOKEN).cookie}".encode())
    bearer = (b"authorization", f"Bearer {TOKEN}".encode())

    def check(data: bytes) -> None:
        path, _, rest = data.partition(b"?")
        query, _, extra = rest.partition(b"\n")
        path = b"/" + quote(path.lstrip(b"/")[:300], safe="/").encode()
        query = quote(query[:600], safe="=&%+:,-").encode()
        given = [cookie, bearer, (b"accept-language", extra[:60]), (b"range", extra[:60])]
        status, answer = ask("GET", path, query, given)
        must(status < 500, f"an address is answered, not {status} {answer[:60]!r}")

    return check


_ADDRESSES = [
    b"events?laptop=dev_one&kind=all&before=1-1-1&since=2026-01-01\nfr,en;q=0.5", b"v1/events?limit=5&before=1.1.1&laptop=dev_one",
    b"events/dev_one/1", b"?token=x&lang=fr", b"static/style.css", b"v1/laptops", b"health", b"events?day=2026-11-22&channel=removable",
    b"v1/events?since=1795289704000000&until=1795289704000001",
]  # fmt: skip
_JSON = (
    b'"judgement":"medical"',
    b"9007199254740991",
    b"-9007199254740991",
    b"null",
    b"{}",
    b"[]",
    b'"of":0',
    b'"\\u0000"',
    b'"<script>"',
)
_QUERY = (
    b"&laptop=", b"&kind=all", b"&before=", b"&since=", b"&until=", b"&limit=", b"&lang=", b"&channel=", b"&decision=", b"..%2f", b"%00",
    b"9223372036854775808", b"99999999999999999999", b"0001-01-01", b"9999-12-31", b"%ff", b"&token=", b"&page=", b"&index=",
)  # fmt: skip
TARGETS = (
    Target("collector-ingest", "a post is taken, refused or contradicted, and what was taken can be listed",
           _posts, _ingest, words=(_MARK, b"dev_two\n0\n9\n\n0", b"\n3\n9\n2\n", b"9007199254740992"), cpu_s=4.0),
    Target("collector-records", "a well-formed record with any content is taken, and the pages are shown without script",
           _records, _honest, words=_JSON, cpu_s=4.0, max_bytes=8192),
    Target("collector-pages", "any address is answered without a server error", lambda: _ADDRESSES, _ask, words=_QUERY,
           cpu_s=4.0, max_bytes=2048),
)  # fmt: skip
