"""1b. What holds a transfer until the verdict is in.

A gate that can hold hands the pipeline a ``Hold`` with the event; after-write channels have none and the action
follows the write. The pipeline is the same for both: judge the open descriptor, ask policy, act; only how an action
takes effect differs, and that is the Hold's to know.
"""

from __future__ import annotations

from typing import Protocol


class Hold(Protocol):
    """One waiting transfer. Exactly one of the three is called, once."""

    name: bytes
    """Of the sealed file where it went, once it went; empty where nobody has said it, and then it is the wanted one."""

    def release(self) -> None:
        """Let the judged bytes go, exactly as judged."""

    def refuse(self) -> None:
        """Nothing of it may go; the writer or reader gets EPERM."""

    def substitute(self, sealed_fd: int, name: bytes) -> None:
        """Let the sealed file go instead, under ``name``."""
