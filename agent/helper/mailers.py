"""Mail programs and how each is told to begin a message with attachments. Pure: names in, command lines out.

Which one is the person's choice (the desktop's handler of mailto:) unless the policy names one. Names of attachments
come from hostile documents, and what a mail program or xdg-email makes of quotes, commas and backslashes in them is
theirs: so an attachment gets a name of letters, digits and a few harmless signs before anybody is told of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

MAX_NAME = 100  # characters; the extension stays
_HARMLESS = frozenset(" ._-()+")
Command = Callable[[str, Sequence[PurePath]], list[str]]


def _each(option: str) -> Command:
    return lambda program, paths: [program, *(word for path in paths for word in (option, str(path)))]


def _after(option: str) -> Command:
    return lambda program, paths: [program, option, *map(str, paths)]


def _thunderbird(program: str, paths: Sequence[PurePath]) -> list[str]:
    files = ",".join(path.as_uri() for path in paths)  # which quotes quotes and commas
    return [program, "-compose", f"attachment='{files}'"]


MAILERS: Mapping[str, Command] = {
    "thunderbird": _thunderbird,
    "icedove": _thunderbird,
    "claws-mail": _after("--attach"),
    "sylpheed": _after("--attach"),
    "kmail": _each("--attach"),
}
"""By the name of the program. Whatever else is chosen is asked by way of xdg-email."""


def mailer_of(desktop_file: str) -> str:
    """The program that a desktop file is of, by its name: ``org.mozilla.thunderbird.desktop`` is thunderbird."""
    stem = desktop_file.strip().lower().removesuffix(".desktop")
    return next((name for name in MAILERS if stem.rpartition(".")[2].rstrip("0123456789").startswith(name)), "")


def command(mailer: str, paths: Sequence[PurePath]) -> list[str]:
    """The command line that begins a message with these (absolute) attachments."""
    make = MAILERS.get(mailer)
    if make is None:
        return ["xdg-email", "--utf8", *_each("--attach")("", paths)[1:]]
    return make(mailer, paths)


def attachment_name(name: str) -> str:
    """A name that no program takes for anything else; what it says to a reader stays."""
    kept = "".join(char if char.isalnum() or char in _HARMLESS else "_" for char in name)
    kept = " ".join(kept.split()).lstrip(" .-_") or "document"
    stem, dot, extension = kept.rpartition(".")
    if not dot or len(extension) > 10:
        return kept[:MAX_NAME].rstrip(" .")
    return f"{stem[: MAX_NAME - len(extension) - 1].rstrip(' .')}.{extension}"
