"""One batch of events to one target, and whether it has them. Opens a connection, waits for the answer, leaves.

``Later``: nothing is known to have arrived, send the same again. ``Unfit``: the target understood and will never take
this, or it cannot be written; whoever sent several tries them apart. TLS always, names and authorities checked, no
redirect is followed. What a target answers is hostile: it is shown on terminals, and is made fit for that here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import ssl
import termios
import time
import uuid
from collections.abc import Sequence
from typing import Any

from agent.audit.ocsf import ocsf
from agent.errors import HostError, SermentError
from collector.forward.cef import cef
from collector.forward.ecs import ecs
from collector.forward.event import Event
from collector.forward.syslog import message
from collector.forward.targets import Settings, read_secret

CONNECT_S = 10.0
ANSWER_S = 30.0
ACK_S = 60.0
ACK_EVERY_S = 0.5
MAX_ANSWER_BYTES = 4 << 20
MAX_RETRY_S = 3600
_UNFIT = {400, 413, 422}
_DATA_CODES = {5, 6, 7, 12, 13, 15}  # HEC: no data, invalid data, index, no event, blank event, fields


class Later(Exception):
    """Try again; ``after_s`` when the target said when (seconds)."""

    def __init__(self, why: str, after_s: int = 0) -> None:
        super().__init__(_plain(why))
        self.after_s = after_s


class Unfit(Exception):
    """The target will not take these events, or one of them cannot be written."""

    def __init__(self, why: str) -> None:
        super().__init__(_plain(why))


def _plain(untrusted: str) -> str:
    """Without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in untrusted)


def send(settings: Settings, events: Sequence[Event], received_ms: int) -> list[str]:
    """Give all events to the target. For each: "", or why this one is refused for good. Raises Later and Unfit."""
    try:
        if settings.kind == "syslog":
            return _syslog(settings, events, received_ms)
        return _http(settings, events, received_ms)
    except HostError as error:
        raise Later(error.render(str)) from error
    except (OSError, SermentError) as error:  # also ssl.SSLError: the certificate, the connection
        raise Later(f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"[:200]) from error


def written(settings: Settings, event: Event, received_ms: int) -> str:
    """The event in the target's form, on one line of ASCII. Raises Unfit: what a laptop wrote cannot be put in it."""
    try:
        return _written(settings, event, received_ms)
    except Exception as error:  # hostile words of one laptop hold up nobody else's
        raise Unfit(f"it cannot be written: {type(error).__name__}") from error


def _written(settings: Settings, event: Event, received_ms: int) -> str:
    if settings.form == "cef":
        return cef(event, received_ms).encode("ascii", "backslashreplace").decode()
    value = ocsf(event, received_ms) if settings.form == "ocsf" else ecs(event, received_ms)
    return json.dumps(value, separators=(",", ":"))


def _context(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate:
        context.load_cert_chain(settings.certificate)
    return context


# ---- syslog


def _syslog(settings: Settings, events: Sequence[Event], received_ms: int) -> list[str]:
    """TCP acknowledges nothing to us, so a batch has a connection of its own: we end it, and the target, which closes
    in good order only when it has read everything, ends it too. A reset or silence: the batch goes again.
    """
    intake = read_secret(settings)
    data = b"".join(message(event, written(settings, event, received_ms), intake) for event in events)
    with socket.create_connection((settings.host, settings.port), CONNECT_S) as plain:
        plain.settimeout(ANSWER_S)
        with _context(settings).wrap_socket(plain, server_hostname=settings.host) as secure:
            secure.sendall(data)
            _await_end(secure)
    return [""] * len(events)


def _await_end(secure: ssl.SSLSocket) -> None:
    """Say that this was all, and see the other side close after it has taken every byte. Raises OSError and Later."""
    with contextlib.suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):  # it closed without the word that ends TLS
        secure.unwrap()
        while secure.recv(4096):
            pass
    waiting = fcntl.ioctl(secure.fileno(), termios.TIOCOUTQ, bytes(4))
    if any(waiting) or secure.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise Later("the connection ended before everything was taken")


# ---- HTTPS


def _http(settings: Settings, events: Sequence[Event], received_ms: int) -> list[str]:
    import urllib3

    secret = read_secret(settings)
    pool = urllib3.HTTPSConnectionPool(
        settings.host, settings.port, ssl_context=_context(settings), retries=False, maxsize=1,
        timeout=urllib3.Timeout(CONNECT_S, ANSWER_S),
    )  # fmt: skip
    try:
        give = {"hec": _hec, "elastic": _elastic, "https": _lines}[settings.kind]
        return give(settings, pool, secret, events, received_ms)
    except urllib3.exceptions.HTTPError as error:
        raise Later(f"{type(error).__name__}: {error}"[:200]) from error
    finally:
        pool.close()


def _post(pool: Any, path: str, body: bytes, headers: dict[str, str]) -> Any:
    """The answer's JSON ({}: none). Raises Later and Unfit by its status."""
    response = pool.urlopen("POST", path, body=body, headers=headers, preload_content=False, redirect=False)
    text = response.read(MAX_ANSWER_BYTES)
    try:
        answer = json.loads(text) if text else {}
    except ValueError:
        answer = {}
    if 200 <= response.status < 300:
        return answer
    why = f"HTTP {response.status} {text[:120].decode('ascii', 'replace')}"
    if response.status in _UNFIT and not _configured_wrong(answer):
        raise Unfit(why)
    after = response.headers.get("retry-after", "")
    raise Later(why, min(int(after), MAX_RETRY_S) if after.isascii() and after.isdigit() and len(after) < 8 else 0)


def _configured_wrong(answer: Any) -> bool:
    """HEC says 400 also for what no event is to blame for: a channel that is missing, acknowledgement switched off."""
    code = answer.get("code") if isinstance(answer, dict) else None
    return isinstance(code, int) and code not in _DATA_CODES


def _lines(settings: Settings, pool: Any, secret: str, events: Sequence[Event], received_ms: int) -> list[str]:
    body = "".join(written(settings, event, received_ms) + "\n" for event in events).encode()
    headers = {"content-type": "application/x-ndjson"} | ({"authorization": f"Bearer {secret}"} if secret else {})
    _post(pool, settings.path or "/", body, headers)
    return [""] * len(events)


def _hec(settings: Settings, pool: Any, secret: str, events: Sequence[Event], received_ms: int) -> list[str]:
    channel = str(uuid.uuid4())
    headers = {
        "authorization": f"Splunk {secret}", "x-splunk-request-channel": channel, "content-type": "application/json",
    }  # fmt: skip
    body = "\n".join(_envelope(settings, event, received_ms) for event in events).encode()
    path = settings.path or "/services/collector"
    answer = _post(pool, f"{path}/event", body, headers)
    if isinstance(answer, dict) and isinstance(number := answer.get("ackId"), int):
        _await_index(pool, f"{path}/ack?channel={channel}", number, headers)
    return [""] * len(events)


def _envelope(settings: Settings, event: Event, received_ms: int) -> str:
    text = written(settings, event, received_ms)
    envelope: dict[str, Any] = {
        "time": f"{event.time_us / 1e6:.6f}", "host": event.laptop, "source": "serment",
        "sourcetype": {"ocsf": "serment:ocsf", "ecs": "serment:ecs", "cef": "cefevents"}[settings.form],
        "event": text if settings.form == "cef" else json.loads(text),
    }  # fmt: skip
    return json.dumps(envelope | ({"index": settings.index} if settings.index else {}), separators=(",", ":"))


def _await_index(pool: Any, path: str, number: int, headers: dict[str, str]) -> None:
    """Wait until the indexers have it. Raises Later: they do not say so in time."""
    until = time.monotonic() + ACK_S
    while time.monotonic() < until:
        answer = _post(pool, path, json.dumps({"acks": [number]}).encode(), headers)
        acks = answer.get("acks") if isinstance(answer, dict) else None
        if isinstance(acks, dict) and acks.get(str(number)) is True:
            return
        time.sleep(ACK_EVERY_S)
    raise Later("accepted, but not acknowledged by the indexers")


def _elastic(settings: Settings, pool: Any, secret: str, events: Sequence[Event], received_ms: int) -> list[str]:
    lines = []
    for event in events:
        lines += [json.dumps({"create": {"_id": event.uid}}), written(settings, event, received_ms)]
    headers = {"content-type": "application/x-ndjson"} | ({"authorization": f"ApiKey {secret}"} if secret else {})
    path = f"{settings.path}/{settings.index or 'logs-serment.audit-default'}/_bulk"
    answer = _post(pool, path, ("\n".join(lines) + "\n").encode(), headers)
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or len(items) != len(events):
        raise Later("the answer to _bulk is not understood")
    return [_item(item) for item in items]


def _item(item: Any) -> str:
    """Why one document is refused for good; 409 is one that it has already. Raises Later."""
    said = item.get("create") if isinstance(item, dict) else None
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(status, int) or status in {401, 403, 404, 429} or status >= 500:
        raise Later(f"a document was not stored: {status}")
    if status < 300 or status == 409:
        return ""
    error = said.get("error") if isinstance(said, dict) else None
    return _plain(f"{status} {str(error.get('type', ''))[:80] if isinstance(error, dict) else ''}".strip())
