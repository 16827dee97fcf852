"""Phrases, small texts under a phrase, the page with what is put into it, and locked PDFs."""

from __future__ import annotations

import io
import json
import math
import os
import re

import pyrage
import pytest

from agent.crypto.phrase import normalised
from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.errors import ChangedError, SealError
from agent.outside import handover, page, pdf, phrase
from tests import invented


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_phrase_has_the_strength_that_is_promised(language):
    words = phrase.word_list(language)
    assert len(words) == len(set(words)) == 2048
    assert phrase.WORDS * math.log2(len(words)) >= phrase.BITS
    drawn = [phrase.new_phrase(language) for _ in range(40)]
    assert len(set(drawn)) == 40
    assert {len(text.split("-")) for text in drawn} == {phrase.WORDS}
    assert len({word for text in drawn for word in text.split("-")}) > 200  # all the list, not its beginning


def test_a_phrase_is_shown_in_the_form_that_counts():
    for language in ("fr", "en"):
        for _ in range(20):
            text = phrase.new_phrase(language)
            assert normalised(text) == text
            assert re.fullmatch(r"[a-z]+(-[a-z]+){6}", text)


@pytest.mark.parametrize(
    "typed", ["Académie ÉVASIF zèbre", "  academie--evasif_zebre ", "acade\u0301mie·evasif\u00a0zebre"]
)
def test_what_people_vary_does_not_matter(typed):
    assert normalised(typed) == "academie-evasif-zebre"


def _held(content: bytes) -> dict:
    found = re.findall(rb'<script type="application/json" id="held">(.*?)</script>', content, re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def test_nothing_that_is_put_into_the_page_can_run():
    content = page.page(b"identity", [("</script><script>alert(1)</script>.age", b"<!--<script>")], "fr")
    assert set(_held(content)) == {"identity", "files", "language"}
    assert _held(content)["files"][0]["name"] == "</script><script>alert(1)</script>.age"
    assert content.count(b"<script") == page.template().count(b"<script")
    assert page.is_page(content) and page.is_page(page.page())


def test_a_page_has_a_largest_size():
    with pytest.raises(ValueError, match="large"):
        page.page(files=[("a", bytes(page.LARGEST + 1))])


def test_the_page_is_put_into_a_folder_and_replaces_only_itself(tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        assert page.place(folder, page.page())
        assert not page.place(folder, page.page())
        assert page.place(folder, page.page(b"new identity"))
        target = tmp_path / os.fsdecode(page.NAME)
        assert target.read_bytes() == page.page(b"new identity")
        assert [entry.name for entry in tmp_path.iterdir()] == [target.name]
        target.write_text("<html>a page of somebody else</html>")
        with pytest.raises(ChangedError):
            page.place(folder, page.page())
        target.unlink()
        target.symlink_to("/etc/passwd")
        with pytest.raises(OSError):  # noqa: PT011 - ELOOP; the link is not followed
            page.place(folder, page.page())
        assert target.is_symlink()
    finally:
        os.close(folder)


def _plain(tmp_path):
    (tmp_path / "lettre.txt").write_text(invented.LETTER, "utf-8")
    return os.open(tmp_path / "lettre.txt", os.O_RDONLY)


def test_a_page_for_somebody_holds_the_document_only_sealed(tmp_path):
    practice = new_identity(KeyKind.X25519)
    fd = _plain(tmp_path)
    made = handover.as_page(fd, os.fstat(fd).st_size, b"lettre.txt", 0, (recipient_of(practice),), "fr")
    os.close(fd)
    assert b"lettre" not in made.content and made.phrase.encode() not in made.content
    assert made.phrase not in repr(made)
    held = _held(made.content)
    identity = pyrage.passphrase.decrypt(_bytes(held["identity"]), made.phrase).decode().strip()
    for key in (identity, practice):  # whoever has the phrase, and the practice
        opened = pyrage.decrypt(_bytes(held["files"][0]["data"]), [pyrage.x25519.Identity.from_str(key)])
        assert invented.LETTER.encode() in opened


def _bytes(text: str) -> bytes:
    import base64

    return base64.b64decode(text)


def test_a_locked_pdf_opens_with_the_phrase_alone():
    import pikepdf

    made = handover.as_pdf(invented.pdf(invented.LETTER), "fr")
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(made.content))
    with pikepdf.open(io.BytesIO(made.content), password=made.phrase) as opened:
        assert (opened.encryption.R, opened.encryption.bits) == (6, 256)
        assert len(opened.pages) == 1
    import pypdfium2

    with pytest.raises(pypdfium2.PdfiumError, match=r"(?i)password"):
        pypdfium2.PdfDocument(made.content)
    whole = pypdfium2.PdfDocument(made.content, password=made.phrase)  # what Chrome opens PDF files with
    assert "VERNICOURT" in whole[0].get_textpage().get_text_range()


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"not a PDF", b"%PDF-1.4\n" + bytes(5000)])
def test_what_is_no_pdf_is_refused_in_words(content):
    with pytest.raises(SealError, match="cannot be read"):
        pdf.locked_pdf(content, "abc")


def test_a_pdf_with_a_password_is_not_locked_again():
    once = pdf.locked_pdf(invented.pdf("x"), "abc")
    with pytest.raises(SealError, match="password already"):
        pdf.locked_pdf(once, "abd")


def test_the_process_that_parses_a_pdf_is_confined(monkeypatch):
    """Broken once: without ``sandbox.arm`` this fails."""
    import subprocess
    import sys

    code = (
        "import socket,sys;from agent.outside import pdf_worker as w;from agent.extraction import sandbox;"
        "a,b=socket.socketpair();w.sandbox_seen=[];arm=sandbox.arm;"
        "sandbox.arm=lambda *p,**k:(print('armed',flush=True),sys.exit(0));sys.argv=['x',str(b.detach())];w.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "armed"  # before a byte of the document was asked for
