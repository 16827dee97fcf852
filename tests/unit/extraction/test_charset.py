"""Bytes → text in the encodings of clinicians' files."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.extraction.formats.charset import decode, known_codec

FRENCH = (
    "Compte rendu opératoire : Mme Hélène Lefèvre-Aïssaoui, née à Nîmes, a été opérée d'une hernie à gauche. "
    "L'évolution est favorable, le contrôle est prévu début août. Œdème très modéré."
)
# what the old sets cannot write
PLAIN = FRENCH.replace("Œ", "Oe")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_unicode_with_and_without_a_mark(encoding: str):
    assert decode(FRENCH.encode(encoding)) == FRENCH


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859_15", "mac_roman"])
def test_eight_bit_sets_with_ligatures(encoding: str):
    assert decode(FRENCH.encode(encoding)) == FRENCH


@pytest.mark.parametrize("encoding", ["latin-1", "cp850", "cp437", "mac_roman", "cp1252"])
def test_eight_bit_sets_of_old_software(encoding: str):
    assert decode(PLAIN.encode(encoding)) == PLAIN


@pytest.mark.parametrize("text", ["Né le 3 mars", "Prénom : ZOÉ", "N° de sécurité", "à revoir", "Größe und Gewicht"])
def test_few_letters_are_enough_for_the_usual_set(text: str):
    assert decode(text.encode("cp1252")) == text


def test_a_stray_byte_does_not_spoil_utf8():
    assert decode("élève, café, ".encode() * 3 + b"\xe9t\xe9") == "élève, café, " * 3 + "été"


def test_a_text_cut_within_a_letter_stays_utf8():
    assert decode("hépatite à éosinophiles é".encode()[:-1]).startswith("hépatite à éosinophiles")


def test_a_declared_set_is_believed_when_it_says_something():
    assert decode("Łódź".encode("iso8859_2"), "iso-8859-2") == "Łódź"
    assert decode("été".encode(), "iso-8859-1") == "été"


@pytest.mark.parametrize(
    "name", ["hex", "base64", "zlib", "no-such-set", "unicode", "../../x", "rot13", "é" * 50, "mbcs", "idna"]
)
def test_only_loaded_codecs_can_be_asked_for(name: str):
    assert known_codec(name) == ""
    assert decode(b"abc", name) == "abc"


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300), st.sampled_from(["", "utf-16", "utf-8", "gb18030", "iso2022_jp", "x"]))
def test_any_bytes_are_a_text(data: bytes, declared: str):
    assert isinstance(decode(data, declared), str)


def test_one_long_word_is_decoded_at_once():
    assert decode(b"a" * 65_000 + b"\xe9").endswith("é")
