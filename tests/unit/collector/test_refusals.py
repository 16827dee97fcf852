"""Which laptops refuse what is published, and the sentence that an officer reads for each reason."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.i18n import catalogue
from collector.report import parse_report, refusal
from collector.store.base import Refused
from collector.store.repeated import of_laptop
from collector.tuf.refusals import REASONS, refusals

AGENT = Path(__file__).parents[3] / "agent"
SAID_BY = (
    "fleet/repository_client.py",
    "fleet/release.py",
    "fleet/checking.py",
    "fleet/offline.py",
    "daemon/pushed.py",
)


def of(*reports):
    """What laptops said, as they said it."""
    said = [(f"dev_{number}", "", *refusal(parse_report(report))) for number, report in enumerate(reports)]
    rows = [Refused(*each) for each in said if each[2]]
    return refusals(SimpleNamespace(refused=lambda limit: rows[:limit]))


def test_every_reason_that_a_laptop_can_give_is_a_sentence():
    words = {word for name in SAID_BY for word in re.findall(r'refused\(\s*"([a-z-]+)"', (AGENT / name).read_text())}
    words |= {word for name in SAID_BY for word in re.findall(r'_refuse\("([a-z-]+)"', (AGENT / name).read_text())}
    table = (AGENT / "fleet/repository_client.py").read_text().split("_REASONS", 1)[1]
    words |= set(re.findall(r'Error, "([a-z]+)"', table))
    assert {"rollback", "expired", "signature", "mix", "fork", "policy", "check-failed"} <= words
    assert words <= set(REASONS)
    assert all(catalogue("fr").gettext(text) != text for text in REASONS.values())


def test_what_was_fetched_counts_before_what_was_got():
    found = of(
        json.dumps({"tuf": 3, "policy": {"number": 4}}).encode(),
        json.dumps({"tuf_refused": "fork", "policy": {"why": "policy", "refused": 5}}).encode(),
        json.dumps({"policy": {"number": 4, "why": "policy", "refused": 5}}).encode(),
    )
    assert [(each.device, each.why, each.number) for each in found] == [("dev_1", "fork", 0), ("dev_2", "policy", 5)]
    assert found[0].reason == "two different states of the policy carry the same number"


@pytest.mark.parametrize(
    "report",
    [b"", b"[]", b"{", b'{"policy": []}', b'{"policy": {"why": ""}}', b'{"tuf_refused": 0}', b'{"tuf_refused": ""}'],
)
def test_what_is_no_refusal_is_none(report):
    assert of(report) == []


@pytest.mark.parametrize(
    ("why", "shown"), [("x" * 5000, "x" * 32), ("\x1b[2J", "?"), (["a"], "?"), ({"b": 1}, "?"), ("caf\u00e9", "?")]
)
def test_a_hostile_word_is_shown_harmlessly_or_not(why, shown):
    (found,) = of(json.dumps({"tuf_refused": why}).encode())
    assert found.reason == shown
    (found,) = of(json.dumps({"policy": {"why": why, "refused": "many"}}).encode())
    assert (found.reason, found.number) == (shown, 0)


def test_a_fleet_that_refuses_as_one_fills_no_page():
    assert len(of(*[b'{"tuf_refused": "mix"}'] * 5000)) == 200


def test_the_page_of_policies_shows_them_to_the_officer(light_store):
    from sqlalchemy import insert

    from collector import pages
    from collector.pages.policies import _refusals
    from collector.store.tables import laptops

    values = {"first_seen": 1, "last_seen": 1, "size": 0, "skew_ms": 0, "summary": "{}", "seals": b"", "reported": 1}
    said = {"dev_one": "rollback", "dev_two": "<b>%(x)s", "dev_three": ""}
    with light_store.engine.begin() as connection:
        for device, why in said.items():
            report = json.dumps({"tuf": 2, "tuf_refused": why}).encode()
            connection.execute(
                insert(laptops), {**values, "device": device, "report": report, **of_laptop("{}", report)}
            )
    for lang, text in (("en", "an older state of the policy"), ("fr", catalogue("fr").gettext(REASONS["rollback"]))):
        found = _refusals(SimpleNamespace(lang=lang, service=SimpleNamespace(store=light_store)))
        html = pages.render(lang, "policies.html", page="policies", path="/policies", query="", refusals=found, most=1)
        assert text in html.replace("&#39;", "'")
        assert "&lt;b&gt;%(x)s" in html
        assert "dev_three" not in html
