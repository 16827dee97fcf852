"""The options of ``serment-collector publish``: apart from what it does, so that no other command loads that."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from agent.errors import N_


def arguments(parser: argparse.ArgumentParser, _: Callable[[str], str]) -> None:
    """The command's options."""
    parser.add_argument("change", nargs="?", type=Path, help=_(N_("the folder that officers have signed")))
    act = parser.add_mutually_exclusive_group()
    act.add_argument("--server-key", type=Path, metavar="FILE", help=_(N_("write the collector's public key there")))
    act.add_argument("--copy", type=Path, metavar="DIR", help=_(N_("a copy of what is published, for officers")))
    act.add_argument("--bundle", type=Path, metavar="FILE", help=_(N_("the offline release as one file, for a stick")))
    act.add_argument("--hold", metavar="WHY", help=_(N_("the release goes no further")))
    act.add_argument("--resume", action="store_true", help=_(N_("a release that holds goes on")))
    act.add_argument("--back", metavar="WHY", help=_(N_("laptops go back to the release that the approvers named")))
    act.add_argument("--assign", metavar="LAPTOP=GROUP", help=_(N_("this laptop follows the policy of that group")))
    act.add_argument(
        "--here",
        action="store_true",
        help=_(N_("policies are published from this collector's folder from now on: the other one is lost")),
    )
    act.add_argument("--show", action="store_true", help=_(N_("what is published, and how far it has come")))
