"""Editors that save onto a held stick: what is refused keeps the old version, what is harmless is saved, and of the
refused text nothing is left on the medium, whatever the editor writes beside the file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stick_bed import HARMLESS, MARK, Bed, bed, run
from tests.system.test_holds import policy

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.getuid() != 0, reason="mounts need root"),
]
_VIM = "vim -u NONE -N -es -c 'set swapfile {set}' -c '{do}' -c 'w!' -c 'qa!' {file}"
_EMACS = (
    "emacs -Q --batch --eval '{set}' --eval '(progn (find-file \"{file}\") (goto-char (point-max)) {do} (save-buffer))'"
)
_DO = {
    "vim": ("r {letter}", "normal Godu riz"),
    "emacs": ('(insert-file-contents "{letter}") (auto-save-mode 1) (do-auto-save t)', '(insert "du riz")'),
    "sed": ("r {letter}", "s/pain/riz/"),
    "soffice": ("{letter}", "{harmless}"),
}
EDITORS = {
    f"vim, backupcopy={copy} {backup}": _VIM.replace("{set}", f"backupcopy={copy} {backup}")
    for copy in ("yes", "no", "auto") for backup in ("writebackup backup", "nowritebackup nobackup")
} | {
    f"emacs, {lisp}": _EMACS.replace("{set}", f"(setq {lisp})")
    for lisp in ("backup-by-copying nil", "backup-by-copying t", "file-precious-flag t", "write-region-inhibit-fsync nil")
} | {"sed -i": "sed -i '{do}' {file}"}  # fmt: skip


@pytest.fixture(scope="module")
def held() -> Iterator[Bed]:
    with (
        tempfile.TemporaryDirectory(prefix="serment-test-") as name,
        bed(Path(name), policy=policy(Path(name), "block")) as made,
    ):
        made.wait_held()
        yield made


@pytest.mark.parametrize("editor", EDITORS)
def test_saving(held: Bed, editor: str, tmp_path: Path) -> None:
    program = EDITORS[editor].split()[0]
    if not shutil.which(program):
        pytest.skip(f"needs {program}")
    file = held.stick.point / f"{abs(hash(editor))}.txt"
    refused, harmless = (
        EDITORS[editor].format(do=do.format(letter=held.base / "lettre.txt", harmless=""), file=file)
        for do in _DO[program]
    )
    (held.base / "old").write_text(HARMLESS)
    assert run(f"cp {held.base / 'old'} {file}").returncode == 0
    assert run(f"HOME={tmp_path} {refused}").returncode != 0, "it was told that all is well"
    assert file.read_text() == HARMLESS
    assert held.stick.raw(MARK.encode()) == [0]
    assert run(f"HOME={tmp_path} {harmless}").returncode == 0
    assert "riz" in file.read_text()
    left = {name for name in held.listed() if (held.stick.point / name).stat().st_size}
    assert left <= {file.name, file.name + "~"}, "lock, swap or temporary files"
    run(f"rm -f {file} {file}~")


def test_an_office_that_saves(held: Bed, tmp_path: Path) -> None:
    """Straight onto the stick, as « Save as » and as an export do."""
    if not shutil.which("soffice"):
        pytest.skip("needs LibreOffice")
    for kind in ("odt", "docx"):
        for source, there in (("lettre.txt", False), ("bonjour.txt", True)):
            run(
                f"HOME={tmp_path} soffice --headless -env:UserInstallation=file://{tmp_path}/profile --convert-to {kind} "
                f"--outdir {held.stick.point} {held.base / source}", 120,
            )  # fmt: skip
            target = held.stick.point / f"{source.removesuffix('.txt')}.{kind}"
            assert (target.exists() and target.stat().st_size > 0) is there
    assert {name for name in held.listed() if (held.stick.point / name).stat().st_size} == {
        "bonjour.odt",
        "bonjour.docx",
    }
    assert held.stick.raw(MARK.encode()) == [0]
