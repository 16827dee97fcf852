"""The backup sheet as a practice owner has it: printed, photographed by the next laptop, and it opens."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.ui.sheet import sheet
from tests import invented

TEXTS = (
    "Ceci est la clé du cabinet (portable-accueil). À mettre sous enveloppe.",
    "Pour s’en servir : « serment keys restore ».",
)


def printed(pdf: bytes) -> object:
    """The page as a printer at 150 dots an inch has it, in grey."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    return document[0].render(scale=150 / 72, grayscale=True).to_pil()


def scanned(pdf: bytes) -> str:
    zxingcpp = pytest.importorskip("zxingcpp")
    (code,) = zxingcpp.read_barcodes(printed(pdf))
    return str(code.text)


def words(pdf: bytes) -> str:
    import pypdfium2

    return str(pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_range())


@pytest.mark.parametrize("kind", KeyKind)
def test_the_code_and_the_text_on_the_sheet_are_the_key(kind: KeyKind) -> None:
    identity = new_identity(kind)
    page = sheet("Serment : sauvegarde d’une clé", TEXTS, identity, "imprimé le 2026-11-22")
    assert scanned(page) == identity
    assert identity in "".join(words(page).split())
    assert "clé du cabinet" in words(page) and "« serment keys restore »" in words(page)
    assert "?" not in words(page)


def test_everything_is_on_the_page() -> None:
    """Long French texts push nothing over an edge: the outermost points are white all around."""
    from PIL import ImageOps

    page = sheet("Serment", TEXTS * 4, new_identity(KeyKind.X25519), "imprimé")
    image = printed(page)
    left, top, right, bottom = ImageOps.invert(image).getbbox()  # type: ignore[arg-type,misc]
    width, height = image.size  # type: ignore[attr-defined]
    assert min(left, top, width - right, height - bottom) > 40  # dots: printers leave a margin


class Machine:
    """A laptop of somebody who is the store's owner, in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "agent.toml").write_text(f'[agent]\ndata_dir = "{folder}/data"\nruntime_dir = "{folder}/run"\n')

    def serment(
        self, *words: str, typed: str = "", lang: str = "fr", path: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        read, write = os.pipe()
        os.write(write, typed.encode())
        os.close(write)
        try:
            return subprocess.run(
                [sys.executable, "-m", "agent.ui.cli.main", "--lang", lang, *words, "--config", self.folder / "agent.toml"],
                capture_output=True, timeout=60, pass_fds=[read], stdin=subprocess.DEVNULL,
                env=os.environ | ({"SERMENT_PHRASE_FD": str(read)} if typed else {})
                | ({"PATH": f"{path}:{os.environ['PATH']}"} if path else {}),
            )  # fmt: skip
        finally:
            os.close(read)


@pytest.mark.parametrize("whose", [[], ["--practice"]])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_lost_laptop_the_sheet_opens_on_the_next_one(tmp_path: Path, whose: list[str], lang: str) -> None:
    old, new = Machine(tmp_path / "old"), Machine(tmp_path / "new")
    (tmp_path / "letter.txt").write_text(invented.LETTER, "utf-8")
    assert old.serment("seal", str(tmp_path / "letter.txt"), "-o", str(tmp_path / "d.age")).returncode == 0
    sheet_file = old.folder / "sheet.pdf"
    done = old.serment("keys", "backup", *whose, "-o", str(sheet_file), lang=lang)
    assert done.returncode == 0, done.stderr
    assert sheet_file.stat().st_mode & 0o777 == 0o600
    assert "?" not in words(sheet_file.read_bytes())
    assert new.serment("keys", "ready").returncode == 0
    refused = new.serment("open", str(tmp_path / "d.age"))
    assert refused.returncode == 65
    restored = new.serment("keys", "restore", typed=scanned(sheet_file.read_bytes()) + "\n")
    assert restored.returncode == 0, restored.stderr
    out = tmp_path / "out"
    out.mkdir()
    opened = new.serment("open", str(tmp_path / "d.age"), "--to", str(out), "--json")
    assert Path(json.loads(opened.stdout)["path"]).read_text("utf-8") == invented.LETTER
    again = new.serment("keys", "rotate", "--only-current", str(tmp_path / "d.age"), "--json")
    assert json.loads(again.stdout)["rotated"] == 1
    assert old.serment("open", str(tmp_path / "d.age"), "--to", str(out)).returncode == 65  # the thief's laptop


def test_to_the_printer_and_to_no_file(tmp_path: Path) -> None:
    """What ``lp`` gets is the sheet, on its standard input; nothing is written anywhere."""
    machine = Machine(tmp_path / "laptop")
    machine.serment("keys", "ready")
    before = {each for each in tmp_path.rglob("*") if each.is_file()}
    printer = tmp_path / "bin"
    printer.mkdir()
    (printer / "lp").write_text(f'#!/bin/sh\necho "$@" > {printer}/words; cat > {printer}/paper\n')
    (printer / "lp").chmod(0o755)
    done = machine.serment("keys", "backup", "--print", path=str(printer))
    assert done.returncode == 0, done.stderr
    paper = (printer / "paper").read_bytes()
    states = json.loads(machine.serment("keys", "status", "--json").stdout)["keys"]
    assert recipient_of(scanned(paper)) in {each["recipient"] for each in states}
    assert {each for each in tmp_path.rglob("*") if each.is_file()} - before == {
        printer / name for name in ("lp", "words", "paper")
    }
    (printer / "lp").write_text("#!/bin/sh\nexit 1\n")
    assert machine.serment("keys", "backup", "--print", path=str(printer)).returncode == 69


def test_standard_output_gets_the_page_and_nothing_else(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "laptop")
    machine.serment("keys", "ready")
    assert machine.serment("keys", "backup", "-o", "-").stdout.startswith(b"%PDF-")
    both = machine.serment("keys", "backup", "-o", "-", "--json", lang="en")
    assert (both.returncode, both.stdout) == (64, b"")
    assert b"cannot both go to standard output" in both.stderr
    closed = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "agent.ui.cli.main", "--lang", "en", "keys", "backup", "-o", "-",
         "--config", machine.folder / "agent.toml"], stderr=subprocess.PIPE, timeout=60,
    )  # fmt: skip
    assert closed.returncode == 64
    assert b"standard output is closed" in closed.stderr


def test_the_sheet_is_a_pdf_that_others_read(tmp_path: Path) -> None:
    import pikepdf

    page = sheet("Serment (clé) \\ test", TEXTS, new_identity(KeyKind.HYBRID), "x")
    with pikepdf.open(io.BytesIO(page)) as opened:
        assert len(opened.pages) == 1
        assert opened.check_pdf_syntax() == [] if hasattr(opened, "check_pdf_syntax") else opened.check() == []
