"""The commands in the documents: each is understood by the command's own parser, and what only looks is run."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from collections.abc import Iterator

import pytest

from agent.ui.cli import commands as main
from agent.ui.terminal import Terminal
from tests.invented import LETTER
from tests.running import CHECKOUT, COMMAND, RunningAgent

DOCUMENTS = [
    CHECKOUT / "README.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
    *sorted(CHECKOUT.glob("policies/**/*.md")),
]
BLOCK = re.compile(r"^```(?:console|sh|)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# These look and change nothing; what they may end with (a weakness that doctor finds, a letter that scan finds).
LOOKS = {
    ("scan",): {0, 1}, ("status",): {0}, ("doctor",): {0, 1}, ("policy", "lint"): {0}, ("policy", "test"): {0},
    ("policy", "explain"): {0}, ("audit", "list"): {0}, ("audit", "verify"): {0}, ("audit", "mine"): {0},
    ("quarantine", "list"): {0}, ("keys", "status"): {0}, ("held",): {0}, ("month",): {0},
}  # fmt: skip


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every line « $ serment … » with its document."""
    for document in DOCUMENTS:
        for block in BLOCK.findall(document.read_text("utf-8")):
            for line in re.sub(r"\\\n(?:> )?\s*", "", block).splitlines():  # a long one goes on in the next line
                found = re.match(r"^(?:\$ )?(?:sudo )?(?:\.venv/bin/)?(serment) (.*)$", line)
                if found and ("$ " in line[:2] or document.name == "README.md"):
                    words = shlex.split(found[2].split("  ")[0], comments=True)
                    yield document.name, words


ALL = sorted(
    {(name, " ".join(words)) for name, words in commands() if "COMMAND" not in words and "|" not in " ".join(words)}
)
RUN = sorted({text for _, text in ALL if any(tuple(text.split()[: len(key)]) == key for key in LOOKS)})


def test_the_documents_have_commands() -> None:
    assert len(ALL) > 40
    assert {name for name, _ in ALL} >= {
        "README.md",
        "quick-start.md",
        "demarrage-rapide.md",
        "admin-guide.md",
        "troubleshooting.md",
    }
    assert len(RUN) > 12


@pytest.mark.parametrize(("document", "text"), ALL, ids=lambda value: value)
def test_a_command_is_one_that_exists(document: str, text: str) -> None:
    words = [word.replace("age1…", "age1x") for word in text.split()]
    if "…" in text or "FILE" in words:
        words = [word.replace("…", "x") for word in words]
    chosen = next((word for word in words if word in main.COMMANDS), None)
    parser: argparse.ArgumentParser = main._parser(Terminal("en"), chosen)
    if "--help" in words:
        words.remove("--help")
        with pytest.raises(SystemExit) as ended:
            parser.parse_args([*words, "--help"])
        assert ended.value.code == 0
        return
    assert parser.parse_args(words).command == chosen or words == ["--version"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAgent]:
    base = tmp_path_factory.mktemp("documents")
    (base / "home/Documents").mkdir(parents=True)
    for name in ("home/Documents/letter.txt", "letter.pdf"):
        (base / name).write_text(LETTER, "utf-8")
    agent = RunningAgent(base, downloads=[base / "downloads"])
    (base / "downloads").mkdir()
    (base / "my-policy.yaml").write_bytes((CHECKOUT / "agent/policy/profiles/enforce.yaml").read_bytes())
    agent.start()
    try:
        yield agent
    finally:
        agent.stop()


@pytest.mark.parametrize("text", RUN)
def test_what_only_looks_is_run(world: RunningAgent, text: str) -> None:
    home = world.base / "home"
    words = [word.replace("~", str(home)) for word in text.split()]
    words = [str(world.base / word) if word in {"letter.pdf", "my-policy.yaml"} else word for word in words]
    key = next(key for key in LOOKS if tuple(words[: len(key)]) == key)
    if key[0] not in {"scan", "policy"}:
        words[len(key) : len(key)] = ["--config", str(world.config)]
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, cwd=CHECKOUT, timeout=120)
    assert done.returncode in LOOKS[key], (words, done.stdout[-500:], done.stderr[-500:])
    assert "Traceback" not in done.stderr
