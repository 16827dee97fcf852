"""The terminal from which a program copies: so that who works without a desktop can be told there, by the helper.

The agent writes to no terminal; it says which one it was, and the helper writes with its person's rights.
"""

from __future__ import annotations

_PTS_MAJOR = range(136, 144)
_TTY_MAJOR = 4
_FIELD = 7  # tty_nr of /proc/PID/stat (proc(5)), counted from 1


def terminal_of(pid: int) -> str:
    """``pts/3``, ``tty2``, or empty when the program has none, or is gone."""
    if pid <= 0:
        return ""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return name_of(file.read(4096))
    except OSError:
        return ""


def name_of(stat: bytes) -> str:
    """The terminal in the text of /proc/PID/stat; the program's name in it may hold anything."""
    words = stat.rpartition(b")")[2].split()
    try:
        number = int(words[_FIELD - 3])
    except (IndexError, ValueError):
        return ""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if major in _PTS_MAJOR:
        return f"pts/{minor + 256 * (major - _PTS_MAJOR.start)}"
    return f"tty{minor}" if major == _TTY_MAJOR and 0 < minor < 64 else ""
