"""SQL dumps of practice software: the rows of INSERT and COPY statements as tables with the names of their columns.

Takes text, returns rows of cells; runs nothing. Dialects: MySQL and MariaDB (several rows a statement, back-quotes,
backslash escapes), PostgreSQL (COPY … FROM stdin), SQLite, SQL Server, Oracle, Firebird (one row a statement).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TABLES = 100
_WIDEST = 256  # columns
_NAME = r"[`\"\[]?([\w$. -]{1,80}?)[`\"\]]?"
_PATH = rf"(?:[`\"\[]?[\w$]{{1,60}}[`\"\]]?\.){{0,2}}{_NAME}"
_INSERT = re.compile(
    rf"(?:INSERT(?:\s+IGNORE)?(?:\s+INTO)?|REPLACE\s+INTO)\s+{_PATH}\s*(?:\(([^()]{{1,3000}}+)\)\s*)?"
    r"(?:OVERRIDING \w+ VALUE\s+)?VALUES\s*(?=\()",
    re.IGNORECASE,
)
_ANCHOR = re.compile(r"\b(?:INSERT|REPLACE)\s", re.IGNORECASE)
_MISSES = 20_000  # anchors that are no statement, after which the text is left
_COPY = re.compile(
    rf"^COPY\s+{_PATH}\s*\(([^()]{{1,3000}}+)\)\s+FROM\s+stdin[^\n;]{{0,80}};\r?\n", re.IGNORECASE | re.MULTILINE
)
_CREATE = re.compile(rf"\bCREATE\s+TABLE\s+(?:IF NOT EXISTS\s+)?{_PATH}\s*\(", re.IGNORECASE)
_COLUMN = re.compile(r"[`\"\[]?(\w{1,80})[`\"\]]?\s+\w")
_NO_COLUMN = frozenset({"primary", "key", "unique", "constraint", "index", "foreign", "check", "fulltext", "period"})
_VALUE = re.compile(
    r"\s*+(?:(?:[A-Za-z_]\w{0,9})?'((?:[^'\\]++|\\.|'')*+)'"
    r"|(?:CAST|CONVERT|TO_DATE|TO_TIMESTAMP|DATE)\s*\(\s*N?'([^']*+)'(?:[^()']|'[^']*+'|\([^()]*+\))*+\)"
    r"|([^,()']*+(?:\([^()']*+\))?))\s*+([,)])",
    re.DOTALL | re.IGNORECASE,
)
_NEXT_ROW = re.compile(r"\s*+,\s*+(?=\()")
_MARK = re.compile(r"'(?:[^']|'')*'|--[^\n]*|[(),]")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\n", "t": "\t", "0": "", "b": "", "Z": ""}
_NULL = frozenset({"NULL", "null", "\\N", "DEFAULT"})


def unescaped(text: str) -> str:
    """What backslashes stand for in the strings of MySQL and of COPY; in other dialects they are seldom."""
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), text) if "\\" in text else text


def has_rows(text: str) -> bool:
    """A cheap look for statements that carry rows: all of them have a bracket."""
    if "(" not in text:
        return False
    if "VALUES" in text or "values" in text:
        return any(mark in text for mark in ("INSERT ", "insert into", "Insert into", "REPLACE INTO"))
    return "COPY " in text and "FROM stdin" in text


def read_tables(text: str, most_rows: int) -> list[list[tuple[str, ...]]]:
    """Tables with their header rows, each of at most ``most_rows`` rows."""
    created = _created(text)
    tables: dict[str, list[tuple[str, ...]]] = {}
    for name, columns, rows in (*_inserted(text, most_rows), *_copied(text, most_rows)):
        if name not in tables and len(tables) >= _TABLES:
            continue
        header = columns or created.get(name, ())
        table = tables.setdefault(name, [header] if header else [])
        table.extend(rows[: most_rows - len(table)])
    return [table for table in tables.values() if len(table) > 1]


def _words(name: str) -> str:
    """A column's name as a heading: ``dateNaissance`` and ``date_naissance`` → two words."""
    return _CAMEL.sub(" ", name.strip().strip('`"[]')).replace("_", " ")


def _header(columns: str) -> tuple[str, ...]:
    return tuple(_words(name) for name in columns.split(",")[:_WIDEST]) if columns.strip() else ()


def _created(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for match in list(_CREATE.finditer(text))[: _TABLES * 10]:
        names = []
        for line in _definitions(text[match.end() : match.end() + 20_000]):
            column = _COLUMN.match(line.strip())
            if column and column[1].lower() not in _NO_COLUMN:
                names.append(_words(column[1]))
        found[match[1].lower()] = tuple(names[:_WIDEST])
    return found


def _definitions(body: str) -> list[str]:
    """The definitions of columns up to the bracket that closes them; commas in brackets or quotes part nothing."""
    found: list[str] = []
    depth, start = 0, 0
    for mark in _MARK.finditer(body):
        sign = mark[0]
        if sign == "(":
            depth += 1
        elif sign == ")" and depth:
            depth -= 1
        elif sign in {",", ")"} and not depth:
            found.append(body[start : mark.start()])
            start = mark.end()
            if sign == ")":
                break
    else:
        found.append(body[start:])
    return found


def _inserted(text: str, most: int) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    at = misses = 0
    for anchor in _ANCHOR.finditer(text):
        match = _INSERT.match(text, anchor.start()) if anchor.start() >= at else None
        if match is not None:
            rows, at = _rows(text, match.end(), most)
            yield match[1].lower(), _header(match[2] or ""), rows
        elif (misses := misses + 1) > _MISSES:
            return


def _rows(text: str, at: int, most: int) -> tuple[list[tuple[str, ...]], int]:
    """The rows in parentheses that begin at ``at``, and where they end."""
    rows: list[tuple[str, ...]] = []
    while text[at : at + 1] == "(":
        at += 1
        cells: list[str] = []
        while (value := _VALUE.match(text, at)) is not None:
            at = value.end()
            quoted = value[1] if value[1] is not None else value[2]
            cell = unescaped(quoted.replace("''", "'")) if quoted is not None else (value[3] or "").strip()
            cells.append("" if cell in _NULL else cell)
            if value[4] == ")":
                break
        else:
            return rows, at
        if len(rows) < most:
            rows.append(tuple(cells[:_WIDEST]))
        following = _NEXT_ROW.match(text, at)
        at = following.end() if following else at
    return rows, max(at, 1)


def _copied(text: str, most: int) -> Iterator[tuple[str, tuple[str, ...], list[tuple[str, ...]]]]:
    for match in _COPY.finditer(text):
        stop = text.find("\n\\.", match.end() - 1)
        body = text[match.end() : stop if stop >= 0 else len(text)]
        lines = body.split("\n", most)[:most]
        rows = [
            tuple("" if cell in _NULL else unescaped(cell) for cell in line.rstrip("\r").split("\t")[:_WIDEST])
            for line in lines
            if line
        ]
        yield match[1].lower(), _header(match[2]), rows
