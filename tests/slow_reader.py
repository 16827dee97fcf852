"""Readers that take their time to start: real process, real sandbox, real readers, after a pause.

As ``python -m tests.slow_reader`` it is the ``serment`` command whose agent uses such workers, as on a slow machine.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

START_S = 9.0


def main() -> int:
    """The command, with an agent whose readers start slowly."""
    from agent.extraction import client
    from agent.ui.cli.main import entry

    start, own = client.Child.start, str(Path(__file__).resolve())

    def started_slowly(options: client.Options) -> client.Child:
        child = start(replace(options, module=own))
        child._options = options  # what the pool knows it by
        return child

    client.Child.start = staticmethod(started_slowly)  # type: ignore[method-assign,assignment]
    return entry()


if __name__ == "__main__":
    if len(sys.argv) >= 6 and all(word.lstrip("-").isdigit() for word in sys.argv[1:]):
        from agent.extraction.worker import main as work

        time.sleep(START_S)
        sys.exit(work(sys.argv[1:]))
    sys.exit(main())
