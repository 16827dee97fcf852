"""The words that ``serment-collector officer`` understands."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from agent.errors import N_


def arguments(parser: argparse.ArgumentParser, _: Callable[[str], str]) -> None:
    """Add them to the parser of the command."""
    parser.add_argument("act", choices=("add", "list", "link", "close"), nargs="?", default="list")
    parser.add_argument("name", nargs="?", default="", help=_(N_("what the officer signs in with")))
    parser.add_argument(
        "--role", action="append", default=[], metavar="ROLE",
        help=_(N_("author, approver, analyst, dpo or key-officer; may be repeated")),
    )  # fmt: skip
