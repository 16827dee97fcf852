"""Bytecode without documentation strings. Run by the interpreter that the bytecode is for.

python bytecode.py ROOT FOLDER...        ROOT is the root of the package's file tree; FOLDERs lie below it

A process at rest keeps in memory what it never shows: documentation, and the columns of each operation (the
interpreter is started with `-X no_debug_ranges`). Asserts stay, unlike under `-OO`. Libraries keep their documentation,
for some read it (pycparser its grammar, alembic, stdnum), but for those of resident processes. The bytecode lies under
its ordinary name and is never checked against a time: units may not write it, and times differ from build to build.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path

SILENT = ("agent", "collector", "cryptography", "jeepney", "msgspec", "watchdog")
"""Below ``site-packages``: ours, and the libraries that processes at rest have loaded; none reads documentation."""
_HEAD = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")  # PEP 552: a digest, which is not checked
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def undocumented(source: bytes, name: str) -> ast.Module:
    """The module without documentation strings; nothing else differs. Raises SyntaxError, ValueError."""
    tree = ast.parse(source, name)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            while node.body and _is_text(node.body[0]):  # a second one would become the documentation
                first = node.body.pop(0)
                if not node.body and not isinstance(node, ast.Module):
                    node.body.append(ast.copy_location(ast.Pass(), first))
    return tree


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_silent(path: Path) -> bool:
    """Whether nothing of a source's documentation is kept: the standard library's, and SILENT."""
    _before, found, below = str(path).partition("/site-packages/")
    return not found or below.partition("/")[0] in SILENT


def compiled(path: Path, name: str) -> bytes:
    """What stands in the file of bytecode, for a source that will lie at ``name``. Raises SyntaxError, ValueError."""
    source = path.read_bytes()
    given = undocumented(source, name) if is_silent(path) else source
    code = compile(given, name, "exec", dont_inherit=True, optimize=0)
    del given  # what refers to a constant shows in the bytes
    return _HEAD + importlib.util.source_hash(source) + marshal.dumps(code)


def sources(folders: list[Path]) -> Iterator[Path]:
    """In an order of their own: bytes depend a little on what was compiled before."""
    yield from sorted({path for folder in folders for path in folder.rglob("*.py")})


def main(root: Path, folders: list[Path]) -> None:
    for path in sources(folders):
        target = Path(importlib.util.cache_from_source(str(path)))
        try:
            made = compiled(path, f"/{path.relative_to(root)}")
        except (SyntaxError, ValueError):  # templates of code, which nobody imports
            continue
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes(made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
