"""The catalogue says what the standard library's gettext says, without reading the file into memory."""

from __future__ import annotations

import gettext
import struct
from pathlib import Path

import pytest

from agent.i18n import Catalogue, catalogue

FILE = Path(__file__).resolve().parents[2] / "agent/locale/fr/LC_MESSAGES/serment.mo"


@pytest.fixture(scope="module")
def standard() -> gettext.GNUTranslations:
    with FILE.open("rb") as file:
        return gettext.GNUTranslations(file)


def test_every_message_has_the_same_text(standard: gettext.GNUTranslations) -> None:
    french = Catalogue(FILE)
    messages = [key for key in standard._catalog if isinstance(key, str)]  # type: ignore[attr-defined]
    assert len(messages) > 1000
    assert [each for each in messages if french.gettext(each) != standard.gettext(each)] == []


@pytest.mark.parametrize("message", ["", "nothing of the kind", "\uffff", " ", "zzzzzz"])
def test_what_is_not_there_is_said_as_it_is(message: str, standard: gettext.GNUTranslations) -> None:
    assert catalogue("fr").gettext(message) == standard.gettext(message)
    assert catalogue("en").gettext(message) == message


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\xde\x12\x04\x95", b"nonsense" * 20, struct.pack("<7I", 0x950412DE, 0, 1 << 30, 28, 28, 0, 0),
        struct.pack("<7I", 0x950412DE, 0, 1, 1 << 31, 28, 0, 0),
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalogue_has_no_texts(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "serment.mo"
    file.write_bytes(data)
    assert Catalogue(file).gettext("a message") == "a message"


def test_a_language_that_is_no_language_opens_no_file() -> None:
    assert catalogue("../fr").gettext("hint") == "hint"


def test_one_and_many() -> None:
    assert catalogue("en").ngettext("row", "rows", 1) == "row"
    assert catalogue("en").ngettext("row", "rows", 2) == "rows"
