"""Tricks with letters: a text that a person reads as a letter about a patient is judged as one, and the same trick
played on a menu or a leaflet makes nothing medical of it.
"""

from __future__ import annotations

import html
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.detection.detector import detect
from agent.detection.disguise import readable
from agent.detection.fold import fold
from agent.detection.identifiers import find_identifiers
from agent.document import Document, Format, Part
from agent.findings import Findings, FindingType, Judgement
from tests.invented import LEAFLET, LETTER, MENU, nir_with_key

Trick = Callable[[str], str]


def _mapped(source: str, target: str) -> Trick:
    table = str.maketrans(source, target)
    return lambda text: text.translate(table)


def _shifted(upper: int, lower: int, digits: int = 0) -> Trick:
    """Another alphabet of Unicode that begins its capitals, small letters and digits at these code points."""

    def trick(text: str) -> str:
        out = []
        for char in text:
            first = (
                upper if "A" <= char <= "Z" else lower if "a" <= char <= "z" else digits if "0" <= char <= "9" else 0
            )
            zero = "A" if "A" <= char <= "Z" else "a" if "a" <= char <= "z" else "0"
            out.append(chr(first + ord(char) - ord(zero)) if first else char)
        return "".join(out)

    return trick


def _apart(between: str) -> Trick:
    """Letters set apart by ``between``, words by two blanks."""
    return lambda text: "\n".join("  ".join(between.join(word) for word in line.split()) for line in text.split("\n"))


TRICKS: dict[str, Trick] = {
    "soft hyphens": "\u00ad".join,
    "zero-width spaces": "\u200b".join,
    "zero-width joiners": "\u200d".join,
    "word joiners": "\u2060".join,
    "byte-order marks": "\ufeff".join,
    "grapheme joiners": "\u034f".join,
    "direction marks": "\u200e".join,
    "variation selectors": "\ufe0f".join,
    "invisible separators": "\u2063".join,
    "Hangul fillers": "\u3164".join,
    "tag characters": "\U000e0041".join,
    "struck through": lambda text: "".join(char + "\u0336" if char.isalpha() else char for char in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "ligatures": lambda text: text.replace("fi", "ﬁ").replace("fl", "ﬂ").replace("ff", "ﬀ"),
    "Cyrillic": _mapped("aeopcxyKMTHBAEOPCX", "аеорсхуКМТНВАЕОРСХ"),
    "Greek": _mapped("oviuABEZHIKMNOPTYX", "ονιυΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"),
    "full width": _shifted(0xFF21, 0xFF41, 0xFF10),
    "mathematical": _shifted(0x1D400, 0x1D41A, 0x1D7CE),
    "circled": _shifted(0x24B6, 0x24D0),
    "boxed": lambda text: _shifted(0x1F170, 0x1F170)(text.upper()),
    "regional": lambda text: "\u200b".join(_shifted(0x1F1E6, 0x1F1E6)(text.upper())),
    "small capitals": _mapped("abcdefghijklmnopqrstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ"),
    "Arabic digits": _shifted(0, 0, 0x660),
    "set apart": _apart(" "),
    "set apart in capitals": lambda text: _apart(" ")(text.upper()),
    "set apart by fixed spaces": _apart("\u00a0"),
    "set apart by thin spaces": _apart("\u2009"),
    "set apart by dots": _apart("."),
    "set apart by strokes": _apart("-"),
    "set apart by underscores": _apart("_"),
    "one letter a line": lambda text: "\n".join(text.replace("\n", "  ")),
    "backwards behind a mark": lambda text: "\n".join("\u202e" + line[::-1] + "\u202c" for line in text.split("\n")),
    "backspaces": "\b".join,
    "struck twice": lambda text: "".join(f"{char}\b{char}" if char.isalpha() else char for char in text),
    "controls": "\x01".join,
    "entities": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "named entities": lambda text: html.escape(text).replace("é", "&eacute;").replace("è", "&egrave;"),
    "code points": lambda text: "".join(f"\\u{ord(char):04x}" for char in text),
    "percent": urllib.parse.quote,
    "form data": urllib.parse.quote_plus,
    "broken at line ends": lambda text: text.replace("thoracique", "thora-\ncique").replace("Patiente", "Pati-\nente"),
}


def _judged(text: str) -> Findings:
    return detect(Document(Format.TEXT, parts=[Part(text)]))


@pytest.mark.parametrize("name", TRICKS)
def test_a_letter_stays_a_letter_about_a_patient(name: str) -> None:
    found = _judged(TRICKS[name](LETTER))
    assert (found.judgement, found.identified) == (Judgement.MEDICAL, True)


@pytest.mark.parametrize("name", TRICKS)
@pytest.mark.parametrize("text", [MENU, LEAFLET], ids=["menu", "leaflet"])
def test_the_same_trick_makes_nothing_medical(name: str, text: str) -> None:
    assert _judged(TRICKS[name](text)).judgement is Judgement.NOT_MEDICAL


@pytest.mark.parametrize(
    "trick",
    [_shifted(0, 0, 0xFF10), _shifted(0, 0, 0x1D7CE), "\u200b".join, "\u00ad".join, _apart(" "), "|".join, " | ".join],
)
def test_a_number_is_found_through_the_disguise(trick: Trick) -> None:
    text = "N° de sécurité sociale : " + trick(nir_with_key().replace(" ", ""))
    assert FindingType.NIR in {hit.type for hit in find_identifiers(text)}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Compte rendu", "Compte rendu"),
        ("H É M A T O L O G I E", "HÉMATOLOGIE"),
        ("P a t i e n t\nN é e  l e  1 4 / 0 5", "Patient\nNée  le  14/05"),
        ("P A T I E N T\nle a de b en c ce", "PATIENT\nle a de b en c ce"),
        ("C.o.m.p.t.e r.e.n.d.u", "Compte rendu"),
        ("les items a b c et d", "les items a b c et d"),  # a few letters in prose are no word
        ("1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.8"),  # digits alone are never set together
        ("1 2 3 4 5 6 7", "1 2 3 4 5 6 7"),
        ("a/b/c", "a/b/c"),
        ("Q&A; R&D", "Q&A; R&D"),
        ("50 % et 20 % des cas", "50 % et 20 % des cas"),
        ("b\bbo\bol\bld\bd", "bold"),
        ("\u202ednarG\u202c merci", "Grand merci"),
    ],
)
def test_what_is_read(text: str, read: str) -> None:
    assert readable(text) == read


def test_an_ordinary_text_passes_untouched() -> None:
    assert readable(LETTER) is LETTER


@given(st.text(max_size=300))
def test_any_text_is_readable_and_folds(text: str) -> None:
    readable(text)
    fold(text)
    find_identifiers(text)


@pytest.mark.parametrize("unit", ["a ", "a.", "&#", "\\u00", "%C3", "\u202e", "\b", "a\n", "\u200b"])
def test_endless_repetitions_are_read_in_linear_time(unit: str) -> None:
    assert len(readable(unit * 200_000)) <= len(unit) * 200_000
