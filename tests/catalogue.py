"""The catalogue is complete: every text of the code has a French one, with the same fields. ``make lint`` runs this."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

CHECKOUT = Path(__file__).resolve().parent.parent
CATALOGUE = CHECKOUT / "agent/locale/fr/LC_MESSAGES/serment.po"
_METHODS = [
    ("agent/**.py", "python"),
    ("collector/**.py", "python"),
    ("tests/demo.py", "python"),
    ("collector/templates/**", "jinja2"),
]
_FIELD = re.compile(r"\{[a-z_]*\}|%\([a-z_]+\)[sd]")


def wanted() -> dict[str, str]:
    """Every text that a person may read → where it stands."""
    keywords = {"N_": None, "_": None, "gettext": None, "ngettext": (1, 2)}
    found: dict[str, str] = {}
    for file, line, message, _comments, _context in extract_from_dir(str(CHECKOUT), _METHODS, keywords=keywords):
        for text in message if isinstance(message, tuple) else (message,):
            if text:
                found.setdefault(text, f"{file}:{line}")
    return found


def translations() -> dict[str, Message]:
    with CATALOGUE.open("rb") as file:
        return {_key(message): message for message in read_po(file, locale="fr") if message.id}


def _key(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id


def problems() -> list[str]:
    """What is wrong with the catalogue, a line each."""
    french, found = translations(), []
    plural = {text for message in french.values() if isinstance(message.id, tuple | list) for text in message.id}
    for text, where in sorted(wanted().items(), key=lambda item: item[1]):
        message = french.get(text)
        if message is None or message.fuzzy or not message.string:
            if text not in plural:
                found.append(f"{where}: no French text for {text!r}")
        elif isinstance(message.string, str) and sorted(_FIELD.findall(text)) != sorted(_FIELD.findall(message.string)):
            found.append(f"{where}: other fields in the French text of {text!r}")
    return found


if __name__ == "__main__":
    complaints = problems()
    print("\n".join(complaints) or "the catalogue is complete")
    sys.exit(1 if complaints else 0)
