"""The package of the collector has every library that its code asks for, be it only when somebody asks for a passkey."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
LOCK = CHECKOUT / "packaging" / "requirements" / "collector.txt"


def imported(path):
    """Names of modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def source(module):
    for path in (CHECKOUT / (module.replace(".", "/") + ".py"), CHECKOUT / module.replace(".", "/") / "__init__.py"):
        if path.exists():
            return path
    return None


def test_every_library_is_in_the_lock_file():
    own = {name for path in (CHECKOUT / "collector").rglob("*.py") for name in imported(path)}
    shared = {
        name for module in own if module.startswith("agent.") and (path := source(module)) for name in imported(path)
    }
    wanted = {name.split(".")[0] for name in own | shared} - {"agent", "collector"} - set(sys.stdlib_module_names)
    where = packages_distributions()
    normal = re.compile(r"[-_.]+")
    locked = {normal.sub("-", name).lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK.read_text(), re.M)}
    assert {"sqlalchemy", "webauthn", "pyrage", "psycopg"} <= wanted
    assert {
        name for name in wanted if not {normal.sub("-", each).lower() for each in where.get(name, [name])} & locked
    } == set()
