"""``serment tour``: five minutes, each case once, with invented documents in a scratch folder; then it is all gone."""

from __future__ import annotations

import argparse

from agent.errors import N_, HostError
from agent.ui.configured import add_config
from agent.ui.terminal import Terminal
from agent.ui.tour.documents import LETTER, RECIPE, TABLE, URGENT
from agent.ui.tour.slides import Slide, TerminalSlides, Translate, WindowSlides
from agent.ui.tour.stage import Stage, stage

Page = tuple[str, str]
"""A heading and a text."""


def arguments(parser: argparse.ArgumentParser, translate: Translate) -> None:
    parser.add_argument("--window", action="store_true", help=translate(N_("in a window instead of this terminal")))
    parser.add_argument("--yes", action="store_true", help=translate(N_("do not wait between the steps")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    translate = terminal.translate
    with WindowSlides(translate) if args.window else TerminalSlides(terminal, wait=not args.yes) as slides:
        if not slides.show(_numbered(1, _welcome(translate))):
            return 0
        with stage() as made:
            for number, make in enumerate((*CASES, _end), 2):
                if not slides.show(_numbered(number, make(made, translate))):
                    return 0
    return 0


def _numbered(number: int, page: Page) -> Slide:
    return Slide(*page, number, len(CASES) + 2)


def _welcome(translate: Translate) -> Page:
    return (
        translate(N_("Serment keeps the medical secret with you")),
        translate(
            N_("You will see what it does, on a pretend stick and a pretend cloud folder. All patients are invented.")
        ),
    )


def _harmless(made: Stage, translate: Translate) -> Page:
    made.put(made.stick, "tarte.txt", RECIPE)
    _expect((made.stick / "tarte.txt").exists())
    text = N_(
        "The recipe tarte.txt was copied to the stick. It is about nobody: Serment let it go and did not disturb you."
    )
    return translate(N_("1. A recipe")), translate(text)


def _sealed(made: Stage, translate: Translate) -> Page:
    made.put(made.stick, "lettre.txt", LETTER)
    sealed = [path.name for path in made.stick.iterdir() if path.suffix == ".age"]
    _expect(len(sealed) == 1 and not (made.stick / "lettre.txt").exists())
    text = translate(
        N_("The letter about Mrs Vernicourt was copied too. On the stick lies {name}: an encrypted copy. A double "
           "click opens it on this computer; whoever finds the stick sees nothing.")
    ).format(name=sealed[0])  # fmt: skip
    return translate(N_("2. A letter about a patient")), text


def _refused(made: Stage, translate: Translate) -> Page:
    made.put(made.stick, "liste.csv", TABLE)
    _expect(not (made.stick / "liste.csv").exists())
    entry = next(each for each in made.client.call("held") if each["decision"] == "block")
    made.client.call("answer", id=entry["id"], how="seal")
    _expect(len([path for path in made.stick.iterdir() if path.suffix == ".age"]) == 2)
    text = N_("A list of five patients was stopped, and kept for you. We pressed « Encrypt and copy » in your place: "
              "now the list is on the stick, encrypted. Nothing was lost, nothing had to be copied again.")  # fmt: skip
    return translate(N_("3. A list of patients")), translate(text)


def _held(made: Stage, translate: Translate) -> Page:
    made.put(made.cloud, "lettre.txt", LETTER)
    _expect(not (made.cloud / "lettre.txt").exists())
    entry = next(each for each in made.client.call("held") if each["decision"] == "justify")
    made.client.call("answer", id=entry["id"], how="reason", why="colleague", text="")
    _expect((made.cloud / "lettre.txt").exists())
    text = N_("The same letter was put into the cloud folder. Serment asked for a reason; we chose « A colleague "
              "treats this patient ». The letter went, and the reason is in your log.")  # fmt: skip
    return translate(N_("4. A question")), translate(text)


def _urgent(made: Stage, translate: Translate) -> Page:
    """Each document goes, whatever the rule says; nothing of it is silent."""
    made.client.call("emergency", channel="removable", why="urgent-care", text="", minutes=1)
    try:
        made.put(made.stick, "urgence.txt", URGENT)
        _expect((made.stick / "urgence.txt").exists())
    finally:
        made.client.call("emergency.stop")
    text = N_("We called an emergency, with a reason, and urgence.txt went to the stick as it is. The way is open for "
              "some minutes only. It is written down, and a colleague goes through it with you later. You never have "
              "to choose between a patient and a rule.")  # fmt: skip
    return translate(N_("5. When care cannot wait")), translate(text)


def _end(_made: Stage, translate: Translate) -> Page:
    return (
        translate(N_("That is all")),
        translate(
            N_("Everything that Serment holds about you is yours to see: click the shield, or type: serment audit mine")
        ),
    )


CASES = (_harmless, _sealed, _refused, _held, _urgent)
"""What the tour shows: each acts, and its page tells what has just happened. Raises HostError: something else did."""


def _expect(happened: bool) -> None:
    if not happened:
        raise HostError(N_("the tour got stuck"), hint=N_("run: serment doctor"))
