"""A transaction that will write. On SQLite it says so at its beginning: one that begins by reading and then writes
fails at once when somebody else has written in between, however long it would be ready to wait.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy import Connection, Engine

OPTION = "serment_writes"


def writing(engine: Engine) -> AbstractContextManager[Connection]:
    """Begin it; committed at the end of the block, taken back by an exception."""
    return engine.execution_options(**{OPTION: True}).begin()
