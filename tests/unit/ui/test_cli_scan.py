"""``serment scan`` as a person and as a script use it: exit codes, JSON, both languages, hostile names, odd files."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.ui.cli import main as command
from tests.conftest import HOSTILE_NAMES
from tests.invented import LETTER, MENU, encrypted_zip
from tests.running import COMMAND

KEYS = {
    "path", "verdict", "kind", "confidence", "identified", "patients", "test_data", "findings", "reason", "ms",
}  # fmt: skip


def serment(*words: str | bytes, language: str = "en", **more: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"LANGUAGE": language}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=120, check=False, env=environment, **more
    )  # type: ignore[call-overload,no-any-return]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    for name, content in {
        "letter.txt": LETTER.encode(),
        "menu.txt": MENU.encode(),
        "held.zip": encrypted_zip(),
    }.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["menu.txt"], 0), (["letter.txt"], 1), (["held.zip"], 2), (["held.zip", "menu.txt"], 2),
        (["held.zip", "letter.txt"], 1), (["."], 1), (["gone.txt"], 64), (["menu.txt", "gone.txt"], 64), ([], 64),
        (["menu.txt", "--jobs", "0"], 64), (["menu.txt", "--jobs", "many"], 64), (["menu.txt", "--frob"], 64),
    ],
)  # fmt: skip
def test_exit_codes(papers: Path, names: list[str], code: int) -> None:
    done = serment("scan", *names, cwd=papers)
    assert done.returncode == code, done.stdout + done.stderr
    if code == 64:
        assert done.stdout == ""
        assert done.stderr.startswith("serment: ")
        assert "Traceback" not in done.stderr


def test_an_error_of_ours_is_70_and_tells_no_text(
    papers: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_given: object) -> None:
        raise ValueError("Odette VERNICOURT")

    monkeypatch.setattr("agent.ui.cli.scan._show", broken)
    assert command.main(["scan", str(papers / "letter.txt")]) == 70
    complaint = capfd.readouterr().err
    assert "an error of ours: ValueError at " in complaint
    assert "VERNICOURT" not in complaint


def test_a_full_disk_under_the_output_is_70(papers: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*COMMAND, "scan", papers], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 70
    assert "hint: " in done.stderr


def test_json_keys_are_the_contract(papers: Path) -> None:
    done = serment("scan", "--json", papers)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(item["path"]).name for item in found] == ["held.zip", "letter.txt", "menu.txt"]
    assert {item["verdict"] for item in found} == {"medical", "not_medical", "undecidable"}
    letter = found[1]
    assert set(letter) >= KEYS
    assert letter["kind"] == "clinical-note"
    assert letter["identified"] is True
    assert letter["test_data"] is False
    assert letter["patients"] == 1
    assert 0.5 < letter["confidence"] <= 1
    assert letter["ms"] > 0
    assert letter["findings"]
    assert all({"type", "count", "where"} <= set(item) for item in letter["findings"])


def test_explained_values_are_masked(papers: Path) -> None:
    for words in (["--explain"], ["--explain", "--json"], []):
        shown = serment("scan", *words, papers / "letter.txt").stdout
        assert "VERNICOURT" not in shown
        assert "284057800608" not in shown.replace(" ", "")
    assert "birth date" in serment("scan", "--explain", papers / "letter.txt").stdout


def test_both_languages(papers: Path) -> None:
    english = serment("scan", "letter.txt", cwd=papers).stdout
    french = serment("scan", "letter.txt", cwd=papers, language="fr").stdout
    assert english.startswith("medical       letter.txt: a clinical letter or report about a person")
    assert "certainty 9" in english
    assert french.startswith("médical       letter.txt\u00a0: un courrier ou compte rendu clinique")
    assert french.rstrip().endswith("\u00a0%)")
    assert serment("scan", "letter.txt", "--lang", "fr", cwd=papers).stdout == french
    assert serment("--lang", "fr", "scan", "letter.txt", cwd=papers).stdout == french
    complaint = serment("scan", "gone.txt", cwd=papers, language="fr").stderr
    assert complaint.startswith("serment: gone.txt\u00a0: ne peut pas être lu\u00a0: aucun fichier")
    assert "\nconseil\u00a0: " in complaint
    assert "No such file" not in complaint


def test_hostile_names_are_shown_escaped_and_given_whole_in_json(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/names"
    os.mkdir(folder)
    for name in HOSTILE_NAMES:
        Path(os.fsdecode(folder + b"/" + name)).write_text(MENU, "utf-8")
    shown = serment("scan", folder)
    assert shown.returncode == 0
    assert len(shown.stdout.splitlines()) == len(HOSTILE_NAMES)
    assert all(line.isprintable() for line in shown.stdout.splitlines())
    listed = serment("scan", "--json", folder).stdout.splitlines()
    names = {os.path.basename(os.fsencode(json.loads(line)["path"])) for line in listed}
    assert names == set(HOSTILE_NAMES)


def test_names_that_look_like_options(tmp_path: Path) -> None:
    for name in ("-rf", "--help.txt", "--json"):
        (tmp_path / name).write_text(MENU, "utf-8")
    assert serment("scan", "--", "-rf", "--help.txt", "--json", cwd=tmp_path).stdout.count("not medical") == 3
    assert serment("scan", "./-rf", cwd=tmp_path).returncode == 0
    refused = serment("scan", "-rf", cwd=tmp_path)
    assert refused.returncode == 64


def test_an_option_after_the_double_dash_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "--lang").write_text(MENU, "utf-8")
    (tmp_path / "fr").write_text(MENU, "utf-8")
    done = serment("scan", "--", "--lang", "fr", cwd=tmp_path)
    assert done.stdout.splitlines()[0].startswith("not medical   --lang: ")


def test_what_is_no_file_is_undecidable_and_never_blocks(papers: Path) -> None:
    os.mkfifo(papers / "pipe")
    (papers / "link").symlink_to("letter.txt")
    (papers / "nowhere").symlink_to("gone.txt")
    done = serment("scan", "--json", "pipe", "/dev/zero", "link", cwd=papers)
    verdicts = [json.loads(line)["verdict"] for line in done.stdout.splitlines()]
    assert verdicts == ["undecidable", "undecidable", "medical"]
    assert serment("scan", "nowhere", cwd=papers).returncode == 64
    below = [json.loads(line)["path"] for line in serment("scan", "--json", ".", cwd=papers).stdout.splitlines()]
    assert below == ["./held.zip", "./letter.txt", "./menu.txt"]  # links and pipes inside folders are passed over


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: to become somebody who may not read")
def test_a_folder_that_cannot_be_listed_is_said(papers: Path) -> None:
    closed = papers / "closed"
    closed.mkdir(mode=0o700)
    papers.chmod(0o755)
    script = (
        "import os, sys; from agent.ui.cli.scan import _files; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
        "print([name for name in _files([(os.fsencode(sys.argv[1]), True)])])"
    )
    base = Path("/tmp") / f"serment-closed-{os.getpid()}"
    base.mkdir(mode=0o755)
    try:
        (base / "closed").mkdir(mode=0o700)
        (base / "open.txt").write_text("x")
        done = subprocess.run([sys.executable, "-c", script, base], capture_output=True, text=True, check=True)
    finally:
        (base / "open.txt").unlink()
        (base / "closed").rmdir()
        base.rmdir()
    assert "closed'" in done.stdout
    assert "open.txt'" in done.stdout


def test_a_folder_of_any_depth_ends(tmp_path: Path) -> None:
    home = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(tmp_path)
        for _level in range(1200):
            os.mkdir("d" * 5)
            os.chdir("d" * 5)
        Path("letter.txt").write_text(LETTER, "utf-8")
    finally:
        os.fchdir(home)
        os.close(home)
    try:
        done = serment("scan", tmp_path)
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "ddddd"], check=False)
    assert done.returncode == 2  # deeper than a path may be long: not looked at, and said
    assert "could not be judged" in done.stdout


def test_two_thousand_small_files_in_little_memory(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number:04d}.txt").write_text(f"{MENU}\n{number}", "utf-8")

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    reader, writer = os.pipe()
    script = (
        "import os, re, sys; from agent.ui.cli.main import main; code = main(['scan', sys.argv[1]]); "
        "peak = re.search(r'VmHWM:\\s*([0-9]+)', open('/proc/self/status').read())[1]; "  # ru_maxrss is the parent's too
        f"os.write({writer}, peak.encode()); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, text=True, timeout=120, check=False,
        preexec_fn=limits, pass_fds=[writer],
    )  # fmt: skip
    os.close(writer)
    with os.fdopen(reader) as told:
        peak_kib = int(told.read())
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 2000
    assert [line.split(": ")[0][-8:] for line in lines] == [f"{number:04d}.txt" for number in range(2000)]
    assert peak_kib < 100 * 1024


def test_nobody_listens_any_more(papers: Path) -> None:
    for number in range(200):
        (papers / f"{number}.txt").write_text(LETTER, "utf-8")
    process = subprocess.Popen([*COMMAND, "scan", papers], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    complaint = process.stderr.read()
    assert process.wait(30) == 141
    assert complaint == b""


def test_interrupted_by_the_keyboard(papers: Path) -> None:
    for number in range(300):
        (papers / f"{number}.txt").write_text(LETTER, "utf-8")
    process = subprocess.Popen(
        [*COMMAND, "scan", papers], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to everybody in the foreground
    _shown, complaint = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in complaint
    with pytest.raises(ProcessLookupError):  # no reader is left behind
        os.killpg(process.pid, 0)


def test_output_to_nowhere_and_to_an_old_terminal(papers: Path) -> None:
    closed = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "scan", papers / "menu.txt"], check=False)
    assert closed.returncode == 0
    old = subprocess.run(
        [*COMMAND, "--lang", "fr", "scan", papers / "letter.txt"], capture_output=True, check=False,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert old.returncode == 1
    assert old.stdout.startswith(rb"m\xe9dical")
