"""How every page is made: language, templates, the ways values are written. What laptops and people sent is shown as
text and never as markup (templates escape everything).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from agent.i18n import LANGUAGES, Count, catalogue
from collector.labels import label

_TEMPLATES = Path(__file__).parent.parent / "templates"


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
        "day": lambda seconds: _day(seconds, lang),
        "count": Count,
    }
    return environment


def render(lang: str, template: str, **values: Any) -> str:
    """A page as HTML."""
    return _environment(lang).get_template(template).render(**values)


def _moment(microseconds: int, lang: str) -> str:
    try:
        when = datetime.fromtimestamp(microseconds / 1_000_000, UTC).astimezone()
    except (ValueError, OverflowError, OSError):
        return "?"
    return when.strftime("%d/%m/%Y %H:%M:%S" if lang == "fr" else "%Y-%m-%d %H:%M:%S")


def _size(number: Any, lang: str) -> str:
    if not isinstance(number, int) or not 0 <= number < 1 << 63:
        return ""
    units = ("o", "ko", "Mo", "Go") if lang == "fr" else ("B", "kB", "MB", "GB")
    value, unit = float(number), 0
    while value >= 1000 and unit < len(units) - 1:
        value, unit = value / 1000, unit + 1
    text = f"{value:.0f}" if unit == 0 or value >= 100 else f"{value:.1f}"
    return f"{text.replace('.', ',') if lang == 'fr' else text}\u202f{units[unit]}"


def _day(seconds: int, lang: str) -> str:
    try:
        return time.strftime("%d/%m/%Y" if lang == "fr" else "%Y-%m-%d", time.localtime(seconds))
    except (ValueError, OverflowError, OSError):
        return "?"
