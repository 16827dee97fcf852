"""LaTeX sources as their reader will see them: commands, accents written as commands and comments become plain text.

Pure. A letter in LaTeX is a letter; its commands are no more a program than the tags of a page are. The text model is
that of letters and reports: what a macro of its own would print is not worked out.
"""

from __future__ import annotations

import re
import unicodedata

_SOURCE = re.compile(r"\s*(?:%[^\n]*\n\s*){0,40}\\document(?:class|style)\b")
_MARKS = {"'": "\u0301", "`": "\u0300", "^": "\u0302", '"': "\u0308", "~": "\u0303", "c": "\u0327"}
_ACCENT = re.compile(r"\\(?:(['`^\"~]) ?(?:\{\\?([A-Za-z])\}|\\?([A-Za-z]))|(c)(?:\{([cC])\}| ([cC])))")
_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_LETTERS = {"oe": "œ", "OE": "Œ", "ae": "æ", "AE": "Æ", "ss": "ß", "o": "ø", "O": "Ø", "euro": "€", "no": "n°"}
_LETTER = re.compile(r"\\(oe|OE|ae|AE|ss|o|O|euro|no)(?![A-Za-z])(?:\{\}| )?")
# what names things of the typesetting, with all it says of them
_SETTING = re.compile(
    r"\\begin\{(?:tabular[x*]?|array|longtable|minipage)\}(?:\[[^\[\]\n]{0,80}\])?(?:\{[^{}\n]{0,80}\}){1,2}"
    r"|\\(?:documentclass|documentstyle|usepackage|begin|end|newcommand|renewcommand|setlength|label|ref|cite|input|include"
    r"|includegraphics|vspace|hspace|pagestyle|thispagestyle|geometry|definecolor|bibliography|bibliographystyle)\*?"
    r"(?:\[[^\[\]\n]{0,300}\])?\{[^{}\n]{0,300}\}"
)
_BREAK = re.compile(
    r"\\\\(?:\[[^\[\]\n]{0,20}\])?|\\(?:par|newline|item|section|subsection|paragraph|opening|closing)\b\*? ?"
)
_COMMAND = re.compile(r"\\[A-Za-z@]{1,40}\*?(?:\[[^\[\]\n]{0,300}\])? ?")
_ESCAPED = re.compile(r"\\([%&$#_{}])")
_THIN = re.compile(r"\\[,;:! /]|~")


def is_source(text: str) -> bool:
    """Whether a text is a LaTeX document, by its first command."""
    return _SOURCE.match(text[:4000]) is not None


def plain(text: str) -> str:
    """The text of a document, its title page and its letters, in linear time."""
    text = _COMMENT.sub("", text)
    text = _ACCENT.sub(_accented, text)
    text = _LETTER.sub(lambda found: _LETTERS[found[1]], text)
    text = _BREAK.sub("\n", _SETTING.sub("", text))
    text = _THIN.sub(" ", _COMMAND.sub("", text))
    return _ESCAPED.sub(r"\1", text.replace("\\-", "").replace("{", "").replace("}", " ").replace("$", ""))


def _accented(found: re.Match[str]) -> str:
    mark, letter = found[1] or found[4], found[2] or found[3] or found[5] or found[6]
    return unicodedata.normalize("NFC", letter + _MARKS[mark])
