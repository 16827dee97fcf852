"""The note in a folder whose documents are held: where they went and what to do, in the clinician's languages.

One small file a folder, always of the same name, made new from the quarantine's entries each time. It says ids and
days, never a document's name, since a patient's name may be in it. The same entries give the same bytes, so that a
sync client has nothing to do. A file of that name which is not ours is left alone. No note, no harm: nothing here
fails an action.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

from agent.actions.entry import HELD, Entry
from agent.actions.quarantine import QuarantineStore
from agent.errors import N_
from agent.fsys.atomic import write_all
from agent.fsys.draft import Draft, temporary_name
from agent.fsys.openat import open_beneath, open_regular
from agent.fsys.rename import sync_folder_fd
from agent.fsys.ways import open_root
from agent.i18n import LANGUAGES, Count, catalogue

NAME = b"Serment - LISEZ-MOI.txt"
MAX_LISTED = 20
_MAX_BYTES = 64 * 1024
_DRAFT = "note"
_MARK = "SERMENT\n=======\n"

_TEXT = (
    N_("Serment has put into quarantine what you see listed here, because it may not leave this laptop in this way."),
    N_("Nothing is lost: it is kept on this laptop, for you."),
    N_("To see what is held:"),
    N_("To get a document back into your own documents:"),
)
_MORE = N_("and {count} {count:earlier one|earlier ones}")


def note(entries: Sequence[Entry], languages: Sequence[str] = LANGUAGES) -> str:
    """The text for the documents held in one folder, newest last. Lines end as Windows and Linux both show them."""
    ordered = sorted(entries, key=lambda entry: (entry.day, entry.id))
    listed = ordered[-MAX_LISTED:]
    parts = dict.fromkeys(_in_language(language, listed, len(ordered)) for language in languages)
    return (_MARK + "\n" + "\n----------\n\n".join(parts)).replace("\n", "\r\n")


def _in_language(language: str, listed: Sequence[Entry], total: int) -> str:
    say = catalogue(language).gettext
    what, kept, see, back = (say(text) for text in _TEXT)
    lines = [f"  {entry.day}  {entry.id}" for entry in listed]
    if total > len(listed):
        lines.insert(0, "  " + say(_MORE).format(count=Count(total - len(listed))))
    example = listed[-1].id if listed else "ID"
    commands = (f"{see}\n  serment quarantine list", f"{back}\n  serment quarantine restore {example}")
    return "\n".join((what, *lines, kept, "", *commands)) + "\n"


class Placeholders:
    def __init__(self, store: QuarantineStore, languages: Sequence[str] = LANGUAGES) -> None:
        self._store = store
        self._languages = tuple(languages) or LANGUAGES

    def refresh(self, root_fd: int, root: bytes, folder: bytes) -> bool:
        """Make the note in ``folder`` below ``root`` say what is held now; remove it when that is nothing.

        False when it could not be written (read-only, full, gone) or a file that is not ours has its name.
        """
        held = [
            entry for entry in self._store.list()
            if (entry.state, entry.root, entry.folder) == (HELD, root, folder) and not entry.before
        ]  # fmt: skip
        try:
            folder_fd = open_beneath(root_fd, folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return False
        try:
            return _refresh(folder_fd, note(held, self._languages).encode() if held else None)
        except OSError:
            return False
        finally:
            os.close(folder_fd)

    def refresh_all(self, root: bytes | None = None, asks: Callable[[bytes], bool] = lambda _root: True) -> None:
        """Every folder that documents are held from, or those below one guarded ``root``: after a start. Those below a
        root that ``asks`` says no to are left.
        """
        newest = {
            (entry.root, entry.folder): entry
            for entry in self._store.list()
            if entry.state == HELD and root in {None, entry.root} and not entry.before
        }
        for entry in newest.values():
            if asks(entry.root):
                self.refresh_for(entry)

    def refresh_for(self, entry: Entry) -> bool:
        """Like refresh, for the folder that the entry was held in, after it was given back or recovered."""
        if entry.before:
            return True
        try:
            root_fd = open_root(entry.root)
        except OSError:
            return False
        try:
            return self.refresh(root_fd, entry.root, entry.folder)
        finally:
            os.close(root_fd)


def _refresh(folder_fd: int, wanted: bytes | None) -> bool:
    _remove_draft(folder_fd)
    present = _present(folder_fd)
    if present == wanted:
        return True
    if present is not None and not present.startswith(_MARK.replace("\n", "\r\n").encode("ascii")):
        return False
    if wanted is None:
        os.unlink(NAME, dir_fd=folder_fd)
    else:
        _write(folder_fd, wanted, replace=present is not None)
    sync_folder_fd(folder_fd)
    return True


def _remove_draft(folder_fd: int) -> None:
    """Half a note, left by a kill on a file system without unnamed files."""
    try:
        os.unlink(temporary_name(_DRAFT), dir_fd=folder_fd)
    except FileNotFoundError:
        pass


def _present(folder_fd: int) -> bytes | None:
    """What is there under the note's name; OSError for a link, a folder or the like, which are left alone."""
    try:
        fd = open_regular(folder_fd, NAME)
    except FileNotFoundError:
        return None
    try:
        return os.read(fd, _MAX_BYTES)
    finally:
        os.close(fd)


def _write(folder_fd: int, wanted: bytes, *, replace: bool) -> None:
    state = os.fstat(folder_fd)
    with Draft(folder_fd, _DRAFT) as draft:
        write_all(draft.fd, wanted)
        draft.own(state.st_uid, state.st_gid, stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
        os.fsync(draft.fd)
        if replace:
            draft.replace(NAME)
        else:
            draft.publish(NAME)
