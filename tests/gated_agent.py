"""The agent with its gate on the sync folders, for the tests: ``python -m tests.gated_agent run ...``.

Homes are not guarded: the tests' own file system would be.
"""

from __future__ import annotations

from typing import Any

from agent.channels.cloud_sync import CloudSyncChannel
from agent.daemon import gates, main
from agent.daemon.gate_channel import GateChannel
from agent.model import Place

_init, _close, _places = gates.Gates.__init__, gates.Gates.close, CloudSyncChannel.places
_gate: list[GateChannel] = []


def _with_gate(self: Any, config: Any, pipeline: Any, *rest: Any, **named: Any) -> None:
    _init(self, config, pipeline, *rest, **named)
    _gate.append(GateChannel(self.server, config.gates_socket, pipeline, self.pool, (), documents=False))


def _guarded(self: Any) -> tuple[Place, ...]:
    return _gate[-1].places(_places(self))


def _end(self: Any) -> None:
    _gate.pop().close()
    _close(self)


gates.Gates.__init__ = _with_gate  # type: ignore[method-assign]
gates.Gates.close = _end  # type: ignore[method-assign]
CloudSyncChannel.places = _guarded  # type: ignore[method-assign]
main.Agent._noticed = lambda self, event: self.queue.put(event)  # type: ignore[method-assign]

if __name__ == "__main__":
    from agent.ui.cli.main import entry

    entry()
