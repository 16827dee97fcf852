"""What people did with this collector: first in the database, with the act itself, then in a log that is sealed.

``note`` belongs into the transaction that does what it tells, so neither is there without the other, whichever process
acts (a command, a page, the second collector). ``Journal.take_over`` brings it into ``journal/``, a log in the format
of laptops' logs, verified by ``serment audit verify``. Never a patient's name, a secret or a token: words, numbers,
pseudonyms, and who acted.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from agent.audit.log import AuditLog
from agent.errors import UntrustedInputError
from collector.store.base import Store
from collector.store.tables import acts
from collector.store.writing import writing

FOLDER = "journal"
KIND = "act"
MAX_AT_ONCE = 500
MAX_WHO = 120  # characters
MAX_WORD = 64
MAX_TEXT = 500  # characters of one field


def note(connection: Connection, by: str, what: str, fields: Mapping[str, str | int | bool] | None = None) -> None:
    """``by`` does ``what`` (a stable word) in this transaction. Fields: names that begin with a small letter; of a text
    the first ``MAX_TEXT`` characters, since the log takes no longer ones and would never get past it.
    """
    kept = {name: value[:MAX_TEXT] if isinstance(value, str) else value for name, value in (fields or {}).items()}
    text = msgspec.json.encode(kept).decode()
    values = {"at": int(time.time()), "by_whom": by[:MAX_WHO], "what": what[:MAX_WORD], "fields": text}
    connection.execute(insert(acts), values)


class Journal:
    """Owns the log in ``folder``/journal. Raises HostError when opened: another collector holds it, no right."""

    def __init__(self, folder: Path) -> None:
        self._log = AuditLog.open(folder / FOLDER)

    def take_over(self, store: Store) -> int:
        """Bring what is new in the database into the log, durably; how many acts. One collector at a time.

        Killed between the two, the act comes into the log once more, with the same number: told twice, never lost.
        """
        with store.exclusive("journal") as mine:
            if not mine:
                return 0
            with store.engine.connect() as connection:
                query = select(acts).where(acts.c.journal_index.is_(None)).order_by(acts.c.id).limit(MAX_AT_ONCE)
                rows = connection.execute(query).all()
            for row in rows:
                fields = {"number": row.id, "at": row.at, "who": row.by_whom, "what": row.what}
                index = self._written(msgspec.json.decode(row.fields), fields)
                with writing(store.engine) as connection:
                    connection.execute(update(acts).where(acts.c.id == row.id).values(journal_index=index))
            return len(rows)

    def _written(self, said: dict[str, Any], fields: dict[str, Any]) -> int:
        """The act's index. What the log does not take says so, and keeps none of the later ones out."""
        try:
            return self._log.append(KIND, {**said, **fields}, durable=True)
        except UntrustedInputError:
            return self._log.append(KIND, {"left_out": len(said), **fields}, durable=True)

    def close(self) -> None:
        """Seal it and let go."""
        self._log.close()
