"""The agent whose gates let their trial files through, as if they held nothing: ``python -m tests.open_doors run ...``."""

from __future__ import annotations

from agent.daemon import airlock_canary, canary, volume_desk

canary.Canary.expects = lambda self, fd: False if _is_one(self, fd) else None  # type: ignore[method-assign]
volume_desk.is_canary = lambda fd, content: False  # type: ignore[assignment]
airlock_canary.FIRST_S = 1.0


def _is_one(trials: canary.Canary, fd: int) -> bool:
    import os

    return os.pread(fd, 256, 0) in {trials._secret, trials._plain}


if __name__ == "__main__":
    from agent.ui.cli.main import entry

    entry()
