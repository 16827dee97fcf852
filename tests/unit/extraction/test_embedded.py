"""Documents that hide in text as base64."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.document import Format
from agent.extraction.embedded import MIN_RUN, base64_runs
from tests.unit.extraction import made_documents as made

LIMIT = 1 << 20
PDF = made.pdf([made.shown(made.LETTER)])


def found(text: bytes) -> list[tuple[Format, bytes]]:
    return [(run.format, run.data) for run in base64_runs(text, LIMIT)]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda b: b,
        lambda b: base64.encodebytes(base64.b64decode(b)),
        lambda b: b.replace(b"+", b"-").replace(b"/", b"_"),
    ],
)
@pytest.mark.parametrize(
    "around", [(b"", b""), (b"<text>", b"</text>"), (b'{"data":"', b'"}'), (b"OBX|1|ED|^^PDF^Base64^", b"||\r")]
)
def test_a_pdf_is_found_wherever_it_stands(wrap, around: tuple[bytes, bytes]):
    text = b"some words before\n" * 7 + around[0] + wrap(base64.b64encode(PDF)) + around[1] + b"\nand after"
    assert found(text) == [(Format.PDF, PDF)]


@pytest.mark.parametrize("shift", range(0, 120, 7))
def test_a_run_of_the_least_length_is_found_at_any_place(shift: int):
    data = b'<?xml version="1.0"?><a>' + b"x" * (MIN_RUN * 3 // 4 - 24)
    assert len(base64.b64encode(data)) == MIN_RUN
    assert found(b". " * 50 + b" " * shift + base64.b64encode(data) + b" end.") == [(Format.XML, data)]


def test_several_documents_in_one_text():
    one = base64.b64encode(PDF)
    assert [format_ for format_, _ in found(b"<a>" + one + b"</a><b>" + one + b"</b>")] == [Format.PDF, Format.PDF]


def test_prose_in_base64_is_found_and_noise_is_not():
    prose = (made.LETTER * 4).encode()
    assert found(b"<d>" + base64.b64encode(prose) + b"</d>") == [(Format.TEXT, prose)]
    assert found(b"<d>" + b"QUJD" * 200 + b"</d>") == []
    assert found(b"-" * 5000 + b"\n" + b"=" * 5000 + b"\n" * 5000) == []


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=2000))
def test_any_text_is_searched_without_an_error(text: bytes):
    found(text)


@settings(deadline=None, max_examples=50)
@given(st.text(alphabet="ABCabc123+/=-_\r\n\t ", max_size=3000))
def test_anything_like_base64_is_searched_without_an_error(text: str):
    found(text.encode())
