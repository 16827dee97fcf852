"""``serment audit review``: the audit log on a terminal, by keyboard alone, in 80 columns and 24 lines.

Owns the screen and nothing else: what is shown comes from ``ReviewClient``, its words from ``sentences``. State is told
by words, so that neither colour nor position carries a meaning. Names of documents are somebody else's bytes: they are
printable before they come here, and never read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import DataTable, Footer, OptionList, Static
from textual.widgets.option_list import Option

from agent.errors import N_, SermentError
from agent.i18n import Count
from agent.ui import wording
from agent.ui.review import sentences, words
from agent.ui.review.client import MOST, Event, Filter, ReviewClient
from agent.ui.review.terminal_screens import Choice, Contest, Reading
from agent.ui.review.texts import detail, help_lines, mine_lines
from agent.ui.terminal import Terminal

_CSS = """
Screen { layout: vertical; }
#title, #told { height: 1; text-style: bold; }
#told { text-style: none; }
#days { width: 26; height: 1fr; border: none; }
#events { width: 1fr; height: 1fr; }
Horizontal { height: 1fr; }
"""
_KEYS = (
    ("enter", "open", N_("Why?")),
    ("r", "mark", N_("Reviewed")),
    ("c", "contest", N_("Contest")),
    ("f", "filter", N_("Filter")),
    ("m", "mine", N_("About me")),
    ("question_mark", "help", N_("Help")),
    ("q", "quit", N_("Quit")),
)


class ReviewApp(App[None]):
    """Takes over the terminal until the reader leaves."""

    CSS = _CSS
    TITLE = "Serment"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, client: ReviewClient, terminal: Terminal) -> None:
        super().__init__()
        self._client = client
        self._t: Callable[[str], str] = terminal.translate
        self._language = terminal.language
        self._days: list[dict[str, Any]] = []
        self._role = ""
        self._events: list[Event] = []
        self._wanted = Filter()
        self._devices: dict[str, str] = {}
        for key, action, name in _KEYS:
            self._bindings.bind(key, action, self._t(name), key_display={"question_mark": "?"}.get(key))
        self._bindings.bind("escape", "days", self._t(N_("Days")), show=False)

    def compose(self) -> ComposeResult:
        yield Static(self._t(N_("Audit log")), id="title", markup=False)
        with Horizontal():
            yield OptionList(id="days", markup=False)
            yield DataTable(id="events", cursor_type="row")
        yield Static("", id="told", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        table = self._table
        names = (N_("Time"), N_("State"), N_("What"), N_("Document"), N_("Where"))
        for name, width in zip(names, (5, 11, 9, 22, 24), strict=True):
            table.add_column(self._t(name), width=width)
        self._load()
        self.query_one("#days").focus()

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one("#events", DataTable)

    def _tell(self, text: str) -> None:
        self.query_one("#told", Static).update(text)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """The agent's answer, or None and its refusal in the line below."""
        try:
            return ask()
        except SermentError as error:
            text, hint = error.said(self._t)
            self._tell(f"{text} ({hint})" if hint else text)
            return None

    # ---- days

    def _load(self, keep: int = 0) -> None:
        reply = self._asked(self._client.days)
        if reply is None:
            return
        self._days, self._role = reply["days"], reply["role"]
        whose = N_("your documents") if self._role == "owner" else N_("everybody's, without names")
        if reply["names"]:
            whose = N_("everybody's, each name shown is recorded")
        self.query_one("#title", Static).update(f"{self._t(N_('Audit log'))}: {self._t(whose)}")
        days = self.query_one("#days", OptionList)
        days.clear_options()
        days.add_options([Option(Text(self._day_line(day)), id=day["day"]) for day in self._days])
        if self._days:
            days.highlighted = min(keep, len(self._days) - 1)

    def _day_line(self, day: Mapping[str, Any]) -> str:
        told = sentences.total(day, self._t)
        return f"{sentences.day_title(day['day'])} {told}".rstrip()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_list.id == "days":
            self._show(str(event.option_id))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "days":
            self._table.focus()

    def action_days(self) -> None:
        self.query_one("#days").focus()

    @property
    def _day(self) -> str:
        at = self.query_one("#days", OptionList).highlighted
        return str(self._days[at]["day"]) if at is not None and at < len(self._days) else ""

    # ---- events

    def _show(self, day: str, row: int = 0) -> None:
        found = self._asked(lambda: self._client.events(day, self._wanted))
        if found is None:
            return
        self._events, table = found, self._table
        table.clear()
        for event in found:
            table.add_row(*(Text(cell, overflow="ellipsis", no_wrap=True) for cell in self._cells(event)))
            key = _device_key(event["fields"])
            if key:
                self._devices[key] = sentences.device(event["fields"]) or key[:4]
        if found:
            table.move_cursor(row=min(row, len(found) - 1))
        count = self._t(N_("{count} {count:event|events}")).format(count=Count(len(found)))
        more = self._t(N_(", the first of more")) if len(found) == MOST else ""
        shown = self._t(words.SHOWN[self._wanted.shown])
        self._tell(f"{sentences.day_title(day)}: {count}{more} · {shown}{self._narrowed()}")

    def _narrowed(self) -> str:
        names = [
            self._t(wording.CHANNELS[self._wanted.channel]) if self._wanted.channel else "",
            self._devices.get(self._wanted.device, ""),
        ]
        return "".join(f" · {name}" for name in names if name)

    def _cells(self, event: Event) -> tuple[str, str, str, str, str]:
        fields = event["fields"]
        return (
            sentences.moment(fields), self._t(words.STATES[sentences.state(event)] or "—"),
            sentences.done(fields, self._t) or "—", sentences.subject(event, self._t),
            sentences.where(fields, self._t),
        )  # fmt: skip

    def _chosen(self) -> Event | None:
        at = self._table.cursor_row
        return self._events[at] if 0 <= at < len(self._events) else None

    def _number(self) -> int | None:
        event = self._chosen()
        if event is None or event["fields"].get("k") != "transfer":
            self._tell(self._t(N_("choose a document in the list first")))
            return None
        return int(event["fields"]["i"])

    def on_data_table_row_selected(self, _event: DataTable.RowSelected) -> None:
        self.action_open()

    # ---- acts

    def action_open(self) -> None:
        number = self._number()
        event = self._asked(lambda: self._client.event(number)) if number is not None else None
        if event is not None:
            title, lines = detail(event, self._t, self._language)
            self.push_screen(Reading(title, lines, self._t))

    def action_mark(self) -> None:
        number = self._number()
        if number is not None and self._asked(lambda: self._client.mark([number])) is not None:
            self._again(self._t(N_("record {number} is reviewed")).format(number=number))

    def action_contest(self) -> None:
        number = self._number()
        if number is None:
            return

        def send(answer: tuple[str, str] | None) -> None:
            said = self._asked(lambda: self._client.contest(number, *answer)) if answer else None
            if said is not None:
                self._again(self._t(N_("the request about record {number} is on its way")).format(number=number))

        self.push_screen(Contest(self._t), send)

    def _again(self, told: str) -> None:
        """Read everything anew, and stay where the reader is."""
        at, row = self.query_one("#days", OptionList).highlighted or 0, self._table.cursor_row
        with self.prevent(OptionList.OptionHighlighted):
            self._load(keep=at)
        self._show(self._day, row)
        self._tell(told)

    def action_filter(self) -> None:
        choices = [(f"shown/{code}", self._t(text)) for code, text in words.SHOWN.items()]
        choices += [("channel/", self._t(N_("every channel")))]
        choices += [(f"channel/{code}", self._t(text)) for code, text in wording.CHANNELS.items()]
        choices += [("device/", self._t(N_("every device")))]
        choices += [(f"device/{key}", name) for key, name in sorted(self._devices.items())]

        def narrow(answer: str | None) -> None:
            if answer:
                key, _slash, value = answer.partition("/")
                self._wanted = replace(self._wanted, **{key: value})
                self._show(self._day)

        self.push_screen(Choice(self._t(N_("Show")), choices, self._t), narrow)

    def action_mine(self) -> None:
        held = self._asked(self._client.mine)
        if held is not None:
            title, lines = mine_lines(held, self._t)
            self.push_screen(Reading(title, lines, self._t))

    def action_help(self) -> None:
        keys = [(("?" if key == "question_mark" else key), self._t(name)) for key, _action, name in _KEYS]
        title, lines = help_lines(keys, self._t)
        self.push_screen(Reading(title, lines, self._t))


def _device_key(fields: Mapping[str, Any]) -> str:
    """By which ``review.events`` filters: the digest of the serial number, else of the volume."""
    device = fields.get("device")
    serial = device.get("serial") if isinstance(device, Mapping) else None
    return str(serial or fields.get("volume") or "")
