"""A bundle that an administrator brings and that cannot be read: said in the reader's words, with what to do."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.daemon.chores import Chores
from agent.errors import HostError
from agent.i18n import catalogue


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (None, "aucun fichier ni dossier de ce nom"), (os.mkdir, "c'est un dossier"),
        (os.mkfifo, "n'est pas un fichier"),
    ],
    ids=["missing", "folder", "pipe"],
)  # fmt: skip
def test_a_bundle_that_cannot_be_read(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "x.serment-policy"
    if callable(make):
        make(path)
    with pytest.raises(HostError) as refused:  # before anything of the agent is asked
        Chores(SimpleNamespace()).apply_policy(str(path))  # type: ignore[arg-type]
    text, hint = refused.value.said(catalogue("fr").gettext)
    assert text.endswith(why) and "Errno" not in text
    assert hint == "vérifiez le chemin"
