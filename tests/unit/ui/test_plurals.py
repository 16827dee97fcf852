"""Whoever reads a count reads « 1 document », not « 1 documents »: in both languages, wherever a count can be one."""

from __future__ import annotations

import re

import pytest

from agent.i18n import Count, catalogue
from tests.catalogue import translations, wanted

_COUNTED = re.compile(r"\{(?P<field>[a-z]+)\} (?:[a-z]+ )?(?P<noun>[a-z]+s)\b")
_NOUNS = frozenset(
    [
        "accesses",
        "bytes",
        "copies",
        "days",
        "digests",
        "documents",
        "events",
        "facts",
        "files",
        "folders",
        "hours",
        "keys",
        "laptops",
        "lines",
        "minutes",
        "months",
        "openings",
        "patients",
        "people",
        "persons",
        "places",
        "records",
        "rows",
        "rules",
        "seconds",
        "services",
        "tests",
        "times",
        "transfers",
        "volumes",
    ]
)
_NEVER_ONE = {
    "limit": "what is allowed at most: a constant of the program",
    "least": "the same",
    "most": "the same",
    "expected": "the same",
    "seconds": "a step of the clock: two at least, with a sign",
    "then": "a word, not a count",
    "todo": "a blank that a person fills in",
    "number": "a unit of size: « 1 bytes » is no document",
}
_MORE_THAN_ONE = {
    "only {count} folders can be watched",  # by the kernel: thousands
    "{kind}: {count} patients",  # one patient has a sentence of its own
    "It was recognised as {kind}, about {patients} persons ({certain}).",  # and here too
    "between {least} and {most} persons",
    "{count} files in {folder}: give each officer theirs; one alone opens nothing",  # two officers at least
    "{count} key officers have an account here.",  # two at least
    "{count} threads run where one may",
    "until should be at most {days} days after the date of the policy; found {found}",  # a constant
}


def test_each_count_has_a_word_for_one() -> None:
    plain = {
        text: found["field"]
        for text in wanted()
        for found in _COUNTED.finditer(text)
        if found["noun"] in _NOUNS and found["field"] not in _NEVER_ONE
    }
    assert set(plain) - _MORE_THAN_ONE == set()
    assert set(wanted()) >= _MORE_THAN_ONE, "a text that is gone"


def test_the_french_texts_count_wherever_the_english_ones_do() -> None:
    """A field that is written with its two forms in English has two forms in French, or stands without a noun."""
    alike = re.compile(r"\b1 (?:fois|accès|mois|avis|refus|cas|envois?)\b")  # one and many are written alike
    forms = re.compile(r"\{[a-z_]+:[^{}|]*\|[^{}|]*\}")
    for text, message in translations().items():
        french = message.string
        if isinstance(french, str) and french and forms.search(text):
            fields = dict.fromkeys(re.findall(r"\{([a-z_]+)", text), Count(1))
            assert "|" not in french.format(**fields), text
            assert not re.search(r"\b1 \w+(?<!plu)s\b", alike.sub("", french.format(**fields))), text


@pytest.mark.parametrize(("count", "said"), [(0, "0 documents"), (1, "1 document"), (2, "2 documents")])
def test_documents(count: int, said: str) -> None:
    text = "{count} {count:document|documents}"
    assert text.format(count=Count(count)) == said
    assert catalogue("en").gettext(text).format(count=Count(count)) == said


def test_none_is_counted_as_each_language_does() -> None:
    """« 0 document retenu » in French, "0 documents held" in English; the words between bars stay the catalogue's."""
    text = "{count} {count:document|documents} held, {copies} {copies:copy|copies} of what you took back"
    for language, none, one in (
        ("fr", "0 document retenu, 0 copie de", "1 document retenu, 2 copies de"),
        ("en", "0 documents held, 0 copies of", "1 document held, 2 copies of"),
    ):
        say = catalogue(language).gettext(text)
        assert say.format(count=Count(0), copies=Count(0)).startswith(none)
        assert say.format(count=Count(1), copies=Count(2)).startswith(one)
    assert f"{Count(7):>3}" == "  7"
