"""Phrases: words drawn by the machine, strong by construction, easy to say over the telephone.

Seven words of a list of 2,048 (BIP 39, French or English, from the package ``mnemonic``) are 77 bits: with scrypt at
2^17 a guess costs a good part of a second on any machine, so that nobody finds one. A phrase is shown in one form,
lower-case letters without accents and hyphens between the words, and that form is what goes into the key derivation;
what people type is brought to it by ``normalised``, in the page (web/src/sealed.js) by the same rule.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from importlib import resources

from agent.crypto.phrase import normalised

WORDS = 7
BITS = 77  # of a phrase: seven times eleven
_LISTS = {"fr": "french", "en": "english"}


def new_phrase(language: str = "fr") -> str:
    """A fresh phrase in French, or in English for any other language than ``fr``."""
    words = word_list(language)
    return "-".join(secrets.choice(words) for _ in range(WORDS))


@lru_cache(maxsize=2)
def word_list(language: str) -> tuple[str, ...]:
    """The 2,048 words of a language, normalised; no two are the same."""
    file = resources.files("mnemonic") / "wordlist" / f"{_LISTS.get(language, 'english')}.txt"
    return tuple(normalised(word) for word in file.read_text("utf-8").split())
