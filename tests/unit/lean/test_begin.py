"""What a resident process does not load, and that it loads what it then wants."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.running import CHECKOUT

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
     "agent.daemon.reviewing.desk", "agent.daemon.dossier_requests", "concurrent.futures", "importlib.resources",
     "tomllib", "agent.daemon.airlock", "agent.daemon.gate_process", "agent.gates.gate.questions",
     "agent.gates.gate.folders", "agent.gates.holder", "agent.gates.takeover.mounting", "agent.fleet.identity",
     "agent.daemon.fleet_sync", "agent.transport.wire", "pyudev"],
)  # fmt: skip
def test_the_agent_does_not_load(unwanted: str) -> None:
    assert (
        run(f"import {_AGENT}, agent.daemon.answering, agent.daemon.collecting\nprint({unwanted!r} in sys.modules)")
        == "False"
    )


@pytest.mark.parametrize(
    "unwanted", ["argparse", "agent.config", "tomllib", "ctypes", "agent.policy.schema", "inspect"]
)
def test_the_helper_does_not_keep(unwanted: str) -> None:
    text = "from pathlib import Path\nfrom agent.helper import main\nmain._socket(None)\n"
    text += "import agent.helper.app\n"
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


def test_what_was_put_off_can_be_let_go_and_wanted_again() -> None:
    text = "import shutil\nshutil.which('sh')\nlean.let_go('shutil')\nprint('shutil' in sys.modules)\n"
    assert run(text + "print(shutil.which('sh') is not None, 'shutil' in sys.modules)").split() == [
        "False", "True", "True",
    ]  # fmt: skip


def test_what_another_thread_loads_just_now_is_not_let_go() -> None:
    text = "import colorsys\ncolorsys.__spec__._initializing = True\nlean.let_go('colorsys')\n"
    assert run(text + "print('colorsys' in sys.modules)") == "True"


ALONE = "import sys\nsys.path[:0] = {paths!r}\nfrom agent import lean\nlean.begin()\n"
"""An interpreter as the package has it: without the finder of an editable installation, which loads half of this."""


def alone(text: str) -> str:
    paths = [str(CHECKOUT), *(path for path in sys.path if path.endswith("site-packages"))]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ALONE.format(paths=paths) + text], capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_agent_needs_neither_addresses_nor_a_log_of_libraries() -> None:
    names = "('ipaddress', 'logging', 'platform', 'urllib.parse')"
    text = f"import {_AGENT}\nloaded = [name for name in {names} if name in sys.modules]\n"
    assert alone(text + "print([name for name in loaded if not isinstance(sys.modules[name], lean.Later)])") == "[]"


def test_an_address_is_read_as_ever() -> None:
    text = "import pathlib, urllib.parse\nfrom urllib.parse import urlsplit\n"
    text += "print(type(sys.modules['urllib.parse']).__name__, pathlib.Path('/a b').as_uri())\n"
    text += "print(urlsplit('https://a.example:8/b').port, urllib.parse.quote('c d'), type(sys.modules['urllib.parse']).__name__)"
    assert alone(text).split() == ["Addresses", "file:///a%20b", "8", "c%20d", "module"]


def test_a_library_that_has_something_to_say_is_heard() -> None:
    text = "import logging\nlogger = logging.getLogger('a.library')\nlogger.debug('not %s', 'this')\n"
    text += "print(type(sys.modules['logging']).__name__)\nlogger.warning('this %s', 1)\n"
    text += "import logging as real\nprint(type(real).__name__, real.getLogger('a.library').name)\n"
    text += "real.basicConfig(stream=sys.stdout, level=real.DEBUG, format='%(message)s')\nlogger.debug('and that')"
    assert alone(text).split() == ["Logging", "module", "a.library", "and", "that"]


def test_the_system_is_the_one_it_is() -> None:
    said = alone("import platform, uuid\nprint(platform.system(), type(platform).__name__, platform.python_version())")
    assert said.split() == [platform.system(), "Platform", platform.python_version()]


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


def test_the_agent_watches_without_what_observers_of_all_sorts_need() -> None:
    text = "from agent.channels.watch import Watcher\nwatcher = Watcher(print)\nwatcher._reader()\nwatcher.stop()\n"
    names = "('watchdog.events', 'watchdog.observers.api', 'watchdog.observers.inotify')"
    assert run(text + f"print([name for name in {names} if name in sys.modules])") == "[]"


def test_observers_are_there_when_they_are_wanted() -> None:
    text = "import watchdog.observers\nfrom watchdog.observers import inotify_c\n"
    text += "print(watchdog.observers.Observer.__name__, inotify_c.InotifyFD.__name__)"
    assert run(text).split() == ["InotifyObserver", "InotifyFD"]


def test_garbage_is_looked_for_again_once_the_start_is_over() -> None:
    assert run("import gc\nbefore = gc.isenabled()\nlean.begun()\nprint(before, gc.isenabled())") == "False True"
