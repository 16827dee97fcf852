"""What stands is told with every word that its sentence needs: status is asked for when things fail."""

import string
from types import SimpleNamespace

from agent.daemon.failures import FAILURES
from agent.daemon.reports import Reports
from agent.errors import HostError
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


def test_a_record_that_could_be_written_ends_the_trouble_of_the_log(tmp_path):
    """Not only a transfer's: on a laptop where nothing is copied it would stand for weeks."""
    full = [True]

    def append(*_words, **_fields):
        if full[0]:
            raise HostError("no space")

    reports = Reports(SimpleNamespace(append=append), SimpleNamespace(warn=lambda *_, **__: None), tmp_path)
    in_force = SimpleNamespace(compiled=SimpleNamespace(policy=SimpleNamespace(name="p", release=1)), source="x")
    for again in (lambda: reports.policy(in_force, None), lambda: reports.record("patients", {})):
        full[0] = True
        reports.policy(in_force, None)
        assert [each.word for each in reports.troubles.standing()] == ["audit-unwritable"]
        full[0] = False
        again()
        assert reports.troubles.standing() == ()


def test_a_word_that_is_missing_is_no_reason_to_say_nothing():
    for failure in FAILURES.values():
        for key in ("message", "hint"):
            text = getattr(failure, key)
            said = _text({key: text, "fields": {}}, key, str)
            assert bool(said) == bool(text)
            assert "{" not in said
