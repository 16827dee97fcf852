"""What processes say to one another: worker and agent, agent and collector, command and agent."""

from __future__ import annotations

import json
from typing import Any

from agent.errors import UntrustedInputError
from tests.fuzz.target import Check, Target, must
from tests.unit.collector.laptops import Laptop


def _answers() -> list[bytes]:
    from agent.document import Problem, Spot
    from agent.extraction import wire
    from agent.findings import Finding, Findings, FindingType, Judgement, undecidable

    items = tuple(Finding(kind, 2, Spot(), 1.5, "2 84 •• ••") for kind in tuple(FindingType)[:5])
    return [
        wire.encode_answer(7, undecidable(Problem.CORRUPT)),
        wire.encode_answer(7, Findings(Judgement.MEDICAL, patients=3, items=items)),
    ]


def _answer() -> Check:
    from agent.extraction import wire

    def check(data: bytes) -> None:
        findings = wire.decode_answer(7, data)
        must(wire.encode_answer(7, findings)[:15] == data[:15], "what is taken is what would be sent")
        must(all(item.sample.isprintable() for item in findings.items), "samples are printable")
        must(len(findings.items) <= wire.MAX_FINDINGS, "findings are bounded")

    return check


def _requests() -> list[bytes]:
    from agent.extraction import wire

    return [wire.encode_request(wire.Request(7, "pdf", 123456)), wire.encode_request(wire.Request(0))]


def _request() -> Check:
    from agent.extraction import wire

    def check(data: bytes) -> None:
        must(wire.encode_request(wire.decode_request(data)) == data, "a request has one form")

    return check


def _readies() -> list[bytes]:
    from agent.extraction import wire

    return [wire.encode_ready(wire.Report(1, 2, 2, 4, True, True, True, 0, 1 << 30, 16))]


def _ready() -> Check:
    from agent.extraction import wire

    def check(data: bytes) -> None:
        must(wire.encode_ready(wire.decode_ready(data)) == data, "a report has one form")

    return check


def _bodies() -> list[bytes]:
    laptop = Laptop().fill(4)
    return [laptop.batch().body, laptop.batch(1, 3).body, b""]


def _body() -> Check:
    from agent.audit import frames
    from agent.transport import wire

    def check(data: bytes) -> None:
        leaves, seals, _ = wire.parse_body(data)
        pieces = [frames.pack_sent(leaf.public, leaf.private_hash) for leaf in leaves]
        for seal in reversed(seals):
            pieces.insert(seal.before, frames.pack(frames.FrameType.CHECKPOINT, seal.body))
        must(b"".join(pieces) == data, "every byte of a body is in one of its records or seals")

    return check


_LETTERHEAD = b"dev_one\n0\n4\n\n1795289704000000"


def _letterhead() -> Check:
    from agent.transport import wire

    names = (wire.DEVICE_HEADER, wire.FROM_HEADER, wire.SIZE_HEADER, wire.MISSING_HEADER, wire.SENT_HEADER)

    def check(data: bytes) -> None:
        lines = data.decode("latin-1").split("\n")
        given = {name: line for name, line in zip(names, lines, strict=False) if line}
        head = wire.parse_headers(given)
        must(wire.valid_device(head.device), "the device is a pseudonym")
        must(wire.parse_headers(wire.headers(head)) == head, "a letterhead survives the way")

    return check


def _reply() -> Check:
    from agent.transport import wire

    def check(data: bytes) -> None:
        reply = wire.parse_reply(data[1:], refused=data[:1] == b"\1")
        must(0 <= reply.size < 1 << 53 and 0 <= reply.next_s <= wire.MAX_NEXT_S, "numbers are in range")
        must(len(reply.why) <= 32, "the reason is a word")

    return check


def _control() -> Check:
    import socket

    from agent.daemon.control import MAX_REQUEST_BYTES, Handler
    from agent.daemon.control_server import ControlServer

    warnings: list[dict[str, Any]] = []

    class Operations:
        def warn(self, _word: str, **fields: Any) -> None:
            warnings.append(fields)

    def echo(_uid: int, arguments: dict[str, Any]) -> Any:
        return len(json.dumps(arguments))

    server = object.__new__(ControlServer)
    table: dict[str, Handler] = {"status": echo, "release": echo}
    server._handlers, server._operations = table, Operations()  # type: ignore[assignment]

    def check(data: bytes) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(5)
            theirs.settimeout(5)
            ours.sendall(data[:MAX_REQUEST_BYTES] + b"\n")
            reply = server._reply(theirs, 1000)
        must(set(reply) <= {"ok", "result", "message", "hint", "exit", "fields", "where"}, "a reply has one form")
        must(not warnings, f"a request is refused, never a failure: {warnings[-1:]}")
        json.dumps(reply)

    return check


def _gate_messages() -> list[bytes]:
    from agent.gates.asking import Answer, Ask, Done, Flag, Question, Say
    from agent.model import Stamp

    return [
        Question(7, Ask.FILE, Flag.NEW, 1000, 4242, 4096, b"a/b.txt", b"detail").encode(),
        Answer(7, Say.SUBSTITUTE, 0, b"document-7F3KQ.age").encode(),
        Done(7, 0, Stamp(1, 2, 3, 4, 5)).encode(),
    ]


def _gate_message() -> Check:
    from agent.gates.asking import MAX_PACKET, decode

    def check(data: bytes) -> None:
        message = decode(data)
        must(message.encode() == data, "a message has one form")
        must(len(data) <= MAX_PACKET, "a message fits into a packet")

    return check


_CONTROL = [
    b'{"call":"status","args":{}}', b'{"call":"release","args":{"id":"ABCDEFGH","reason":"urgence"}}', b"[]", b"null",
]  # fmt: skip
_REPLIES = [b'\0{"size":4,"next_s":60}', b'\1{"have":2,"why":"gap"}', b"\0{}"]
_JSON = (
    b"{",
    b"[",
    b'"call":',
    b'"args":',
    b"null",
    b"true",
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"[[[[[[[[",
    b'{"a":',
    b"\xff",
)

TARGETS = (
    Target("wire-answer", "a worker's answer is decoded to what would be sent, or refused", _answers, _answer,
           UntrustedInputError),
    Target("wire-request", "a request is decoded to the same bytes, or refused", _requests, _request, UntrustedInputError),
    Target("wire-ready", "a worker's report is decoded to the same bytes, or refused", _readies, _ready, UntrustedInputError),
    Target("gate-message", "a message between a gate and the agent is decoded to the same bytes, or refused",
           _gate_messages, _gate_message, UntrustedInputError),
    Target("sync-body", "every byte of a body is in one of its records, or the body is refused", _bodies, _body,
           UntrustedInputError),
    Target("sync-headers", "headers are a letterhead that survives the way, or refused", lambda: [_LETTERHEAD],
           _letterhead, UntrustedInputError),
    Target("sync-reply", "a reply's numbers are in range, or it is refused", lambda: _REPLIES, _reply,
           UntrustedInputError, _JSON),
    Target("control", "any line on the local socket has a reply of the one form, and no handler fails",
           lambda: _CONTROL, _control, words=_JSON, max_bytes=60_000),
)  # fmt: skip
