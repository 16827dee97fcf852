"""``python -m agent.daemon.operations_writer FILE``: writes the operational log, for as long as its input is open.

Notes come from ``agent.daemon.operations`` of its own agent, one JSON line each: when, level, word, fields. loguru
turns the file over at 5 MB and keeps five. Not for people.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

_FORMAT = "{extra[at]} {level: <7} {message} {extra[fields]}"


def write(file: Path, notes: Iterable[bytes]) -> None:
    """Append ``notes`` to ``file``. What the disk refuses is lost: what is said is not what guards."""
    from loguru import logger

    logger.remove()
    logger.add(file, format=_FORMAT, rotation="5 MB", retention=5, encoding="utf-8", diagnose=False, catch=True)
    for note in notes:
        at, level, word, fields = json.loads(note)
        logger.bind(at=_when(at), fields=fields).log(level, word)


def _when(at: float) -> str:
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the agent's: what it still says is written
    write(Path(sys.argv[1]), sys.stdin.buffer)
