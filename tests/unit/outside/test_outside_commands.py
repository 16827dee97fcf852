"""``serment seal --to-phrase`` and ``serment page`` as somebody types them, and the page that the agent puts on a stick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pyrage
import pytest

from agent.crypto.keys import KeyStore
from agent.daemon.opening_page import OpeningPages
from agent.model import ChannelKind, Decision, Outcome, Place, Result
from agent.outside import page
from tests import invented

PHRASE = "academie-zebre-abricot-evasif-noisette-wagon-rubis"


@pytest.fixture
def home(tmp_path):
    """A configuration whose keys are one's own, and a letter."""
    (tmp_path / "agent.toml").write_text(f'[agent]\ndata_dir = "{tmp_path}/data"\nruntime_dir = "{tmp_path}/run"\n')
    (tmp_path / "data").mkdir()
    (tmp_path / "lettre.txt").write_text(invented.LETTER, "utf-8")
    (tmp_path / "lettre.pdf").write_bytes(invented.pdf(invented.LETTER))
    return tmp_path


def serment(home, *words):
    command = [sys.executable, "-m", "agent.ui.cli.main", *words, "--config", str(home / "agent.toml")]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env={**os.environ, "LANG": "fr_FR.UTF-8"}
    )


def test_a_letter_becomes_a_page_and_a_phrase(home):
    done = serment(home, "seal", "--to-phrase", str(home / "lettre.txt"))
    assert done.returncode == 0, done.stderr
    content = (home / "document.html").read_bytes()
    phrase = next(line.strip() for line in done.stdout.splitlines() if line.startswith("    "))
    assert phrase.count("-") == 6 and phrase.encode() not in content
    assert "MSSanté" in done.stdout.splitlines()[0]
    assert page.is_page(content) and b"VERNICOURT" not in content and b"lettre" not in content
    assert (home / "lettre.txt").read_text("utf-8") == invented.LETTER


def test_a_pdf_is_locked_and_nothing_is_overwritten(home):
    for _ in range(2):
        done = serment(home, "seal", "--to-phrase", str(home / "lettre.pdf"), "--json")
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["form"] == "pdf"
    made = sorted(entry.name for entry in home.glob("document*.pdf"))
    assert len(made) == 2 and b"/Encrypt" in (home / made[0]).read_bytes()
    page_of = serment(home, "seal", "--to-phrase", "--as", "page", str(home / "lettre.pdf"), "--json")
    assert json.loads(page_of.stdout)["form"] == "page"


def test_a_folder_gets_the_page_inside(home):
    (home / "out").mkdir()
    for asked in ("out", "out/"):
        done = serment(home, "seal", "--to-phrase", str(home / "lettre.txt"), "-o", f"{home}/{asked}", "--json")
        assert done.returncode == 0, done.stderr
    assert sorted(entry.name for entry in (home / "out").iterdir()) == ["document (2).html", "document.html"]
    assert not list(home.glob("out (*"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--to-phrase", "--as", "pdf", "lettre.txt"], "PDF"),
        (["--to-phrase", "--to", "age1abc", "lettre.txt"], "--to"),
        (["--to-phrase", "absent.txt"], "absent.txt"),
    ],
)
def test_what_cannot_be_is_said(home, words, says):
    done = serment(home, "seal", *[str(home / word) if word.endswith(".txt") else word for word in words])
    assert done.returncode == 64 and says in done.stderr and "Traceback" not in done.stderr


def test_the_own_page_needs_a_phrase_and_is_put_once(home):
    done = serment(home, "page", str(home))
    assert done.returncode != 0 and "serment keys phrase" in done.stderr
    store = KeyStore(home / "data" / "keys")
    store.recipients(os.getuid())
    store.protect_with_phrase(os.getuid(), PHRASE)
    assert json.loads(serment(home, "page", str(home), "--json").stdout)["put"] is True
    assert json.loads(serment(home, "page", str(home), "--json").stdout)["put"] is False
    assert page.is_page((home / "OUVRIR.html").read_bytes())


class Said:
    def __init__(self):
        self.words = []

    def warn(self, word, **_fields):
        self.words.append(word)

    note = warn


def put(store, root, *, uid, times=1, decision=Decision.ENCRYPT, channel=ChannelKind.REMOVABLE):
    said = Said()
    pages = OpeningPages(store, said)
    for _ in range(times):
        pages.want(Place(channel, os.fsencode(root), uid), Outcome(Result.DONE, decision, held="document-ABC.age"))
    end = time.monotonic() + 10
    while time.monotonic() < end and not said.words and pages._thread is not None:
        time.sleep(0.01)
    pages.close()
    return said.words


def test_the_agent_puts_the_page_beside_what_it_sealed(home, tmp_path_factory):
    store = KeyStore(home / "data" / "keys")
    stick = tmp_path_factory.mktemp("stick")
    store.recipients(4242)
    assert put(store, stick, uid=4242) == []  # no phrase, no page
    store.protect_with_phrase(4242, PHRASE)
    assert put(store, stick, uid=4242, decision=Decision.BLOCK) == []
    assert put(store, stick, uid=4242, channel=ChannelKind.CLOUD_SYNC) == []
    assert list(stick.iterdir()) == []
    assert put(store, stick, uid=4242, times=5) == ["opening-page.put"]
    content = (stick / "OUVRIR.html").read_bytes()
    held = json.loads(content.split(b'id="held">')[1].split(b"</script>")[0])
    import base64

    assert b"AGE-SECRET-KEY-1" in pyrage.passphrase.decrypt(base64.b64decode(held["identity"]), PHRASE)
    assert (stick / "OUVRIR.html").stat().st_uid == (4242 if os.getuid() == 0 else os.getuid())


def test_a_file_of_somebody_else_is_left_and_a_gone_stick_is_no_error(home, tmp_path_factory):
    store = KeyStore(home / "data" / "keys")
    stick = tmp_path_factory.mktemp("stick")
    store.recipients(4242)
    store.protect_with_phrase(4242, PHRASE)
    (stick / "OUVRIR.html").write_text("mine")
    assert put(store, stick, uid=4242) == ["opening-page.failed"]
    assert (stick / "OUVRIR.html").read_text() == "mine"
    assert put(store, stick / "gone", uid=4242) == ["opening-page.failed"]
