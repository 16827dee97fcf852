"""The pages people read: server-rendered, French and English, without a script. Values from ``queries``, text from the
catalogue; what laptops sent is shown as text and never as markup (templates escape everything).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader

from agent.i18n import LANGUAGES, catalogue
from collector import queries
from collector.labels import LABELS, label
from collector.queries import Event, EventFilter

PAGE_SIZE = 50
SILENT_AFTER_S = 24 * 3600
MAX_PARAMETER = 80
_TEMPLATES = Path(__file__).parent / "templates"
_HIDDEN = frozenset(("b", "i", "k", "m", "p", "t"))


def language(query: Mapping[str, str], cookies: Mapping[str, str], accepted: str) -> str:
    """``fr`` or ``en``: asked for in the address, remembered, or preferred by the browser; French otherwise."""
    for choice in (query.get("lang", ""), cookies.get("lang", "")):
        if choice in LANGUAGES:
            return choice
    for part in accepted.split(",")[:16]:
        if (tag := part.split(";")[0].strip().lower()[:2]) in LANGUAGES:
            return tag
    return "fr"


@lru_cache(maxsize=len(LANGUAGES))
def _environment(lang: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, extensions=["jinja2.ext.i18n"],
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    texts = catalogue(lang)
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {"lang": lang, "languages": LANGUAGES}
    environment.filters |= {
        "label": lambda word, group: label(group, word, texts.gettext),
        "moment": lambda microseconds: _moment(microseconds, lang),
        "thousands": lambda number: f"{number:,}".replace(",", "\u202f" if lang == "fr" else ","),
        "percent": lambda permille: f"{permille / 10:.0f}\u202f%" if isinstance(permille, int) else "",
        "size": lambda number: _size(number, lang),
    }
    return environment


def render(lang: str, template: str, **values: Any) -> str:
    """A page as HTML."""
    return _environment(lang).get_template(template).render(**values)


def laptops_page(engine: Any, lang: str) -> str:
    now = time.time()
    midnight = datetime.now(UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    laptops = queries.list_laptops(engine)
    return render(
        lang, "laptops.html", page="laptops", path="/", query="",
        laptops=laptops,
        silent={laptop.device for laptop in laptops if now - laptop.last_seen > SILENT_AFTER_S},
        alerts=queries.list_alerts(engine),
        today=queries.today(engine, int(midnight.timestamp() * 1_000_000)),
    )  # fmt: skip


def events_page(engine: Any, lang: str, query: Mapping[str, str]) -> str:
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
        events=events, chosen=chosen, older=older, first=first, vocabularies=LABELS,
        laptops=[laptop.device for laptop in queries.list_laptops(engine)],
    )  # fmt: skip


def event_page(engine: Any, lang: str, laptop: str, index: int) -> str | None:
    """The page of one record; None when there is none."""
    event = queries.one_event(engine, laptop, index)
    if event is None:
        return None
    outcome = queries.outcome_of(engine, event) if event.fields["k"] == "transfer" else None
    return render(
        lang, "event.html", page="event", path=f"/events/{laptop}/{index}", query="",
        event=event, fields=_lines(event), outcome=outcome, outcome_fields=_lines(outcome) if outcome else [],
    )  # fmt: skip


def event_filter(query: Mapping[str, str]) -> tuple[EventFilter, str]:
    """The filter in an address, and its day (ISO) for the form. What makes no sense is passed over."""

    def word(name: str) -> str:
        return query.get(name, "")[:MAX_PARAMETER]

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


def _moment(microseconds: int, lang: str) -> str:
    try:
        when = datetime.fromtimestamp(microseconds / 1_000_000, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"
    return when.strftime("%d/%m/%Y %H:%M:%S" if lang == "fr" else "%Y-%m-%d %H:%M:%S")


def _size(number: Any, lang: str) -> str:
    if not isinstance(number, int) or number < 0:
        return ""
    units = ("o", "ko", "Mo", "Go") if lang == "fr" else ("B", "kB", "MB", "GB")
    value, unit = float(number), 0
    while value >= 1000 and unit < len(units) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.0f}" if unit == 0 or value >= 100 else f"{value:.1f}"
    return f"{text.replace('.', ',') if lang == 'fr' else text}\u202f{units[unit]}"
