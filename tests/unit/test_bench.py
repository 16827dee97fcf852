"""``python -m bench``: misses come first, a suite that fails is a line, the JSON holds what was printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.measure import Figure
from bench.suites import BY_TESTS, SUITES


def described(name: str, value: float, budget: float | None, *, at_least: bool = False) -> dict[str, object]:
    return {"suite": "x", **Figure(name, value, "ms", budget, at_least).as_dict()}


def test_misses_come_first() -> None:
    lines = bench.table([described("none", 1, None), described("kept", 1, 2), described("missed", 1, 2, at_least=True)])
    assert [line.split()[:2] for line in lines] == [["✗", "missed"], ["✓", "kept"], ["none", "1"]]


def test_a_suite_that_fails_is_a_line_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUITES, "nonsense", (list, 30.0))  # known here, unknown to the process that runs it
    figures, failed = bench.measure(["nonsense"])
    assert figures == []
    assert "nonsense" in failed["nonsense"]


def test_a_suite_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TOTAL_S", 0.0)  # at least one second is given; the idle agent takes a minute
    assert bench.measure(["resident"]) == ([], {"resident": "took too long"})


def test_what_tests_keep_is_said_with_all_and_only_then(checkout: Path) -> None:
    machine = bench.describe_machine()
    everything = "\n".join(bench.closing(list(SUITES), {}, machine))
    assert all(row in everything and (checkout / test).is_file() for row, test in BY_TESTS.items())
    few = "\n".join(bench.closing(["audit"], {}, machine))
    assert not any(row in few for row in BY_TESTS)


def test_one_suite_runs_and_is_written_down(tmp_path: Path, checkout: Path) -> None:
    command = [sys.executable, "-m", "bench", "policy", "--json", str(tmp_path / "figures.json")]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    written = json.loads((tmp_path / "figures.json").read_text("utf-8"))
    assert {figure["suite"] for figure in written["figures"]} == {"policy"}
    assert all(figure["name"] in done.stdout for figure in written["figures"])


def test_an_unknown_name_is_refused(checkout: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "audits"], cwd=checkout, capture_output=True, check=False)
    assert done.returncode == 2
