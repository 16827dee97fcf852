"""The agent whose service manager starts it again at once when it stops: ``python -m tests.restarted run ...``."""

from __future__ import annotations

from agent.daemon import systemd

systemd.restarts = lambda: True

if __name__ == "__main__":
    from agent.ui.cli.main import entry

    entry()
