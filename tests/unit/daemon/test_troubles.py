"""What stands is told with every word that its sentence needs: status is asked for when things fail."""

import string
from types import SimpleNamespace

from agent.daemon.failures import FAILURES
from agent.daemon.reports import Reports
from agent.ui.cli.status import _text


def needed(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_a_full_disk_names_the_folder(tmp_path):
    reports = Reports(
        SimpleNamespace(append=lambda *_, **__: None), SimpleNamespace(warn=lambda *_, **__: None), tmp_path
    )
    reports.troubles.raise_("audit-unwritable")
    (standing,) = reports.troubles.standing()
    trouble = {"message": standing.message, "hint": standing.hint, "fields": dict(standing.fields)}
    assert needed(standing.message) | needed(standing.hint) <= set(trouble["fields"])
    assert str(tmp_path) in _text(trouble, "hint", str)


def test_a_word_that_is_missing_is_no_reason_to_say_nothing():
    for failure in FAILURES.values():
        for key in ("message", "hint"):
            text = getattr(failure, key)
            said = _text({key: text, "fields": {}}, key, str)
            assert bool(said) == bool(text)
            assert "{" not in said
