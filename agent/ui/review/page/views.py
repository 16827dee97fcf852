"""What the page shows: a path and fields in, a reply out. Knows nothing of sockets; escapes by construction.

Values come from ``ReviewClient`` and its sentences, as on the terminal; templates hold structure and no text.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from agent.errors import N_, SermentError, UsageError
from agent.i18n import LANGUAGES, Count, catalogue
from agent.ui import wording
from agent.ui.review import held_about_me, sentences, texts, words
from agent.ui.review.client import MOST, Event, Filter, ReviewClient
from agent.ui.review.page.words import PAGE

_FOLDER = Path(__file__).parent
_DAY = re.compile(r"/day/(\d{4}-\d{2}-\d{2})")
_EVENT = re.compile(r"/event/(\d{1,16})")
_MAX_MARKED = 200

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """``location`` for a redirection; ``cookie`` as the header has it."""

    status: int = 200
    body: str = ""
    kind: str = "text/html"
    location: str = ""
    cookie: str | None = None


class Page:
    """Of one person, in one run; ``language`` until the reader changes it."""

    def __init__(self, client: ReviewClient, language: str) -> None:
        self._client = client
        self._language = language
        self._form = ""
        self._said = ""  # what was done by the last form, told on the next page
        self._lock = threading.Lock()  # one reader: pages are made one after the other

    @cached_property
    def _templates(self) -> Any:
        import jinja2

        return jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def _t(self, text: str) -> str:
        return catalogue(self._language).gettext(text)

    def _made(self, name: str, status: int = 200, **values: Any) -> Reply:
        said, self._said = self._said, ""
        body = self._templates.get_template(name).render(
            language=self._language, other=next(each for each in LANGUAGES if each != self._language), form=self._form,
            w={key: self._t(text) for key, text in PAGE.items()}, said=said, **values,
        )  # fmt: skip
        return Reply(status, body)

    # ---- asked by the server

    def get(self, path: str, fields: Fields, form: str) -> Reply:
        """A page. Raises SermentError: no agent, or it refuses."""
        with self._lock:
            self._form = form
            if path == "/":
                days = self._client.days()["days"]
                return Reply(303, location=f"/day/{days[0]['day']}") if days else self._made("empty.html")
            if path == "/mine":
                return self._mine()
            if found := _DAY.fullmatch(path):
                return self._day(found[1], _filter(fields))
            if found := _EVENT.fullmatch(path):
                return self._event(int(found[1]))
        return self._missing()

    def post(self, path: str, fields: Fields) -> Reply:
        """What a form does; leads back to a page. Raises SermentError."""
        with self._lock:
            back = _back(_one(fields, "back"))
            if path == "/mark":
                numbers = _numbers(fields.get("record", ()))
                self._client.mark(numbers)
                count = Count(len(numbers))
                self._said = self._t(N_("{count} {count:record|records} reviewed")).format(count=count)
            elif path == "/contest":
                (number,) = _numbers(fields.get("record", ())[:1])
                self._client.contest(number, _one(fields, "why"), _one(fields, "reason"))
                self._said = self._t(N_("the request about record {number} is on its way")).format(number=number)
            elif path == "/language":
                wanted = _one(fields, "language")
                self._language = wanted if wanted in LANGUAGES else self._language
            elif path == "/close":
                return self._made("closed.html")
            else:
                return self._missing()
        return Reply(303, location=back)

    def style(self) -> Reply:
        """The style sheet."""
        return Reply(body=(_FOLDER / "style.css").read_text("utf-8"), kind="text/css")

    def strange(self) -> Reply:
        """Somebody without the link: the right user, and nothing to see."""
        return self._made("strange.html", 403)

    def refused(self, error: SermentError) -> Reply:
        """What the agent refused, and what to do."""
        text, hint = error.said(self._t)
        with self._lock:
            return self._made("refused.html", 400, text=text, hint=hint or "")

    def _missing(self) -> Reply:
        return self._made("refused.html", 404, text=self._t(N_("there is no such page")), hint="")

    # ---- pages

    def _day(self, day: str, wanted: Filter) -> Reply:
        reply = self._client.days()
        events = self._client.events(day, wanted)
        query = urlencode({key: value for key, value in asdict(wanted).items() if value and value != "notable"})
        return self._made(
            "day.html", day=sentences.day_title(day), iso=day, query=query, days=self._days(reply["days"]),
            whose=self._whose(reply), rows=[self._row(event) for event in events], truncated=len(events) == MOST,
            choices=self._choices(wanted, events), here=f"/day/{day}?{query}",
        )  # fmt: skip

    def _whose(self, reply: Mapping[str, Any]) -> str:
        if reply["role"] == "owner":
            return self._t(N_("your documents"))
        return self._t(N_("everybody's, each name shown is recorded") if reply["names"] else
                       N_("everybody's, without names"))  # fmt: skip

    def _days(self, days: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
        return [
            {"iso": day["day"], "title": sentences.day_title(day["day"]), "told": sentences.total(day, self._t)}
            for day in days
        ]

    def _row(self, event: Event) -> dict[str, Any]:
        fields = event["fields"]
        return {
            "number": fields["i"], "time": sentences.moment(fields), "document": fields.get("k") == "transfer",
            "state": self._t(words.STATES[sentences.state(event)]) if sentences.state(event) else "",
            "open": sentences.state(event) == "open", "done": sentences.done(fields, self._t),
            "subject": sentences.subject(event, self._t), "where": sentences.where(fields, self._t),
        }  # fmt: skip

    def _choices(self, wanted: Filter, events: Sequence[Event]) -> list[dict[str, Any]]:
        devices = {_device(event["fields"]): sentences.device(event["fields"]) for event in events}
        devices = {key: name for key, name in devices.items() if key and name}
        if wanted.device:
            devices.setdefault(wanted.device, wanted.device[:4])
        tables = (
            ("shown", N_("Show"), {code: self._t(text) for code, text in words.SHOWN.items()}),
            ("channel", N_("Channel"), {"": self._t(N_("every channel"))} | {
                code: self._t(text) for code, text in wording.CHANNELS.items()
            }),
            ("device", N_("Device"), {"": self._t(N_("every device"))} | devices),
            ("decision", N_("What was done"), {"": self._t(N_("anything"))} | {
                code: self._t(text) for code, text in words.SHORT.items()
            }),
        )  # fmt: skip
        return [
            {"name": name, "title": self._t(title), "options": table, "chosen": getattr(wanted, name)}
            for name, title, table in tables
        ]

    def _event(self, number: int) -> Reply:
        event = self._client.event(number)
        title, _lines = texts.detail(event, self._t, self._language)
        fields = event["fields"]
        document = fields.get("k") == "transfer"
        return self._made(
            "event.html", title=title if document else sentences.general(fields, self._t), number=number,
            facts=texts.facts(event, self._t), document=document,
            why=sentences.why(event, self._t, self._language) if document else [], open=event.get("needs_review"),
            contestable=document and not event.get("contest") and fields.get("judgement") != "not_medical",
            reasons={code: self._t(text) for code, text in words.WHY.items()},
            back=f"/day/{sentences.moment(fields, '%Y-%m-%d')}", here=f"/event/{number}",
        )  # fmt: skip

    def _mine(self) -> Reply:
        held = self._client.mine()
        return self._made(
            "mine.html", title=self._t(held_about_me.TITLE), stores=held_about_me.stores(held, self._t),
            notes=held_about_me.notes(held, self._t),
        )  # fmt: skip


def _filter(fields: Fields) -> Filter:
    return replace(Filter(), **{key: value[:64] for key in asdict(Filter()) if (value := _one(fields, key))})


def _one(fields: Fields, name: str) -> str:
    return (fields.get(name) or [""])[0]


def _numbers(untrusted: Sequence[str]) -> list[int]:
    """Raises UsageError: none, too many, or something else."""
    if not 0 < len(untrusted) <= _MAX_MARKED or not all(each.isdecimal() and len(each) <= 16 for each in untrusted):
        raise UsageError(N_("choose 1 to {limit} documents"), limit=_MAX_MARKED)
    return [int(each) for each in untrusted]


def _back(untrusted: str) -> str:
    """A place on this page and nowhere else."""
    path, _mark, query = untrusted[:500].partition("?")
    if path != "/mine" and not _DAY.fullmatch(path) and not _EVENT.fullmatch(path):
        return "/"
    return path + (f"?{quote(query, safe='=&+%-')}" if query else "")


def _device(fields: Mapping[str, Any]) -> str:
    found = fields.get("device")
    serial = found.get("serial") if isinstance(found, Mapping) else None
    return str(serial or fields.get("volume") or "")
