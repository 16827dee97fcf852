"""The pages of laptops and records, which whoever has the token may read too. Values from ``queries``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from collector import queries
from collector.labels import LABELS
from collector.pages import roster
from collector.pages.frame import render
from collector.queries import Event, EventFilter

PAGE_SIZE = 50
MAX_CHOICE = 200  # laptops in a list to choose from; more are typed
MAX_PARAMETER = 80
_HIDDEN = frozenset(("b", "i", "k", "m", "p", "t"))


def laptops_page(engine: Any, lang: str, before: str = "", **shared: Any) -> str:
    """The laptops behind the cursor ``before``. ``shared`` (here and below): what every page of somebody who is signed
    in shows: officer, csrf.
    """
    now = int(time.time())
    laptops = queries.list_laptops(engine, PAGE_SIZE + 1, before)
    counts = roster.counts(engine, now)
    return render(
        lang, "laptops.html", page="laptops", path="/", query=urlencode(_set({"before": before})), **shared,
        laptops=laptops[:PAGE_SIZE], all=counts.all, silent=counts.silent, silent_before=now - roster.SILENT_S,
        older="/?" + urlencode({"before": laptops[PAGE_SIZE - 1].cursor}) if len(laptops) > PAGE_SIZE else "",
        first="/" if before else "",
        alerts=queries.list_alerts(engine),
        today=queries.today(engine, midnight(now) * 1_000_000),
    )  # fmt: skip


def midnight(now: int) -> int:
    """When the day of ``now`` began here (seconds since 1970 UTC), by the offset that held then."""
    day = time.localtime(now)
    return int(time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1)))


def events_page(engine: Any, lang: str, query: Mapping[str, str], **shared: Any) -> str:
    wanted, day = event_filter(query)
    events = queries.list_events(engine, wanted, PAGE_SIZE + 1)
    chosen = {
        "laptop": wanted.laptop, "channel": wanted.channel, "decision": wanted.decision, "kind": wanted.kind,
        "day": day,
    }  # fmt: skip
    older = ""
    if len(events) > PAGE_SIZE:
        events = events[:PAGE_SIZE]
        older = "/events?" + urlencode({**_set(chosen), "before": events[-1].cursor})
    first = "/events?" + urlencode(_set(chosen)) if wanted.before else ""
    return render(
        lang, "events.html", page="events", path="/events", query=urlencode(_set({**chosen, "before": wanted.before})),
        **shared, events=events, chosen=chosen, older=older, first=first, vocabularies=LABELS,
        laptops=roster.names(engine, MAX_CHOICE),
    )  # fmt: skip


def event_page(engine: Any, lang: str, laptop: str, index: int, **shared: Any) -> str | None:
    """The page of one record; None when there is none."""
    event = queries.one_event(engine, laptop.replace("\0", ""), index)
    if event is None:
        return None
    outcome = queries.outcome_of(engine, event) if event.fields["k"] == "transfer" else None
    return render(
        lang, "event.html", page="event", path=f"/events/{laptop}/{index}", query="", **shared,
        event=event, fields=_lines(event), outcome=outcome, outcome_fields=_lines(outcome) if outcome else [],
    )  # fmt: skip


def event_filter(query: Mapping[str, str]) -> tuple[EventFilter, str]:
    """The filter in an address, and its day (ISO) for the form. What makes no sense is passed over."""

    def word(name: str) -> str:
        return query.get(name, "").replace("\0", "")[:MAX_PARAMETER]  # PostgreSQL's text has no zero byte

    before = word("before") if queries.valid_cursor(word("before")) else ""
    since = until = None
    try:
        day = date.fromisoformat(word("day"))
        begin = datetime(day.year, day.month, day.day).astimezone()
        end = (begin.replace(tzinfo=None) + timedelta(days=1)).astimezone()
        since, until = int(begin.timestamp()) * 1_000_000, int(end.timestamp()) * 1_000_000
        shown = day.isoformat()
    except (ValueError, OverflowError, OSError):
        shown = ""
    wanted = EventFilter(word("laptop"), word("channel"), word("decision"), word("kind"), since, until, before)
    return wanted, shown


def _set(values: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value}


def _lines(event: Event) -> list[tuple[str, str]]:
    """Every field of a record as text, tables flattened: also those that this version does not know."""
    lines: list[tuple[str, str]] = []
    for key, value in sorted(event.fields.items()):
        if key in _HIDDEN:
            continue
        if isinstance(value, dict):
            lines += [(f"{key}.{inner}", str(item)) for inner, item in sorted(value.items())]
        elif value not in {"", None} if isinstance(value, str | None) else True:
            lines.append((key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return lines
