"""Can a reader of fifteen, in a hurry, understand this? What is wrong with a text that clinicians are shown. Pure.

Looks at length, at the longest sentence, at how many long words there are (LIX, Björnsson 1968: words a sentence plus
per cent of words of more than six letters; 50 is a newspaper), at words that blame, and at words of our trade.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.errors import N_

MAX_SENTENCE = 24  # words
MAX_LIX = 55
_LIX_FROM = 25  # words: with fewer the figure means nothing
_LONG = 6  # letters
_SENTENCE = re.compile(r"[.!?…:;]+(?:\s|$)")
_WORD = re.compile(r"[^\W\d_]+(?:[’'-][^\W\d_]+)*")
_BLAME = {
    "fr": ("interdit", "interdite", "faute", "violation", "infraction", "illégal", "illégale", "sanction", "coupable",
           "votre erreur", "vous avez tort", "vous n'auriez pas dû", "vous n’auriez pas dû", "négligence", "fraude"),
    "en": ("forbidden", "violation", "violated", "offence", "illegal", "sanction", "guilty", "your mistake",
           "your fault", "you should not have", "negligence", "fraud", "prohibited"),
}  # fmt: skip
_JARGON = {
    "fr": ("fanotify", "fuse", "hash", "dlp", "payload", "métadonnées", "exfiltration", "politique de sécurité",
           "endpoint", "chiffrement asymétrique", "cryptographie", "démon", "socket", "verdict", "règle n°", "uid"),
    "en": ("fanotify", "fuse", "hash", "dlp", "payload", "metadata", "exfiltration", "security policy", "endpoint",
           "asymmetric", "cryptography", "daemon", "socket", "verdict", "uid"),
}  # fmt: skip


def complaints(text: str, language: str, limit: int) -> Iterator[tuple[str, dict[str, str]]]:
    """What to mend in ``text`` (``fr`` or ``en``), as catalogue keys with fields (``name`` is the caller's)."""
    if len(text) > limit:
        yield N_("{name} is longer than {limit} characters"), {"limit": str(limit)}
    words = _WORD.findall(text)
    sentences = [_WORD.findall(part) for part in _SENTENCE.split(text)]
    longest = max((len(part) for part in sentences), default=0)
    if longest > MAX_SENTENCE:
        yield (
            N_("{name} has a sentence of {words} words; {limit} are enough"),
            {"words": str(longest), "limit": str(MAX_SENTENCE)},
        )
    if len(words) >= _LIX_FROM and lix(text) > MAX_LIX:
        yield N_("{name} has many long words: use shorter ones"), {}
    for word in _found(text, _BLAME.get(language, ())):
        yield N_("{name} blames the reader: «{word}»"), {"word": word}
    for word in _found(text, _JARGON.get(language, ())):
        yield N_("{name} holds a word of our trade: «{word}»"), {"word": word}


def lix(text: str) -> float:
    """Words a sentence plus per cent of long words; below 40 is easy, 60 hard."""
    words = _WORD.findall(text)
    sentences = sum(1 for part in _SENTENCE.split(text) if _WORD.search(part))
    if not words or not sentences:
        return 0.0
    return len(words) / sentences + 100 * sum(len(word) > _LONG for word in words) / len(words)


def _found(text: str, words: tuple[str, ...]) -> Iterator[str]:
    lowered = text.lower()
    for word in words:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", lowered):
            yield word
