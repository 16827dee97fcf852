"""Once a month what Serment did for this person: the months that are over and were not told, in one notice.

Who was away for a summer is told of all of it at once. Counted by the agent from the audit log; remembered as told only
when the agent has answered. The first month of all has nothing before it to tell.
"""

from __future__ import annotations

import re
import time

from agent.helper.agent_link import AgentLink
from agent.helper.board import Board
from agent.helper.memory import Memory

_MONTH = re.compile(r"2\d\d\d-(0[1-9]|1[0-2])")
MOST = 12  # months that one notice goes back at most


def owed(told: str, this: str) -> tuple[str, str] | None:
    """The first and the last month to tell in the month ``this``, when the last telling was in ``told``; YYYY-MM."""
    if not _MONTH.fullmatch(told) or told >= this:
        return None
    return max(told, _before(this, MOST)), _before(this, 1)


def _before(month: str, count: int) -> str:
    year, number = int(month[:4]), int(month[5:])
    whole = year * 12 + number - 1 - count
    return f"{whole // 12}-{whole % 12 + 1:02}"


def tell_month(link: AgentLink, memory: Memory, board: Board) -> None:
    """Put the notice on the board when it is due. Raises SermentError: it is tried again."""
    this = time.strftime("%Y-%m")
    told = memory.month_told()
    if told == this:
        return
    if (months := owed(told, this)) is not None:
        counts = link.call("helper.month", since=months[0], month=months[1])
        if any(counts.values()):
            from agent.ui.cli.month import summary  # with the commands' parser: once a month

            title = "month-title" if months[0] == months[1] else "months-title"
            board.put("month", board.own(title, summary(counts, board.voice.translate)))
    memory.tell_month(this)  # also after a clock that was set back
