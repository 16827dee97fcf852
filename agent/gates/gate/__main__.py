"""``python -m agent.gates.gate --group FD --board FD --socket PATH``: the gate's process, started by the agent.

Inherits the fanotify group, already made and marked, and the shared memory with its settings. Exit 0: told to end;
1: its answerers die as fast as it makes them; 64: started wrongly.
"""

from __future__ import annotations

import os
import sys

from agent.gates.gate.board import Board
from agent.gates.gate.keeper import Keeper


def main(arguments: list[str]) -> int:
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    try:
        group, board = int(given["--group"]), int(given["--board"])
        path = os.fsencode(given["--socket"])
    except (KeyError, ValueError):
        return 64
    for fd in (group, board):
        os.set_inheritable(fd, False)
    return Keeper(group, board, Board(board), path).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
