"""The words that argparse itself says, and the way it is given our catalogue.

Nothing else in our code would name them, so they are marked here; usage lines and refusals are then in the reader's
language. The texts must be those of Python's argparse, letter for letter. One that a
later Python changes is shown in English, nothing breaks.
"""

from __future__ import annotations

import argparse

from agent.errors import N_
from agent.i18n import catalogue

ARGPARSE_WORDS = (
    N_("usage: "),
    N_("positional arguments"),
    N_("options"),
    N_("show this help message and exit"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("unrecognized arguments: %s"),
    N_("not allowed with argument %s"),
    N_("ignored explicit argument %r"),
    N_("the following arguments are required: %s"),
    N_("one of the arguments %s is required"),
    N_("expected one argument"),
    N_("expected at most one argument"),
    N_("expected at least one argument"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("unexpected option string: %s"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("unknown parser %(parser_name)r (choices: %(choices)s)"),
    N_("can't open '%(filename)s': %(error)s"),
    N_("%(prog)s: error: %(message)s\n"),
)

_MANY = (N_("expected %s argument"), N_("expected %s arguments"))


def speak(language: str) -> None:
    """Have argparse speak ``language`` from now on, in the whole process."""
    words = catalogue(language)
    argparse._ = words.gettext  # type: ignore[attr-defined]
    argparse.ngettext = lambda one, many, number: words.gettext(one if number == 1 else many)  # type: ignore[attr-defined]
