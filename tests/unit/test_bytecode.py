"""Bytecode as the packages carry it: without documentation, otherwise what the source says, and the same each time."""

from __future__ import annotations

import importlib.util
import marshal
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.running import CHECKOUT

TOOL = CHECKOUT / "packaging/build/bytecode.py"
SOURCE = '''"""A module."""
from __future__ import annotations

class Empty:
    """Nothing but this."""

class Full:
    """Much."""
    "more"
    kind = "full"

    def say(self):
        """Says."""
        return """no documentation"""

    async def wait(self):
        """Waits."""

def only():
    """Only this."""

def check(given):
    "Refuses."
    assert given, "an assert stays"

lines = [each.__code__.co_firstlineno for each in (Full.say, only, check)]
'''


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bytecode", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tree(base: Path) -> Path:
    site = base / "opt/x/lib/python3.11/site-packages"
    for name in ("agent", "alembic"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(SOURCE, encoding="utf-8")
    (site / "agent/template.py").write_text("class {{ name }}:\n", encoding="utf-8")
    subprocess.run(
        [sys.executable, "-I", "-X", "no_debug_ranges", TOOL, base, site, base / "opt"],
        check=True, env={"PYTHONHASHSEED": "0"},
    )  # fmt: skip
    return site


def asked(site: Path, text: str) -> str:
    """``text`` in an interpreter that finds the tree's modules, and their bytecode alone: sources say otherwise now."""
    for path in site.rglob("*.py"):
        path.write_text("raise SystemExit('the source was read')\n", encoding="utf-8")
    command = [sys.executable, "-I", "-c", f"import sys\nsys.path.insert(0, {str(site)!r})\n{text}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_documentation_is_gone_and_the_rest_is_there(tmp_path: Path) -> None:
    text = "from agent import *\nimport agent\n"
    text += "print([each.__doc__ for each in (agent, Empty, Full, Full.say, Full.wait, only, check)])\n"
    text += "print(Full().say(), Full.kind, only(), lines)"
    assert asked(tree(tmp_path), text).splitlines() == [str([None] * 7), "no documentation full None [12, 19, 22]"]


def test_asserts_stay(tmp_path: Path) -> None:
    assert asked(tree(tmp_path), "from agent import check\ncheck(0)") == "AssertionError: an assert stays"


def test_libraries_that_may_read_it_keep_it(tmp_path: Path) -> None:
    text = "import alembic\nprint(alembic.__doc__, alembic.only.__doc__)"
    assert asked(tree(tmp_path), text) == "A module. Only this."


def test_it_bears_the_name_of_where_it_will_lie_and_no_columns(tmp_path: Path) -> None:
    (made,) = (tree(tmp_path) / "agent").rglob("*.pyc")
    raw = made.read_bytes()
    code = marshal.loads(raw[16:])
    assert raw[4:8] == bytes((1, 0, 0, 0))  # by digest, unchecked
    assert code.co_filename == "/opt/x/lib/python3.11/site-packages/agent/__init__.py"
    assert {each[2] for each in code.co_positions()} == {None}


def test_twice_is_the_same(tmp_path: Path) -> None:
    one, other = (tree(tmp_path / name) for name in ("a", "much/longer"))
    found = [path.relative_to(one) for path in sorted(one.rglob("*.pyc"))]
    assert len(found) == 2
    assert [(one / path).read_bytes() for path in found] == [(other / path).read_bytes() for path in found]


def test_the_sources_of_the_standard_library_and_ours_are_silent(tool: ModuleType) -> None:
    assert tool.is_silent(Path("/opt/serment/python/lib/python3.11/json/decoder.py"))
    assert tool.is_silent(Path("/opt/serment/lib/python3.11/site-packages/agent/model.py"))
    assert not tool.is_silent(Path("/opt/serment/lib/python3.11/site-packages/pycparser/c_parser.py"))


def test_nothing_of_ours_reads_documentation() -> None:
    words = re.compile(r"__doc__|getdoc\(|cleandoc\(|-OO?\b.*python")
    found = [
        str(path) for name in ("agent", "collector") for path in (CHECKOUT / name).rglob("*.py")
        if words.search(path.read_text(encoding="utf-8"))
    ]  # fmt: skip
    assert found == []
