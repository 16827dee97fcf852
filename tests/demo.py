"""``make demo``: a scratch stick, a sync folder and a download folder; a dozen invented documents; what happened to each.

Everything is real: a loop device as root (else a folder), the agent with the ``enforce`` policy, the embedded
collector. Everything is gone afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.errors import N_
from agent.ui import wording
from agent.ui.terminal import Terminal
from tests.invented import documents
from tests.running import RunningAgent, loop_volume, wait_for

PLACEHOLDER_PREFIX = "Serment"


@contextlib.contextmanager
def stick(base: Path, terminal: Terminal) -> Iterator[Path]:
    """A real volume when we may make one; a folder that is guarded like one otherwise."""
    with contextlib.ExitStack() as stack:
        volume = _loop(stack, base) if os.getuid() == 0 else None
        if volume is None:
            terminal.line(terminal.translate(N_("(no loop device here: a folder stands for the stick)")))
            volume = base / "stick"
            volume.mkdir()
        yield volume


def _loop(stack: contextlib.ExitStack, base: Path) -> Path | None:
    try:
        return stack.enter_context(loop_volume(base))
    except (OSError, subprocess.CalledProcessError):
        return None


def main() -> int:
    terminal = Terminal()
    with tempfile.TemporaryDirectory(prefix="serment-demo-") as name:
        base = Path(name)
        base.chmod(0o755)
        with stick(base, terminal) as volume:
            cloud, downloads = base / "Nextcloud", base / "Downloads"
            cloud.mkdir()
            downloads.mkdir()
            agent = RunningAgent(base, [volume], [cloud], [downloads])
            agent.start()
            try:
                return play(agent, {"removable": volume, "cloud_sync": cloud, "downloads": downloads}, terminal)
            finally:
                agent.stop()


def play(agent: RunningAgent, places: dict[str, Path], terminal: Terminal) -> int:
    """Drop every document into every place, one after another, and print what became of it."""
    translate = terminal.translate
    seen: set[str] = set()
    for channel, folder in places.items():
        terminal.line()
        terminal.line(wording.labelled(translate(wording.CHANNELS[channel]), str(folder), translate))
        for name, content in documents().items():
            before = len(agent.records())
            (folder / name).write_bytes(content)
            record, outcome = _what_happened(agent, before, channel)
            seen.add(record["decision"])
            terminal.line("  " + _line(name, record, outcome, translate))
    terminal.line()
    terminal.line(translate(N_("What lies there now:")))
    for folder in places.values():
        terminal.line("  " + wording.labelled(str(folder), ", ".join(sorted(os.listdir(folder))), translate))
    for command in (("quarantine", "list"), ("audit", "verify"), ("status",)):
        terminal.line()
        terminal.line(f"$ serment {' '.join(command)}")
        terminal.line(agent.command(*command).stdout.rstrip())
    wait_for(lambda: agent.status()["audit"]["acknowledged"] >= len(agent.records()), 60)
    missing = {"observe", "inform", "encrypt", "block"} - seen
    if missing:
        named = ", ".join(translate(wording.DECISIONS[decision]) for decision in sorted(missing))
        terminal.error(translate(N_("these actions did not happen: {named}")).format(named=named))
    return 1 if missing else 0


def _what_happened(agent: RunningAgent, before: int, channel: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    def closed() -> tuple[dict[str, Any], dict[str, Any] | None] | None:
        new = agent.records()[before:]
        for record in new:
            if record["k"] == "transfer" and record["channel"] == channel and record.get("kind") != "sealed":
                if not record.get("act"):
                    return record, None
                for outcome in new:
                    if outcome["k"] == "outcome" and outcome["of"] == record["i"]:
                        return record, outcome
        return None

    return wait_for(closed)


def _line(name: str, record: dict[str, Any], outcome: dict[str, Any] | None, translate: wording.Translate) -> str:
    kind = translate(wording.KINDS[record["kind"]]) if record["judgement"] == "medical" else ""
    judged = kind or translate(wording.JUDGEMENTS[record["judgement"]])
    done = translate(wording.DECISIONS[record["decision"]])
    if outcome is not None and outcome["result"] != "done":
        done += f" ({wording.word(wording.RESULTS, outcome['result'], translate)})"
    return f"{name:<22} {judged:<46} → {done}"


if __name__ == "__main__":
    if shutil.which("mount") is None:
        print("hint: apt-get install mount", file=sys.stderr)
    sys.exit(main())
