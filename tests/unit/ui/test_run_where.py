"""Where a person is told to look: the pages of an embedded collector, never a fleet's address for laptops."""

import pytest

from agent.ui.cli.run import _where


@pytest.mark.parametrize(
    ("url", "shown"), [("", False), ("http://127.0.0.1:8440/", True), ("https://collector.example:8443", False)]
)
def test_only_pages_that_a_person_may_open_are_named(url, shown):
    said = _where({"collector": {"url": url}}, lambda text: text)
    assert ("or the page" in said) is shown
    assert "serment status" in said
