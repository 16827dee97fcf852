"""The patient list of a practice: any export, the list's own file, and what its confined reader says."""

from __future__ import annotations

from agent.errors import UntrustedInputError
from tests import invented
from tests.fuzz.target import Check, Target, must

_KEY = bytes(range(32))
_CSV = "Nom;Prénom;Date de naissance;N° SS;IPP\nVERNICOURT;Odette;14/05/1984;284057800608436;4711\nALBRESPY;Firmin;02/11/1957;;12\n"
_WORDS = (
    b"sep=;\n", b"\r\n", b'"', b'""', b";", b"\t", b"|", b"\0", b"\xff\xfe", b"Nom de naissance", b"Date of birth", b"DDN",
    b"31/02/2000", b"2000-13-01", b"00/00/0000", "né".encode(), b"99999999999999", b"1e999", b"'", b"- -",
)  # fmt: skip


def _exports() -> list[bytes]:
    return [_CSV.encode(), _CSV.encode("utf-16"), _CSV.replace(";", ",").encode("cp1252"), invented.patient_list()]


def _export() -> Check:
    from agent.patients import wire
    from agent.patients.building import RefusedError, build, rows_of

    def check(data: bytes) -> None:
        received = wire.Received()
        try:
            for message in build(rows_of(data, []), [], _KEY):
                must(len(message) <= wire.MAX_MESSAGE, "a message is bounded")
                received.take(message)
        except RefusedError:
            return
        must(received.finished, "a list has an end")
        index = received.index(0)
        must(len(index.patients) == received.report.used - received.report.doubles, "every patient is counted once")

    return check


def _lists() -> list[bytes]:
    from agent.detection.roster.index import encode_index
    from agent.patients import wire
    from agent.patients.building import build, rows_of

    received = wire.Received()
    for message in build(rows_of(_CSV.encode(), []), [], _KEY):
        received.take(message)
    whole = encode_index(received.index(7), _KEY)
    return [whole, whole[:-32]]


def _list() -> Check:
    from agent.detection.detector import detect
    from agent.detection.roster.digests import seal_of
    from agent.detection.roster.lookup import Roster
    from agent.document import Document, Format, Part

    letter = Document(Format.TEXT, parts=[Part(invented.LETTER)])

    def check(data: bytes) -> None:
        for whole in (data, data + seal_of(_KEY, data)):
            try:
                roster = Roster.open(whole, _KEY)
            except UntrustedInputError:
                continue
            detect(letter, roster)

    return check


def _messages() -> list[bytes]:
    """Messages, each after two bytes of its length."""
    from agent.patients.building import build, rows_of

    said = list(build(rows_of(_CSV.encode(), []), [], _KEY))
    return [b"".join(len(each).to_bytes(2, "big") + each for each in said)]


def _message() -> Check:
    from agent.patients import wire

    def check(data: bytes) -> None:
        received = wire.Received()
        while data:
            size = int.from_bytes(data[:2], "big")
            received.take(data[2 : 2 + size])
            data = data[2 + size :]
        must(received.done <= received.total, "no more rows are done than there are")
        received.index(0)

    return check


TARGETS = (
    Target("patient-export", "any export is a list whose every patient is counted, or refused with a code",
           _exports, _export, words=_WORDS, cpu_s=4.0),
    Target("patient-file", "any bytes are a list of this key that can be asked, or refused",
           _lists, _list, cpu_s=3.0, words=(b"SRMTLIST", b"\xff\xff\xff\xff", b"\0\0\0\0")),
    Target("patient-answer", "what the confined reader says is a list, or refused",
           _messages, _message, tolerates=UntrustedInputError, words=(b"\xff\xff\xff\xff", b"\0\x01", b"\0\x02")),
)  # fmt: skip
