"""Calendars and address books: values in one piece, as people wrote them."""

from __future__ import annotations

import pytest

from agent.extraction.formats.cards import is_one, plain
from tests.unit.extraction.test_read_formats import read, text_of

NOTE = "Diabétique sous insuline ; pied gauche, talon.\nPansement 3 fois."


@pytest.mark.parametrize(
    "line",
    [
        "NOTE:Diabétique sous insuline \\; pied gauche\\, talon.\\nPansement 3 fois.",
        "NOTE:Diabétique sous insul\r\n ine \\; pied gauche\\, ta\r\n\tlon.\\NPansement 3 fois.",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Diab=C3=A9tique sous insuline ; pied=\r\n gauche, talon.=0APansement 3=\r\n fois.",
    ],
)
def test_a_note_is_read_as_it_was_written(line: str) -> None:
    text = f"BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Jean Petit\r\n{line}\r\nEND:VCARD\r\n"
    assert is_one(text)
    assert NOTE in plain(text)
    assert NOTE in text_of(read(text.encode(), "vcf"))


def test_another_text_is_left_as_it_is() -> None:
    assert not is_one("Le dossier C:\\nouveau")
    assert "C:\\nouveau" in text_of(read(b"Le dossier C:\\nouveau", "txt"))


def test_a_hostile_value_takes_no_time() -> None:
    text = "BEGIN:VCARD\nNOTE;ENCODING=QUOTED-PRINTABLE:" + "=\n" * 200_000
    assert plain(text).startswith("BEGIN:VCARD")
