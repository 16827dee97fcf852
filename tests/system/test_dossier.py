"""The dossier of a lost stick, with a real agent and real sticks: what it says is what stands on the medium."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from agent.audit.segments import verify_folder
from tests.invented import encrypted_zip, patient_list
from tests.running import CHECKOUT, COMMAND, wait_for
from tests.stick_bed import MARK, Bed, Stick, bed, letter, run

pytestmark = pytest.mark.system
NOBODY = 65534
HOSTILE = (b"droite\xe2\x80\xaexcod.txt", b"saut\nde ligne\x1b[31m.txt", b"<img src=x>) Tj ET.txt")
AS_NOBODY = f"""
import importlib, os, pkgutil, sys, tomllib
import ctypes, cryptography.hazmat.primitives.asymmetric.ed25519
import agent.dossier, agent.ui.cli.audit, agent.ui.dossier_agent, agent.daemon.failures, agent.audit.tampering
from agent.i18n import catalogue
from agent.ui.cli.main import main
for each in pkgutil.iter_modules(agent.dossier.__path__):
    importlib.import_module("agent.dossier." + each.name)
catalogue("fr"), catalogue("en"), "".encode("cp1252"), "".encode("utf-16-be")
os.setgroups([]), os.setgid({NOBODY}), os.setuid({NOBODY})  # the program may lie where nobody reads it: loaded before
sys.exit(main(sys.argv[1:]))
"""


@contextlib.contextmanager
def two_sticks() -> Iterator[Bed]:
    """Two sticks with the same label; on the first, a letter sealed, a list refused, a locked archive in clear."""
    base = Path(tempfile.mkdtemp(prefix="serment-dossier-"))  # pytest closes its own folders to everybody else
    sticks = [Stick(base), Stick(base, name="AUTRE")]
    try:
        for stick in sticks:
            with stick.image.open("wb") as file:
                file.truncate(stick.size_mib << 20)
            make_fs = ["mkfs.ext4", "-q", "-F", "-L", "CABINET", "-E", "root_owner=0:0", str(stick.image)]
            subprocess.run(make_fs, check=True)
        with bed(base, sticks=sticks) as made:
            fill(made)
            yield made
    finally:
        shutil.rmtree(base, ignore_errors=True)


class Beds:
    """One bed for all tests; another one for a test that is tried again."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._made: Bed | None = None

    def bed(self, *, anew: bool) -> Bed:
        if anew:
            self.close()
        if self._made is None:
            self._made = self._stack.enter_context(two_sticks())
        return self._made

    def close(self) -> None:
        self._made = None
        self._stack.close()


@pytest.fixture(scope="module")
def beds() -> Iterator[Beds]:
    made = Beds()
    with contextlib.closing(made):
        yield made


@pytest.fixture
def lost(request: pytest.FixtureRequest, beds: Beds) -> Bed:
    return beds.bed(anew=getattr(request.node, "execution_count", 1) > 1)


def fill(made: Bed) -> None:
    for stick in made.sticks:
        made.wait_held(stick)
    made.put("liste.csv", patient_list())
    made.put("archive.zip", encrypted_zip())
    assert made.copy("lettre.txt").returncode == 0
    assert made.copy("liste.csv").returncode != 0
    assert made.copy("archive.zip").returncode == 0
    assert made.copy("bonjour.txt").returncode == 0
    for number, name in enumerate(HOSTILE):
        (made.stick.point / os.fsdecode(name)).write_bytes(letter(10 + number))
    run(f"cp '{made.base}/archive.zip' '{made.sticks[1].point}/autre.zip'").check_returncode()
    wait_for(made.agent.idle)
    made.agent.stop()  # a gap, after which the sticks are looked at again
    made.agent.start()
    for stick in made.sticks:
        made.wait_held(stick)
    sealed = 1 + len(HOSTILE)  # nobody knows what happened to them in the gap
    wait_for(lambda: sum(record.get("ext") == "age" for record in made.agent.records("transfer")) >= sealed, 60)
    wait_for(made.agent.idle)


def make(made: Bed, *words: str, name: str) -> tuple[Path, dict[str, Any]]:
    out = Path(tempfile.mkdtemp(prefix=name, dir=made.base)) / name  # each try its own
    done = made.agent.command("audit", "dossier", *words, "--out", str(out))
    assert done.returncode == 0, done.stderr
    dossier: dict[str, Any] = json.loads((out / "dossier.json").read_bytes())
    return out, dossier


def number_of(made: Bed, stick: Stick) -> str:
    """Its number in the list that somebody sees who has lost it: by the volume that a document went to."""
    sizes = {made.stick.point: len(letter()), made.sticks[1].point: (made.base / "archive.zip").stat().st_size}
    volumes = [r["volume"] for r in made.agent.records("transfer") if r["size"] == sizes[stick.point]]
    done = made.agent.command("audit", "dossier", "--json", check=True)
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(listed) == 2
    wanted = volumes[0] if stick is made.stick else volumes[-1]
    return str(next(each["number"] for each in listed if wanted in each["volumes"]))


def test_the_dossier_says_what_stands_on_the_stick(lost: Bed) -> None:
    _, dossier = make(lost, "--device", number_of(lost, lost.stick), name="un")
    fates = {document["size"]: document["fate"] for document in dossier["facts"]["documents"]}
    assert fates.pop(len(letter())) == "sealed" and fates.pop(len(patient_list())) == "refused"
    assert fates.pop((lost.base / "archive.zip").stat().st_size) == "clear"
    assert list(fates.values()) == ["sealed"] * len(HOSTILE)
    held = {document["held"] for document in dossier["facts"]["documents"] if document["fate"] == "sealed"}
    assert {name for name in lost.listed() if name.endswith(".age")} == held
    assert set(lost.listed()) - held == {"archive.zip", "bonjour.txt"}
    locked = (lost.base / "archive.zip").read_bytes()
    os.sync()  # what the stick's own file system still holds back would prove nothing
    clear, refused, archive = lost.stick.raw(MARK.encode(), patient_list()[200:260], locked)
    assert (clear, refused) == (0, 0) and archive >= 1  # as the dossier says, on the raw medium
    groups = dossier["facts"]["estimate"]
    assert (groups["sealed"]["documents"], groups["refused"]["documents"], groups["clear"]["unread"]) == (4, 1, 1)
    assert groups["refused"]["most"] >= 10 and dossier["facts"]["not_medical"] == 1
    assert dossier["judgement"]["answer"] == "open" and "clear-unread" in dossier["judgement"]["adverse"]
    assert dossier["facts"]["sealed_files"] == 4  # what was seen again after the gap, it is no other document
    assert [gap["what"] for gap in dossier["facts"]["gaps"]] == ["off"] and "gaps" in dossier["judgement"]["adverse"]
    whose = {each["who"] for document in dossier["facts"]["documents"] for each in document["sealed_to"]}
    assert whose == {"clinician", "practice"}
    (policy,) = dossier["facts"]["policies"]
    assert policy["name"] == "serment/enforce" and len(policy["sentences"]["fr"]) == len(policy["sentences"]["en"]) > 5
    assert dossier["log"]["intact"] is True and dossier["made"]["by"] == "administrator"


def test_the_other_stick_has_its_own(lost: Bed) -> None:
    _, dossier = make(lost, "--device", number_of(lost, lost.sticks[1]), name="autre")
    assert [document["size"] for document in dossier["facts"]["documents"]] == [
        (lost.base / "archive.zip").stat().st_size
    ]
    assert dossier["facts"]["sticks"][0]["volumes"] != []


def test_each_dossier_is_a_record_and_that_record_signs_it(lost: Bed) -> None:
    out, _ = make(lost, "--device", "1", name="signe")
    assert lost.agent.records("dossier")[-1]["by"] == "administrator"
    assert sorted(os.listdir(out)) == [
        "dossier.json", "dossier.pdf", "dossier.signature.json", "message-article-34.en.txt",
        "message-article-34.fr.txt", "notification-article-33.en.txt", "notification-article-33.fr.txt",
    ]  # fmt: skip
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    for name in ("dossier.json", "dossier.pdf"):
        done = lost.agent.command("audit", "dossier", "--check", str(out / name), "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["signed"] is True
    verifier = [sys.executable, str(CHECKOUT / "verifier/serment_verify.py"), "--dossier", str(out / "dossier.json")]
    alone = subprocess.run(verifier, capture_output=True, text=True, cwd="/", check=True)
    assert json.loads(alone.stdout)["signed"] is True
    content = bytearray((out / "dossier.pdf").read_bytes())
    content[len(content) // 2] ^= 1
    (out / "dossier.pdf").write_bytes(content)
    assert lost.agent.command("audit", "dossier", "--check", str(out / "dossier.pdf")).returncode == 1
    assert subprocess.run(verifier, capture_output=True, cwd="/", check=False).returncode == 1
    verify_folder(lost.agent.data / "audit")


def test_names_only_on_request_and_harmless(lost: Bed) -> None:
    number = number_of(lost, lost.stick)
    out, dossier = make(lost, "--device", number, name="sans")
    assert not any("name" in document for document in dossier["facts"]["documents"])
    assert b"lettre" not in (out / "dossier.json").read_bytes()
    out, dossier = make(lost, "--device", number, "--names", name="avec")
    names = [document.get("name", "") for document in dossier["facts"]["documents"]]
    assert "lettre.txt" in names and len(names) == 6
    shown = "".join(names)
    assert not {character for character in shown if not character.isprintable()}
    assert "\\u202e" in shown and "\\x1b" in shown
    assert pikepdf.open(io.BytesIO((out / "dossier.pdf").read_bytes())).check_pdf_syntax() == []


def test_french_and_english(lost: Bed) -> None:
    for language in ("fr", "en"):
        out, _ = make(lost, "--device", "1", "--lang", language, name=f"langue-{language}")
        assert str(pikepdf.open(out / "dossier.pdf").Root.Lang) == language
    french = (out / "notification-article-33.fr.txt").read_text()
    assert "[à compléter]" in french and "Catégories de données" in french
    assert "[to be completed]" in (out / "notification-article-33.en.txt").read_text()


def test_one_document_and_a_time(lost: Bed) -> None:
    held = next(name for name in lost.listed() if name.endswith(".age"))
    _, dossier = make(lost, "--document", held, name="document")
    assert [document["held"] for document in dossier["facts"]["documents"]] == [held]
    _, dossier = make(lost, "--between", "2020-01-01", "2099-12-31", name="temps")
    assert len(dossier["facts"]["documents"]) == 7 and len(dossier["facts"]["sticks"]) == 2
    _, dossier = make(lost, "--between", "2020-01-01", "2020-12-31", name="vide")
    assert dossier["facts"]["documents"] == [] and dossier["proof"] is None


def test_a_copy_of_the_log_on_another_computer(lost: Bed) -> None:
    archive = lost.base / "archive"
    shutil.copytree(lost.agent.data / "audit", archive, ignore=shutil.ignore_patterns("start.key", "private"))
    done = subprocess.run(
        [*COMMAND, "audit", "dossier", "--device", "1", "--log", str(archive), "--out", str(lost.base / "ailleurs"),
         "--config", str(lost.base / "nobody.toml")],
        capture_output=True, text=True, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode != 0  # a configuration that is not there is said, not passed over
    config = lost.base / "other.toml"
    config.write_text(f'[agent]\ndata_dir = "{lost.base}/none"\nruntime_dir = "{lost.base}/none"\n')
    done = subprocess.run(
        [*COMMAND, "audit", "dossier", "--device", "1", "--log", str(archive), "--out", str(lost.base / "ailleurs"),
         "--config", str(config), "--json"],
        capture_output=True, text=True, check=False, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["signed"], said["proved"], said["intact"]) == (False, True, True)
    dossier = json.loads((lost.base / "ailleurs/dossier.json").read_bytes())
    assert dossier["made"]["by"] == "offline" and dossier["facts"]["policies"][0]["sentences"]
    checked = lost.agent.command("audit", "dossier", "--check", str(lost.base / "ailleurs/dossier.json"), "--json")
    assert checked.returncode == 0 and json.loads(checked.stdout)["signed"] is False


def test_somebody_else_gets_the_own_records_alone(lost: Bed) -> None:
    where = lost.base / "personne"
    where.mkdir()
    os.chown(where, NOBODY, NOBODY)
    words = ["audit", "dossier", "--between", "2020-01-01", "2099-12-31", "--names", "--json", "--lang", "en"]
    words += ["--config", str(lost.agent.config), "--out", str(where / "dossier")]
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *words], cwd=CHECKOUT, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["documents"], said["intact"], said["signed"]) == (0, None, True)
    dossier = json.loads((where / "dossier/dossier.json").read_bytes())
    assert dossier["log"]["whole"] is False and dossier["made"]["by"] == "owner" and dossier["facts"]["sticks"] == []
    assert lost.agent.records("dossier")[-1]["by"] == "owner"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--device", "99"), 64),
        (("--document", "none"), 64),
        (("--between", "2026-02-30", "2026-03-01"), 64),
        (("--between", "2026-03-02", "2026-03-01"), 64),
        (("--check", "/nonexistent"), 2),
        (("--device", "1", "--document", "2"), 64),
    ],
)
def test_what_is_refused_leaves_nothing(lost: Bed, words: tuple[str, ...], code: int) -> None:
    before = set(os.listdir(lost.base))
    done = lost.agent.command(
        "audit", "dossier", *words, *(() if "--check" in words else ("--out", str(lost.base / "rien")))
    )
    assert done.returncode == code and "hint" in done.stderr.lower() or done.returncode == code
    assert set(os.listdir(lost.base)) == before


def test_a_folder_that_is_there_is_left_alone(lost: Bed) -> None:
    there = lost.base / "deja"
    there.mkdir()
    (there / "dossier.json").write_text("mine")
    done = lost.agent.command("audit", "dossier", "--device", "1", "--out", str(there))
    assert done.returncode == 64 and (there / "dossier.json").read_text() == "mine"
