"""What cannot be read is said, and nothing that a file holds makes the reader fail, hang or swell."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.document import Document, Format, Problem
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
from agent.extraction.samples import dicom_file, samples
from tests.unit.extraction import made_documents as made
from tests.unit.extraction.made_documents import LETTER
from tests.unit.extraction.test_read_formats import DATA, PLAIN, nodes, read, text_of

LOCKED_PDF = made.pdf(
    [made.shown(LETTER)],
    trailer=b"/Encrypt<</Filter/Standard/V 1/R 2/P -1/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>/ID[<00><00>]",
)


def locked_zip() -> bytes:
    data = bytearray(made.zipped({"a.txt": LETTER}))
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def mail(kind: bytes, body: bytes = b"MIAGCSqGSIb3DQEHA6CA") -> bytes:
    return b"From: a@b\r\nTo: c@d\r\nMIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\n\r\n" + body


ENCRYPTED = {
    "pdf": LOCKED_PDF,
    "zip": locked_zip(),
    "rar": made.rar(b"a.txt", LETTER.encode(), flags=4),
    "doc": made.doc(LETTER, flags=0x0300),
    "xls": made.xls([["x"]], encrypted=True),
    "ppt": made.compound(
        {("PowerPoint Document",): bytes(50), ("Current User",): bytes(12) + struct.pack("<L", 0xF3D1C4DF)}
    ),
    "docx": made.compound({("EncryptedPackage",): bytes(5000), ("EncryptionInfo",): bytes(100)}),
    "odt": made.odf("text", "<text:p>x</text:p>", **{"META-INF__manifest_xml": "<m><encryption-data/></m>"}),
    "smime": mail(b"application/pkcs7-mime; smime-type=enveloped-data"),
    "pgp": mail(b"text/plain", b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQ\r\n-----END PGP MESSAGE-----\r\n"),
    "pgpmime": mail(b'multipart/encrypted; boundary="x"', b"--x\r\n\r\n--x--"),
    "age": b"age-encryption.org/v1\n-> X25519 abc\nabc\n--- " + b"c" * 43 + b"\n" + bytes(range(128, 256)),
    "asc": b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n",
    "enc": b"Salted__" + bytes(range(200)),
}


@pytest.mark.parametrize("kind", ENCRYPTED)
def test_encrypted_is_said(kind: str):
    document = read(ENCRYPTED[kind], kind)
    assert Problem.ENCRYPTED in {node.problem for node in nodes(document)}
    assert "TESTEUR" not in text_of(document)


CONTAINERS = [
    case
    for case in PLAIN
    if case[2]
    in {
        Format.DOCX,
        Format.XLSX,
        Format.ODT,
        Format.ZIP,
        Format.PDF,
        Format.XLS,
        Format.GZIP,
        Format.SEVENZIP,
        Format.XZ,
        Format.BZIP2,
    }
]


@pytest.mark.parametrize(
    ("extension", "data", "expected"), CONTAINERS, ids=[f"{e}-{n}" for n, (e, _, _) in enumerate(CONTAINERS)]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_container_that_was_cut_is_never_clean(extension: str, data: bytes, expected: Format, share: float):
    document = read(data[: int(len(data) * share)], extension)
    problems = {node.problem for node in nodes(document)}
    # pdfium mends a file whose end is missing; then its text is there
    assert problems != {None} or "TESTEUR" in text_of(document), (expected, problems)


def test_what_can_be_salvaged_of_a_broken_zip_is():
    data = made.docx()
    document = read(data[: data.rfind(b"PK\x05\x06")])
    assert document.problem is Problem.CORRUPT
    assert "TESTEUR" in text_of(document)


def test_a_changed_byte_in_a_stored_member_is_noticed():
    data = made.zipped({"a.txt": LETTER}, method=0).replace(b"TESTEUR", b"TESTEUX")
    assert read(data).children[0].problem is Problem.CORRUPT


def test_a_zip_method_nobody_knows_is_unsupported():
    data = bytearray(made.zipped({"a.txt": LETTER}))
    data[8] = data[data.find(b"PK\x01\x02") + 10] = 9  # Deflate64
    assert read(bytes(data)).children[0].problem is Problem.UNSUPPORTED


def nested(levels: int) -> bytes:
    data = made.zipped({"a.txt": LETTER})
    for _ in range(levels):
        data = made.zipped({"a.zip": data})
    return data


def test_too_deep_is_said_and_the_rest_is_read():
    depth = Limits().depth
    assert {node.problem for node in nodes(read(nested(depth - 1)))} == {None}
    assert nodes(read(nested(depth)))[-1].problem is Problem.TOO_DEEP


def test_base64_in_base64_meets_the_same_depth():
    data = LETTER.encode() * 4
    for _ in range(12):
        data = b'<?xml version="1.0"?><a>' + base64.b64encode(data) + b"</a>"
    assert nodes(read(data))[-1].problem is Problem.TOO_DEEP


def test_time_is_limited_for_the_whole_tree():
    ticks = iter(range(10**9))
    budget = Budget(Limits(soft_seconds=50), clock=lambda: float(next(ticks)))
    document = read_bytes(made.zipped({f"{n}.txt": LETTER for n in range(200)}), "zip", budget)
    assert document.problem is Problem.TIMED_OUT
    assert 0 < len(document.children) < 100


def test_counters_are_shared_by_siblings():
    data = made.zipped({f"{n}.bin": b"\x01\x02\x00" * 100_000 for n in range(10)})
    document = read(data, "zip", Limits(soft_seconds=30, inflated_bytes=1_000_000))
    problems = [child.problem for child in document.children]
    assert problems[0] is None
    assert problems[-1] is Problem.TOO_LARGE


def test_names_of_members_are_only_ever_text():
    evil = "../../etc/\x1b[31m\u202e\nNIR.txt"
    document = read(made.zipped({evil: LETTER}))
    assert document.children[0].extension == "txt"
    assert document.children[0].fields == {}


BOMB_SCRIPT = """
import resource, sys, base64, json
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
def problems(node):
    return [str(node.problem)] + [p for child in node.children for p in problems(child)]
for line in sys.stdin:
    name, data = json.loads(line)
    document = read_bytes(base64.b64decode(data), "", Budget(Limits(soft_seconds=20.0)))
    print(json.dumps([name, sorted(set(problems(document))), document.truncated]), flush=True)
"""


def quine_like() -> bytes:
    data = made.zipped({"zeros": bytes(30 << 20)})
    for _ in range(4):
        data = made.zipped({f"{n}.zip": data for n in range(12)})
    return data


def many_entries(count: int) -> bytes:
    entry = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * count
    return (
        b"PK\3\4"
        + bytes(26)
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65535, 65535, len(directory), 30, 0)
    )


def laughs() -> bytes:
    lines = "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">{lines}]><r>&k;</r>'.encode()


def deep_mail(levels: int) -> bytes:
    head = b"From: a@b\r\nTo: c@d\r\nMIME-Version: 1.0\r\n"
    return head + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(levels)
    )


def deflated_zeros() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return dicom_file(packer.compress(bytes(200 << 20)) + packer.flush(), b"1.2.840.10008.1.2.1.99")


def looping_compound() -> bytes:
    data = bytearray(made.compound({("WordDocument",): b"\xec\xa5" + bytes(9000)}))
    data[-512:] = struct.pack("<128L", *[(n + 1) % 8 for n in range(128)])
    return bytes(data)


ROW = '<row><c t="s"><v>0</v></c></row>'
BOMBS = {
    "gzip of a gigabyte": (gzip.compress(bytes(64 << 20), 9) * 16, {"too-large"}),
    "zip of zips of zips": (quine_like(), {"too-large"}),
    "directory of 100,000 entries": (many_entries(100_000), {"too-many-parts"}),
    "headers without a directory": ((b"PK\3\4" + bytes(26)) * 100_000, {"too-many-parts"}),
    "billion laughs": (laughs(), {"corrupt"}),
    "one long entity many times": (
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"A" * 60_000 + b'">]><r>' + b"&a;" * 60_000 + b"</r>",
        {"corrupt"},
    ),
    "deep elements": (b'<?xml version="1.0"?>' + b"<a>" * 300_000, {"too-deep"}),
    "deep parts of a mail": (deep_mail(3000), {"too-deep"}),
    "wide mail": (
        b"From: a@b\r\nTo: c@d\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * 60_000,
        {"too-many-parts"},
    ),
    "deep groups": (b"{\\rtf1" + b"{" * 1_000_000, {"too-deep"}),
    "deep lists": (b"[" * 1_000_000, set()),
    "deep page": (b"<html>" + b"<div>" * 500_000, set()),
    "many comments": (b"<html>" + b"<!--" * 500_000, set()),
    "cell far away": (made.xlsx('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), set()),
    "one long string in many cells": (made.xlsx(ROW * 5000, strings=f"<si><t>{'A' * 30_000}</t></si>"), {"truncated"}),
    "pages that hold themselves": (made.pdf([b"x"]).replace(b"/Kids[10 0 R]", b"/Kids[ 2 0 R]"), {"corrupt"}),
    "chain that bites its tail": (looping_compound(), {"corrupt"}),
    "deflated zeros as DICOM": (deflated_zeros(), set()),
    "begin without end": (b"From: a@b\nTo: c@d\nMIME-Version: 1.0\n\n" + b"\nbegin 644 x\n" * 100_000, set()),
    "tar of a petabyte": (
        made.tar({"a": b"x"})[:124] + b"\x80" + b"\0" * 4 + b"\x7f" * 7 + made.tar({"a": b"x"})[136:],
        None,
    ),
}


def test_bombs_meet_a_counter_within_a_gigabyte_and_a_minute():
    """In a process of its own, whose memory and processor time the kernel limits: it must answer every one."""
    lines = "".join(json.dumps([name, base64.b64encode(data).decode()]) + "\n" for name, (data, _) in BOMBS.items())
    checkout = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", BOMB_SCRIPT], input=lines, capture_output=True, text=True, cwd=checkout, timeout=200
    )
    answers = {
        name: set(problems) | ({"truncated"} if cut else set())
        for name, problems, cut in map(json.loads, done.stdout.splitlines())
    }
    assert done.returncode == 0, (sorted(set(BOMBS) - set(answers)), done.stderr[-2000:])
    missing = {
        name: (expected, answers[name])
        for name, (_, expected) in BOMBS.items()
        if expected and not expected <= answers[name]
    }
    assert not missing


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2000), st.sampled_from(["", "txt", "csv", "eml", "xml", "html", "json", "rtf", "doc", "p7m"]))
def test_any_bytes_are_a_document(data: bytes, extension: str):
    assert isinstance(read(data, extension), Document)


SEEDS = [data for _, data, _ in PLAIN] + [data for _, data in samples()] + [dicom_file(DATA)]


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_mutated_document_is_a_document(data: st.DataObject):
    """Bytes changed, cut, repeated at any place: a document comes back, and its text can be encoded."""
    seed = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, max(0, len(seed) - 1)))
        change = data.draw(st.sampled_from(["set", "cut", "insert", "repeat"]))
        if change == "set" and seed:
            seed[place] = data.draw(st.integers(0, 255))
        elif change == "cut":
            del seed[place : place + data.draw(st.integers(1, 200))]
        elif change == "insert":
            seed[place:place] = data.draw(
                st.sampled_from([b"\0" * 4, b"\xff" * 4, b"<", b"{", b"PK\3\4", b"\\", b"&", b"]]>"])
            )
        else:
            seed += seed[place : place + 64] * 3
    for node in nodes(read(bytes(seed))):
        assert isinstance(node.format, Format)
        for part in node.parts:
            part.text.encode()


def test_the_reader_itself_raises_nothing_to_hide(monkeypatch: pytest.MonkeyPatch):
    """« Corrupt » for any exception must not cover up our own mistakes: none may be raised on good documents."""
    raised: list[str] = []

    def fail(self, problem):  # noqa: ANN001, ANN202
        if sys.exc_info()[0] is not None and not isinstance(sys.exc_info()[1], Exception):
            return
        raised.append(f"{self.document.format}: {problem}")
        self.document.problem = problem

    monkeypatch.setattr("agent.extraction.formats.base.Job.fail", fail)
    for extension, data, _ in PLAIN:
        read(data, extension)
    assert raised == []


def test_nothing_is_opened_once_warm():
    """The worker gives up the right to open files: no open, no import, no library may be wanted afterwards."""
    script = """
import sys
sys.path.insert(0, {checkout!r})
from agent.extraction.reader import read_bytes, warm_up
from agent.extraction.limits import Budget, Limits
from tests.unit.extraction.test_read_formats import PLAIN, DATA
from tests.unit.extraction.test_read_hostile import ENCRYPTED, dicom_file
warm_up()
wanted = []
def hook(event, arguments):
    if event in {{"open", "import", "os.listdir", "os.scandir", "ctypes.dlopen", "socket.__new__", "subprocess.Popen", "os.fork"}}:
        wanted.append((event, str(arguments[:1])))
odd = [("eml", b"From: a\\nTo: b\\nMIME-Version: 1.0\\nContent-Type: text/plain; charset=x-unheard-of\\n\\n\\xe9"),
       ("xml", b"<?xml version='1.0' encoding='x-unheard-of'?><a>\\xe9</a>"), ("html", b"<html><meta charset=unicode>\\xe9"),
       ("html", b"<html><meta charset=euc-jp>\\xe9"), ("xml", b"<?xml version='1.0' encoding='shift_jis'?><a>\\xe9</a>")]
documents = [(e, d) for e, d, _ in PLAIN] + list(ENCRYPTED.items()) + odd + [("dcm", dicom_file(DATA))]
sys.addaudithook(hook)
for extension, data in documents:
    read_bytes(data, extension, Budget(Limits(soft_seconds=60)))
    read_bytes(data[:-40] + b"\\xff" * 20, extension, Budget(Limits(soft_seconds=60)))
result = list(wanted)
print(result)
sys.exit(bool(result))
"""
    here = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-c", script.format(checkout=str(here.parents[2]))],
        capture_output=True,
        text=True,
        cwd=here.parents[2],
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_reading_keeps_no_descriptor():
    before = len(list(Path("/proc/self/fd").iterdir()))
    for extension, data, _ in PLAIN:
        read(data, extension)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def _overwritten(data: bytes, what: bytes, by: bytes) -> bytes:
    """The first ``what`` replaced by as many bytes, so that nothing else moves."""
    assert what in data and len(by) == len(what)
    return data.replace(what, by, 1)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


@pytest.mark.parametrize(
    ("extension", "data"),
    [
        ("msg", _overwritten(made.msg("a", LETTER * 2), wide("__substg1.0_1000001F"), b"\xff" * 40)),
        ("msg", _overwritten(made.msg("a", LETTER * 2), wide("1.0_1000001F"), wide("1/0_1000001F"))),
        ("doc", _overwritten(made.doc(LETTER), wide("WordDocument"), bytes(24))),
        ("xls", _overwritten(made.xls([[LETTER]]), wide("Workbook") + bytes(48), bytes(64))),
        ("doc", made.compound({})),
        ("7z", b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<L", zlib.crc32(bytes(20))) + bytes(20) + bytes(600)),
        ("pdf", made.pdf([zlib.compress(made.shown(LETTER))])),  # its dictionary names no filter: nothing is drawn
    ],
)
def test_a_container_with_its_content_out_of_reach_is_corrupt(extension: str, data: bytes) -> None:
    assert read(data, extension).problem is Problem.CORRUPT


def test_an_empty_page_is_believed_in_a_sound_pdf_only() -> None:
    blank = made.pdf([b"q Q", b""])
    assert read(blank, "pdf").problem is None
    lost = made.pdf([b"q Q"], extra={900: b"<</Length 20>>stream\nBT (Mme X) Tj ET\nendstream"})
    assert read(lost, "pdf").problem is Problem.CORRUPT
    padded = made.pdf([b"q Q".ljust(2000)])
    assert read(padded, "pdf").problem is None
    assert read(padded.replace(b"startxref\n", b"startxref\n9"), "pdf").problem is Problem.CORRUPT


def test_a_message_without_a_body_shows_what_stands_under_other_names() -> None:
    data = _overwritten(made.msg("a", LETTER), wide("1000001F"), wide("1001001F"))
    assert LETTER in text_of(read(data, "msg"))


@pytest.mark.parametrize("begin", [b"", b"%PDF-1.7\n", b"{\\rtf1\\ansi "])
def test_what_else_a_dicom_file_is_is_read_too(begin: bytes) -> None:
    """A DICOM file may begin as anything, and end as an archive."""
    header = dicom_file(b"\x08\0\x20\0DA\x08\0" + b"20260101")
    rest = {b"": made.docx(), b"%PDF-1.7\n": made.pdf([made.shown(LETTER)])}.get(begin, LETTER.encode("cp1252") + b"}")
    document = read(begin.ljust(128) + header[128:] + rest, "dcm")
    assert document.format is Format.DICOM and document.fields
    assert LETTER in text_of(document)
    assert not read(header, "dcm").children
