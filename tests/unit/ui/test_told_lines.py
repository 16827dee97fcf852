"""Lines that told nobody anything: a notice about no document, a folder whose service is that it is a folder."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from agent.i18n import catalogue
from agent.ui.cli.status import _notice
from agent.ui.records import _place
from agent.ui.terminal import Terminal


def notice(name: bytes, **more: Any) -> dict[str, Any]:
    plain = {"time": time.time(), "decision": "inform", "result": "done", "count": 1, "held": "", "message": {}}
    return plain | {"name": base64.b64encode(name).decode()} | more


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_notice_about_no_document_says_its_message(language: str) -> None:
    message = {"fr": "Deux responsables ont donné accès\x1b[2J", "en": "Two officers gave access\x1b[2J"}
    said = _notice(notice(b"", message=message), Terminal(language))
    assert said.partition("  ")[2] == message[language].replace("\x1b", r"\x1b")


def test_a_notice_about_a_document_names_it() -> None:
    said = _notice(notice(b"lettre.txt", message={"fr": "x"}), Terminal("fr"))
    assert said.endswith("lettre.txt\u00a0: signalé")


@pytest.mark.parametrize(("service", "end"), [("folder", "surveillé"), ("nextcloud", "surveillé (nextcloud)")])
def test_a_folder_by_itself_has_no_service(service: str, end: str) -> None:
    fields = {"k": "place", "state": "armed", "channel": "cloud_sync", "service": service}
    assert _place(fields, catalogue("fr").gettext).endswith(end)
