"""Gathering and making in one line, for tests."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from agent.dossier import making
from agent.dossier.assembly import Made
from agent.dossier.model import Facts, Scope
from agent.dossier.source import FolderSource
from agent.dossier.words import Words
from agent.i18n import catalogue
from tests.unit.dossier.invented_log import BEGIN_US, STICK

DEVICE = Scope("device", "1", frozenset((STICK["serial"],)))
ALWAYS = Scope("time", "always", since=0, until=1 << 60)


def local(time_us: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(time_us / 1e6, dt.timezone(dt.timedelta(hours=1)))


def facts(folder: Path, scope: Scope = DEVICE) -> Facts:
    return making.gather(FolderSource(folder), scope).facts


def dossier(folder: Path, scope: Scope = DEVICE, **made: Any) -> dict[str, Any]:
    told = Made(BEGIN_US, "0.1.0", "administrator", {"synchronised": True, "error_ms": 3}, **made)
    return making.make(FolderSource(folder), scope, told, local, named=None)


def words(language: str = "en") -> Words:
    from agent.ui.cli.audit_dossier import _words

    made = _words(language)
    return Words(language, catalogue(language).gettext, made.tables)
