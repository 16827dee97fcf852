"""The arguments of an airlock, as the agent gives them. Parsed by hand: argparse weighs more than all the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from typing import get_type_hints

from agent.errors import N_, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Descriptors are inherited and become the airlock's own. Sizes in MiB, times in seconds.

    ``limit_mb``: all that may lie in staging; 0 means half of what is free there. ``memory_mb``: how much of it in
    memory; 0 means an eighth of what is available, at most 1 GiB. ``deadline_s``: how long a question may wait.
    ``staging_fd`` -1: memory alone. ``passthrough``: let the kernel read large files itself where it can.
    """

    fuse_fd: int
    medium_fd: int
    staging_fd: int = -1
    socket: str
    token: str
    mount_point: str
    limit_mb: int = 0
    memory_mb: int = 0
    deadline_s: float = 120.0
    disk_encrypted: bool = False
    passthrough: bool = True
    request_timeout_s: int = 7200  # of the kernel's patience with us: longer than a large file on a slow stick takes


def parse(arguments: Sequence[str]) -> Options:
    """``--name value`` or ``--name=value``; ``--flag`` and ``--no-flag`` for the switches. Raises UsageError."""
    kinds = get_type_hints(Options)
    given: dict[str, object] = {}
    rest = list(arguments)
    while rest:
        word, _, value = rest.pop(0).partition("=")
        name = word.removeprefix("--").replace("-", "_")
        if kinds.get(name.removeprefix("no_")) is bool:
            given[name.removeprefix("no_")] = not name.startswith("no_")
        elif name in kinds and (value or rest):
            given[name] = _read(kinds[name], value or rest.pop(0))
        else:
            raise UsageError(N_("an airlock does not know the argument {argument}"), argument=word)
    missing = [each.name for each in fields(Options) if each.name not in given and each.default is MISSING]
    if missing:
        raise UsageError(N_("an airlock needs the argument {argument}"), argument=missing[0])
    return Options(**given)  # type: ignore[arg-type]


def _read(kind: type, value: str) -> object:
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(N_("an airlock does not understand the argument {argument}"), argument=value) from error
