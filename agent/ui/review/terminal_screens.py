"""The screens over the list of events: a text to read, a choice, a contest. Each is left with Esc."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList, Static
from textual.widgets.option_list import Option

from agent.errors import N_
from agent.ui.review import words
from agent.ui.wording import Translate

MAX_REASON = 2000
_CSS = """
Reading, Choice, Contest { background: $background; }
.head { height: 1; text-style: bold; }
.body { height: 1fr; }
.note { height: auto; }
"""


class Reading(ModalScreen[None]):
    """A text with a title; scrolls with the arrow keys."""

    CSS = _CSS
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, title: str, lines: Sequence[str], translate: Translate) -> None:
        super().__init__()
        self._head, self._lines = title, lines
        self._bindings.bind("escape,q,enter", "dismiss(None)", translate(N_("Back")), key_display="Esc")

    def compose(self) -> ComposeResult:
        yield Static(self._head, classes="head", markup=False)
        with VerticalScroll(classes="body") as body:
            body.can_focus = True
            yield Static("\n".join(self._lines), markup=False)
        yield Footer(show_command_palette=False)


class Choice(ModalScreen[str | None]):
    """One of a list of (code, words); gives the code, or None."""

    CSS = _CSS
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], translate: Translate) -> None:
        super().__init__()
        self._head, self._choices = title, choices
        self._bindings.bind("escape", "dismiss(None)", translate(N_("Back")), key_display="Esc")

    def compose(self) -> ComposeResult:
        yield Static(self._head, classes="head", markup=False)
        yield OptionList(*(Option(Text(text)) for _code, text in self._choices), classes="body", markup=False)
        yield Footer(show_command_palette=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index][0])


class Contest(ModalScreen[tuple[str, str] | None]):
    """« Not a patient document »: a reason of the list, and words of one's own. Gives both, or None."""

    CSS = _CSS
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, translate: Translate) -> None:
        super().__init__()
        self._t = translate
        self._why = ""
        self._bindings.bind("escape", "dismiss(None)", translate(N_("Back")), key_display="Esc")

    def compose(self) -> ComposeResult:
        yield Static(self._t(N_("Not a patient document: why?")), classes="head", markup=False)
        yield OptionList(*(Option(Text(self._t(text)), id=code) for code, text in words.WHY.items()), markup=False)
        yield Static(
            self._t(N_(
                "The officer gets the reason that you choose, never the document. What you write below stays on this"
                " laptop, encrypted. Enter sends."
            )),
            classes="note", markup=False,
        )  # fmt: skip
        yield Input(placeholder=self._t(N_("in your words")), max_length=MAX_REASON, disabled=True)
        yield Footer(show_command_palette=False)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._why = str(event.option_id)
        field = self.query_one(Input)
        field.disabled = False
        field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if self._why != "other" or event.value.strip():
            self.dismiss((self._why, event.value.strip()))
