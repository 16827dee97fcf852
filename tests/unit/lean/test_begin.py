"""What a resident process does not load, and that it loads what it then wants."""

from __future__ import annotations

import subprocess
import sys

import pytest

_AGENT = "agent.ui.cli.resident"


def run(text: str) -> str:
    """``text`` in an interpreter of its own that began lean."""
    done = subprocess.run(
        [sys.executable, "-c", f"from agent import lean\nlean.begin()\nimport sys\n{text}"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    "unwanted",
    ["argparse", "ast", "gettext", "inspect", "yaml", "agent.policy.parser", "agent.policy.lint", "agent.ui.wording",
     "agent.daemon.reviewing.desk", "agent.daemon.dossier_requests", "concurrent.futures"],
)  # fmt: skip
def test_the_agent_does_not_load(unwanted: str) -> None:
    assert run(f"import {_AGENT}, agent.daemon.answering\nprint({unwanted!r} in sys.modules)") == "False"


@pytest.mark.parametrize(
    "unwanted", ["argparse", "agent.config", "tomllib", "ctypes", "agent.policy.schema", "inspect"]
)
def test_the_helper_does_not_keep(unwanted: str) -> None:
    text = "from pathlib import Path\nfrom agent.helper import main\nmain._socket(None)\n"
    text += "lean.let_go('agent.config', 'tomllib')\nimport agent.helper.app\n"
    said = run(
        text + f"found = sys.modules.get({unwanted!r})\nprint(found is not None and type(found) is not lean.Later)"
    )
    assert said == "False"


def test_what_is_put_off_is_there_when_it_is_wanted() -> None:
    text = "import shutil, traceback\nprint(type(shutil) is lean.Later, shutil.which('sh') is not None)\n"
    text += "try:\n    1 / 0\nexcept ZeroDivisionError:\n    print('ZeroDivisionError' in traceback.format_exc())\n"
    text += "try:\n    shutil.rmtree\n    raise shutil.Error('x')\nexcept shutil.Error as error:\n    print(error)"
    assert run(text).split() == ["True", "True", "True", "x"]


def test_what_is_put_off_and_lacks_something_says_so() -> None:
    text = (
        "import shutil\ntry:\n    shutil.nonsense\nexcept AttributeError as error:\n    print('shutil' in str(error))"
    )
    assert run(text) == "True"


def test_threads_that_want_it_at_the_same_moment_all_get_it() -> None:
    text = "import shutil, threading\nfound, gate = [], threading.Barrier(8)\n"
    text += "def want():\n    gate.wait()\n    found.append(shutil.which)\n"
    text += "threads = [threading.Thread(target=want) for _ in range(8)]\n"
    text += "[each.start() for each in threads]\n[each.join() for each in threads]\nprint(len(found), len(set(found)))"
    assert run(text) == "8 1"


def test_what_was_let_go_is_loaded_anew() -> None:
    text = "import tomllib\nlean.let_go('tomllib')\nprint('tomllib' in sys.modules)\n"
    assert run(text + "import tomllib as again\nprint(again.loads('a = 1'))").split("\n") == ["False", "{'a': 1}"]


def test_dates_are_what_they_were() -> None:
    text = "import datetime, pickle, sqlite3\nday = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)\n"
    text += (
        "print(day.isoformat(), pickle.loads(pickle.dumps(day)) == day, datetime.date.fromisoformat('2026-11-22').year)"
    )
    assert run(text) == "2026-11-22T00:00:00+00:00 True 2026"


def test_nothing_is_replaced_in_a_process_that_has_it_already() -> None:
    text = "import dataclasses, shutil, sys\nfrom agent import lean\nlean.begin()\n"
    done = subprocess.run(
        [sys.executable, "-c", text + "print(sys.modules['dataclasses'] is dataclasses, sys.modules['shutil'] is shutil)"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "True"]
