"""What ``serment-collector forward`` takes on the command line. Loads nothing heavy: every command parses it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from agent.errors import N_

ACTS = ("list", "add", "test", "remove", "dead", "replay")
KINDS = ("hec", "elastic", "syslog", "https")
FORMS = ("ocsf", "ecs", "cef")


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    """What ``forward`` takes."""
    parser.add_argument("act", choices=ACTS, nargs="?", default="list")
    parser.add_argument("name", nargs="?", default="", help=translate(N_("what you call the target")))
    parser.add_argument("--kind", choices=KINDS, help=translate(N_("add: what the target speaks")))
    parser.add_argument("--url", default="", help=translate(N_("add: https://HOST:PORT, for syslog tls://HOST:PORT")))
    parser.add_argument("--form", choices=FORMS, default="", help=translate(N_("add: how events are written")))
    parser.add_argument("--index", default="", metavar="NAME", help=translate(N_("add: index or data stream")))
    for option, text in (
        ("--secret-file", N_("add: a file with the token, the API key or the intake key")),
        ("--ca", N_("add: the authority that the target is trusted by, PEM")),
        ("--certificate", N_("add: our certificate with its key, PEM")),
    ):
        parser.add_argument(option, default="", metavar="FILE", help=translate(text))
    parser.add_argument(
        "--redact", action="append", default=[], metavar="FIELD", help=translate(N_("add: leave this field out"))
    )
    parser.add_argument("--history", action="store_true", help=translate(N_("add: send what is stored already, too")))
