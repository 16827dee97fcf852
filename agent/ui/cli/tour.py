"""``serment tour``: five minutes, each case once, with invented documents in a scratch folder; then it is all gone."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

from agent.errors import N_, HostError
from agent.ui.configured import add_config
from agent.ui.terminal import Terminal
from agent.ui.tour.documents import LETTER, RECIPE, TABLE
from agent.ui.tour.stage import Stage, stage

Page = tuple[str, str]
"""A heading and a text."""


def arguments(parser: argparse.ArgumentParser, translate: Callable[[str], str]) -> None:
    parser.add_argument("--window", action="store_true", help=translate(N_("in windows instead of this terminal")))
    parser.add_argument("--yes", action="store_true", help=translate(N_("do not wait between the steps")))
    add_config(parser, translate)


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    show = _in_windows(terminal) if args.window else _in_terminal(terminal, wait=not args.yes)
    with stage() as made:
        for heading, text in pages(made, terminal.translate):
            if not show(heading, text):
                return 0
    return 0


def pages(made: Stage, translate: Callable[[str], str]) -> Iterator[Page]:
    """Each page; what it tells has just happened. Raises HostError when something else happened."""
    yield (
        translate(N_("Serment keeps the medical secret with you")),
        translate(
            N_("You will see what it does, on a pretend stick and a pretend cloud folder. All patients are invented.")
        ),
    )
    yield _harmless(made, translate)
    yield _sealed(made, translate)
    yield _refused(made, translate)
    yield _held(made, translate)
    yield (
        translate(N_("When care cannot wait")),
        translate(
            N_("With « Emergency » you open the way for some minutes and give a reason. It is written down, and a "
               "colleague goes through it with you later. You never have to choose between a patient and a rule.")
        ),
    )  # fmt: skip
    yield (
        translate(N_("That is all")),
        translate(
            N_("Everything that Serment holds about you is yours to see: click the shield, or type: serment audit mine")
        ),
    )


def _harmless(made: Stage, translate: Callable[[str], str]) -> Page:
    made.put(made.stick, "tarte.txt", RECIPE)
    _expect((made.stick / "tarte.txt").exists())
    text = N_(
        "The recipe tarte.txt was copied to the stick. It is about nobody: Serment let it go and did not disturb you."
    )
    return translate(N_("1. A recipe")), translate(text)


def _sealed(made: Stage, translate: Callable[[str], str]) -> Page:
    made.put(made.stick, "lettre.txt", LETTER)
    sealed = [path.name for path in made.stick.iterdir() if path.suffix == ".age"]
    _expect(len(sealed) == 1 and not (made.stick / "lettre.txt").exists())
    text = translate(
        N_("The letter about Mrs Vernicourt was copied too. On the stick lies {name}: an encrypted copy. A double "
           "click opens it on this computer; whoever finds the stick sees nothing.")
    ).format(name=sealed[0])  # fmt: skip
    return translate(N_("2. A letter about a patient")), text


def _refused(made: Stage, translate: Callable[[str], str]) -> Page:
    made.put(made.stick, "liste.csv", TABLE)
    _expect(not (made.stick / "liste.csv").exists())
    entry = next(each for each in made.client.call("held") if each["decision"] == "block")
    made.client.call("answer", id=entry["id"], how="seal")
    _expect(len([path for path in made.stick.iterdir() if path.suffix == ".age"]) == 2)
    text = N_("A list of five patients was stopped, and kept for you. We pressed « Encrypt and copy » in your place: "
              "now the list is on the stick, encrypted. Nothing was lost, nothing had to be copied again.")  # fmt: skip
    return translate(N_("3. A list of patients")), translate(text)


def _held(made: Stage, translate: Callable[[str], str]) -> Page:
    made.put(made.cloud, "lettre.txt", LETTER)
    _expect(not (made.cloud / "lettre.txt").exists())
    entry = next(each for each in made.client.call("held") if each["decision"] == "justify")
    made.client.call("answer", id=entry["id"], how="reason", why="colleague", text="")
    _expect((made.cloud / "lettre.txt").exists())
    text = N_("The same letter was put into the cloud folder. Serment asked for a reason; we chose « A colleague "
              "treats this patient ». The letter went, and the reason is in your log.")  # fmt: skip
    return translate(N_("4. A question")), translate(text)


def _expect(happened: bool) -> None:
    if not happened:
        raise HostError(N_("the tour got stuck"), hint=N_("run: serment doctor"))


def _in_terminal(terminal: Terminal, *, wait: bool) -> Callable[[str, str], bool]:
    def show(heading: str, text: str) -> bool:
        terminal.line(f"\n{heading}\n{'─' * min(len(heading), 70)}\n{text}")
        if not wait:
            return True
        try:
            input(terminal.translate(N_("(Return goes on, Ctrl+C ends) ")))
        except (EOFError, KeyboardInterrupt):
            terminal.line()
            return False
        return True

    return show


def _in_windows(terminal: Terminal) -> Callable[[str, str], bool]:
    from agent.ui.asking import Page as Window
    from agent.ui.asking import Question

    def show(heading: str, text: str) -> bool:
        translate = terminal.translate
        buttons = [("stop", translate(N_("Stop"))), ("next", translate(N_("Next")))]
        try:
            answer = Question(Window("Serment", heading, text, buttons, "next")).answer()
        except OSError as error:
            raise HostError(N_("no window can be shown here"), hint=N_("type: serment tour")) from error
        return answer is not None and answer.button == "next"

    return show
