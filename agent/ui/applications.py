"""Which application shows a document, by the desktop's own settings, and whether it still has it open.

A sealed file can come from anybody who knows a recipient, so what is in it is hostile: only documents are shown,
never programs, scripts, links or web pages. The type comes from the end of the name, as the desktop would have it, and
chooses the application, nothing more. No shell: the words of a desktop file are taken apart here.
"""

from __future__ import annotations

import configparser
import contextlib
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
_RECENT = ("recently-used.xbel", "RecentDocuments")  # GTK's and KDE's; GTK makes a temporary name from it
_MAX_ENTRIES = 1000  # of a data folder
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
    """What an application gets: its temporary files, caches and lists of recent files go to memory too."""
    memory = {"TMPDIR": scratch, "XDG_CACHE_HOME": scratch, "XDG_STATE_HOME": scratch, "XDG_DATA_HOME": _data(scratch)}
    return {**os.environ, **{name: str(folder) for name, folder in memory.items()}}


def _data(scratch: Path) -> Path:
    """The person's own data folder, all but the lists of recent files: the name of a document often is a patient's."""
    made = scratch / "share"
    made.mkdir(mode=0o700, exist_ok=True)
    try:
        entries = list(os.scandir(_data_home()))
    except OSError:
        return made
    for entry in entries[:_MAX_ENTRIES]:
        if not entry.name.startswith(_RECENT):
            with contextlib.suppress(FileExistsError):
                (made / entry.name).symlink_to(entry.path)
    return made


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share"))


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
    yield _data_home()
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


def holders(folder: Path, program: str, besides: int = 0) -> set[int]:
    """The processes of this person that work in ``folder``, have something below it open, or run ``program`` (its base
    name); not this process and not ``besides``.
    """
    prefix = os.fsencode(folder)
    others = [
        each for each in os.scandir("/proc") if each.name.isdigit() and int(each.name) not in {os.getpid(), besides}
    ]
    return {int(each.name) for each in others if _holds(each.path, prefix, program)}


def _holds(process: str, prefix: bytes, program: str) -> bool:
    try:
        if os.stat(process).st_uid != os.geteuid():
            return False
        if program and os.path.basename(os.readlink(f"{process}/exe")) == program:
            return True
        if _below(f"{process}/cwd", prefix):  # an editor that closed the file once it was read
            return True
        if any(_below(link.path, prefix) for link in os.scandir(f"{process}/fd")):
            return True
        with open(f"{process}/maps", "rb") as maps:
            return prefix in maps.read()
    except OSError:
        return False


def _below(link: str, prefix: bytes) -> bool:
    try:
        return os.fsencode(os.readlink(link)).startswith(prefix)
    except OSError:
        return False  # closed meanwhile
