"""Which application shows a document, by the desktop's own settings, and whether it still has it open.

A sealed file can come from anybody who knows a recipient, so what is in it is hostile: only documents are shown,
never programs, scripts, links or web pages. The type comes from the end of the name, as the desktop would have it, and
chooses the application, nothing more. No shell: the words of a desktop file are taken apart here.
"""

from __future__ import annotations

import configparser
import mimetypes
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

from agent.errors import N_, HostError, UsageError

_TYPES = re.compile(
    r"application/(pdf|rtf|dicom|msword|xml|json|vnd\.(ms-excel|ms-powerpoint|oasis\.opendocument\.\w+)"
    r"|vnd\.openxmlformats-officedocument\.[\w.]+)|image/[\w.+-]+|audio/[\w.+-]+|video/[\w.+-]+"
    r"|text/(plain|csv|markdown|rtf|xml|tab-separated-values|vcard|calendar)"
)
_NEVER = frozenset({"image/svg+xml"})  # a picture that can hold scripts
_OFFICE = frozenset({"soffice", "libreoffice", "localc", "lowriter", "loimpress"})
_MAX_DESKTOP = 256 * 1024  # bytes
_DICOM = frozenset({".dcm", ".dicom"})


def type_of(name: str) -> str:
    """The type of a document by its name. Raises UsageError: not a document that is shown directly."""
    extension = os.path.splitext(name)[1].lower()
    found = "application/dicom" if extension in _DICOM else mimetypes.guess_type("x" + extension, strict=False)[0] or ""
    if not _TYPES.fullmatch(found) or found in _NEVER:
        raise UsageError(
            N_("this kind of file is not opened directly"), hint=N_("take it out: serment open --to FOLDER")
        )
    return found


def command_for(name: str, document: Path, scratch: Path, program: str | None) -> list[str]:
    """The command that shows ``document``; ``program`` in the place of the desktop's choice. Raises HostError: none."""
    if program is not None:
        words = [*shlex.split(program), str(document)]
    else:
        words = _with_document(_exec_of(_desktop_file(type_of(name))), document)
    if os.path.basename(words[0]) in _OFFICE:
        # A profile of the moment: its own process to wait for, and no recovery copies in the person's folders.
        words[1:1] = [f"-env:UserInstallation={(scratch / 'profile').as_uri()}", "--norestore", "--nologo"]
    return words


def environment(scratch: Path) -> dict[str, str]:
    """What an application gets: its temporary files and caches go to memory too."""
    return {**os.environ, "TMPDIR": str(scratch), "XDG_CACHE_HOME": str(scratch)}


def _desktop_file(mime: str) -> Path:
    try:
        asked = subprocess.run(
            ["xdg-mime", "query", "default", mime], capture_output=True, text=True, timeout=20, check=False
        )
        name = asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        name = ""
    if name and "/" not in name and name.endswith(".desktop"):
        for folder in _data_folders():
            for path in (folder / "applications" / name, folder / "applications" / name.replace("-", "/", 1)):
                if path.is_file():
                    return path
    raise HostError(
        N_("no application is known for this kind of document"),
        hint=N_("name one: serment open --view --with PROGRAM, or take the document out: --to FOLDER"),
    )


def _data_folders() -> Iterator[Path]:
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    yield Path(home)
    for folder in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        if folder.startswith("/"):
            yield Path(folder)


def _exec_of(path: Path) -> list[str]:
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    with path.open("rb") as file:
        parser.read_string(file.read(_MAX_DESKTOP).decode("utf-8", "replace"))
    words = shlex.split(parser.get("Desktop Entry", "Exec", fallback=""))
    if not words or parser.getboolean("Desktop Entry", "Terminal", fallback=False):
        raise HostError(
            N_("no application is known for this kind of document"),
            hint=N_("name one: serment open --view --with PROGRAM, or take the document out: --to FOLDER"),
        )
    return words


def _with_document(words: list[str], document: Path) -> list[str]:
    """The field codes of a desktop file's Exec line, as its specification has them."""
    found = []
    for word in words:
        if word in {"%f", "%F"}:
            found.append(str(document))
        elif word in {"%u", "%U"}:
            found.append(document.as_uri())
        elif not re.fullmatch(r"%[a-zA-Z]", word):
            found.append(word.replace("%%", "%"))
    return found if str(document) in found or document.as_uri() in found else [*found, str(document)]


def holders(folder: Path, program: str) -> set[int]:
    """The processes of this person that have something below ``folder`` open, or run ``program`` (its base name)."""
    found, prefix = set(), os.fsencode(folder)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and int(entry.name) != os.getpid() and _holds(entry.path, prefix, program):
            found.add(int(entry.name))
    return found


def _holds(process: str, prefix: bytes, program: str) -> bool:
    try:
        if os.stat(process).st_uid != os.geteuid():
            return False
        if program and os.path.basename(os.readlink(f"{process}/exe")) == program:
            return True
        for link in os.scandir(f"{process}/fd"):
            if os.fsencode(os.readlink(link.path)).startswith(prefix):
                return True
        with open(f"{process}/maps", "rb") as maps:
            return prefix in maps.read()
    except OSError:
        return False
