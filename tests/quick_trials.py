"""The agent that tries its airlocks at once, for the tests: ``python -m tests.quick_trials run ...``."""

from __future__ import annotations

from agent.daemon import airlock_canary

airlock_canary.FIRST_S = 0.5

if __name__ == "__main__":
    from agent.ui.cli.main import entry

    entry()
