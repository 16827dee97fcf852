"""``serment seal --to-phrase``: a document for somebody who has no Serment; ``serment page``: the page for one's own.

What is written says nothing without the phrase. The phrase is shown once, on the terminal, and goes nowhere else: it is
to be told on another way than the file.
"""

from __future__ import annotations

import os

from agent.errors import N_, SealError, UsageError
from agent.fsys.atomic import write_all
from agent.fsys.draft import Draft
from agent.outside import handover, page, pdf
from agent.outside.pdf_worker import MAX_PDF
from agent.ui.key_access import KeyAccess
from agent.ui.printable import printable
from agent.ui.terminal import Terminal

FORMS = ("auto", "page", "pdf")
_STEM = {"page": b".html", "pdf": b".pdf"}


def seal_to_phrase(
    access: KeyAccess, source: bytes, fd: int, target: bytes | None, form: str, terminal: Terminal, *, as_json: bool
) -> int:
    """Write the document for one person outside, and show the phrase. Raises SermentError, OSError."""
    form = _form(fd, form)
    state = os.fstat(fd)
    if form == "page" and state.st_size > page.LARGEST:
        raise SealError(
            N_("this document is too large for a page (20 MB)"), where=printable(source),
            hint=N_("send it by MSSanté, or give it on a stick, sealed for its recipient"),
        )  # fmt: skip
    if form == "pdf":
        made = handover.as_pdf(_content(fd, state.st_size), terminal.language)
    else:
        practice = access.recipients()[-1:]
        name = source.rpartition(b"/")[2]
        made = handover.as_page(fd, state.st_size, name, state.st_mtime_ns, practice, terminal.language)
    written = write_new(_target(target, source, form), made.content)
    if as_json:
        terminal.data({"sealed": os.fsdecode(written), "form": form, "phrase": made.phrase})
        return 0
    say = terminal.translate
    terminal.line(say(N_("for a health professional, MSSanté is the proper way; this file is for anybody else")))
    terminal.line(say(N_("sealed: {path}")).format(path=printable(written)))
    terminal.line(say(N_("the phrase, shown this once; tell it by telephone or on paper, never with the file:")))
    terminal.line(f"\n    {made.phrase}\n")
    return 0


def _form(fd: int, form: str) -> str:
    found = pdf.is_pdf(os.pread(fd, 1024, 0))
    if form == "pdf" and not found:
        raise UsageError(N_("only a PDF can be locked as a PDF"), hint=N_("leave --as out, or say --as page"))
    if form == "pdf" and not pdf.available():
        raise UsageError(N_("PDF files cannot be locked here"), hint=N_("pip install 'serment[outside]'"))
    if form == "auto":
        return "pdf" if found and pdf.available() else "page"
    return form


def _content(fd: int, size: int) -> bytes:
    if size > MAX_PDF:
        raise SealError(N_("this PDF is too large to be locked"), hint=N_("seal it as a page, or send it by MSSanté"))
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        return file.read(size)


def _target(asked: bytes | None, source: bytes, form: str) -> bytes:
    """The name that was asked for; else one that says nothing, in the folder that was, or in that of the document."""
    if asked and not asked.endswith(b"/") and not os.path.isdir(asked):
        return asked
    return os.path.join(asked or os.path.dirname(source), b"document" + _STEM[form])


def write_new(target: bytes, content: bytes) -> bytes:
    """Write a file that was not there, whole or not at all; its path. A taken name gets a number. Raises UsageError."""
    into, _, wanted = os.path.abspath(target).rpartition(b"/")
    try:
        folder_fd = os.open(into or b"/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(N_("cannot be written: {why}"), where=printable(into), why=error.strerror) from error
    try:
        with Draft(folder_fd) as draft:
            write_all(draft.fd, content)
            os.fsync(draft.fd)
            name = draft.publish_free(wanted)
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)
    return into + b"/" + name
