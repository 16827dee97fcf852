"""The comparison with the peers comes to its end: the same sample each time, and a peer that is late is a line."""

import json
import stat
from pathlib import Path

from bench import detection, peers


def test_the_sample_is_bounded_and_the_same_in_every_run(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.jsonl"
    rows = [{"path": f"{number}.txt"} for number in range(50)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    few = peers.sample(manifest, 10)
    manifest.write_text("".join(json.dumps(row) + "\n" for row in reversed(rows)))
    assert len(few) == 10
    assert peers.sample(manifest, 10) == few
    assert len(peers.sample(manifest, 0)) == 50


def _interpreter(folder: Path, script: str) -> Path:
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def _ask(folder: Path, script: str, seconds: float) -> dict[str, object]:
    rows = [{"path": f"{number}.txt", "label": "medical", "identified": True, "kind": ""} for number in range(6)]
    texts = {row["path"]: "dyspnée" for row in rows}
    return peers._Learned(_interpreter(folder, script), folder, seconds).ask("a peer", "linear", rows, texts)


def test_a_peer_that_is_not_done_in_time_is_a_line_that_says_so(tmp_path: Path) -> None:
    assert "not done after 1 s" in str(_ask(tmp_path, "exec sleep 600", 1.0)["missing"])


def test_a_peer_that_fails_is_a_line_with_its_last_word(tmp_path: Path) -> None:
    assert _ask(tmp_path, "echo no such model >&2; exit 3", 60.0)["missing"] == "no such model"


def test_the_answers_of_a_peer_become_its_figures(tmp_path: Path) -> None:
    answers = {"answers": {f"{number}.txt": number < 3 for number in range(6)}, "ms": [1.0, 3.0]}
    line = _ask(tmp_path, f"echo '{json.dumps(answers)}'", 60.0)
    assert line["recall, identified"] == (3, 6)
    assert line["mean_ms"] == 2.0


def test_what_is_chosen_to_mislead_is_told_by_the_manifest_else_by_the_kind() -> None:
    assert detection.is_hard({"hard": True, "kind": "note"})
    assert not detection.is_hard({"hard": False, "kind": "course"})
    assert detection.is_hard({"kind": "course"})
    assert not detection.is_hard({"kind": "note"})
