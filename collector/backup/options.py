"""Words of the commands ``backup`` and ``restore``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from agent.errors import N_


def backup_arguments(parser: argparse.ArgumentParser, _: Callable[[str], str]) -> None:
    """Those of ``backup``."""
    parser.add_argument("target", type=Path, help=_(N_("the file to write; it must not be there yet")))
    parser.add_argument(
        "--to", action="append", default=[], metavar="age1…",
        help=_(N_("the whole folder too, keys among it, sealed for this recipient; may be repeated")),
    )  # fmt: skip


def restore_arguments(parser: argparse.ArgumentParser, _: Callable[[str], str]) -> None:
    """Those of ``restore``."""
    parser.add_argument("backup", type=Path, help=_(N_("the sealed backup; it comes into --data, which is empty")))
    parser.add_argument(
        "--identity", type=Path, required=True, metavar="FILE", help=_(N_("the age key of one of its recipients"))
    )
