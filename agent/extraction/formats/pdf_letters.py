"""Whether the text of a PDF page is what the page shows.

A font need not say which letters its glyphs are (ISO 32000-1, 9.10.2): a library then hands over the numbers of the
glyphs, as private or control characters, or as other letters. Only a reader of pictures can tell what such a page
says. Everything is measured on long texts in the Latin alphabet alone: tables of figures, lists of codes and other
scripts are left as they are.
"""

from __future__ import annotations

import re
import unicodedata

_SAMPLE = 4000  # characters
_NAMELESS = 0.4  # of the characters, that stand for no letter at all
_CONTROLS = 0.05  # of the characters: no text has any
_LONG = 100  # letters, or signs, below which nothing is concluded
_VOWELS = 0.2  # of the letters: every language has more, and so do keys in base64
_WORDS = 0.1  # of the letters stand in a word: codes alone have so few
_ODD = 0.1  # of the characters: neither codes nor figures have so many of these signs
_ODD_SIGNS = re.compile(r"""[!"#$&'*<=>?@\[\\\]^`{|}~]""")
_LATIN = re.compile("[a-z]+")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f\x7f]")  # the rest is white space


def is_garbled(text: str) -> bool:
    """Whether most of a page's letters are not those that it shows."""
    shown = "".join(text[:_SAMPLE].split())
    if not shown.isprintable() or "\ufffd" in shown:
        strange = sum(1 for char in shown if char == "\ufffd" or "\ue000" <= char <= "\uf8ff" or char < " ")
        controls = len(_CONTROL.findall(shown))
        if strange > len(shown) * _NAMELESS or (len(shown) >= _LONG and controls > len(shown) * _CONTROLS):
            return True
    return len(shown) >= _LONG and _is_other_letters(text[:_SAMPLE], shown)


def _is_other_letters(text: str, shown: str) -> bool:
    plain = unicodedata.normalize("NFD", text.lower())
    runs = _LATIN.findall(plain)
    letters = sum(map(len, runs))
    if letters < _LONG or letters < 0.9 * sum(map(str.isalpha, plain)):
        return False
    if sum(plain.count(vowel) for vowel in "aeiouy") < letters * _VOWELS:
        return True
    words = sum(len(run) for run in runs if len(run) >= 4 and not set(run).isdisjoint("aeiouy"))
    return words < letters * _WORDS and len(_ODD_SIGNS.findall(shown)) > len(shown) * _ODD
