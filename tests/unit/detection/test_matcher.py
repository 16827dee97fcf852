"""Matching: word boundaries, the longest entry, plural endings, the shorter entry in a longer one's place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.detection.fold import fold
from agent.detection.lexicon import Entry, columns, entries, parse
from agent.detection.matcher import Matcher, matcher


def small(*texts, whole=()):
    lexicon = [Entry(text.encode(), (("term", ""),), ("fr",), whole=text in whole) for text in texts]
    return lambda text: [match.entry.text.decode() for match in Matcher(tuple(lexicon)).find(fold(text).words)]


def test_only_whole_words_match():
    find = small("toux", "art", whole=("art",))
    assert find("la toux") == ["toux"]
    assert find("partoux toute artere") == []


def test_the_longest_entry_wins():
    assert small("insuffisance", "insuffisance cardiaque")("insuffisance cardiaque aiguë") == ["insuffisance cardiaque"]


def test_a_shorter_entry_takes_the_place_of_a_longer_one_that_ends_inside_a_word():
    assert small("insuffisance", "insuffisance card")("insuffisance cardinale") == ["insuffisance"]


@pytest.mark.parametrize("text", ["lésion", "lésions", "Lésions."])
def test_plural_and_case_endings(text):
    assert small("lesion")(text) == ["lesion"]


def test_no_ending_is_added_to_anchors_and_short_words():
    assert small("nom", whole=("nom",))("noms") == []


def test_neighbours_both_match():
    assert small("toux", "fievre")("toux fièvre toux") == ["toux", "fievre", "toux"]


def test_a_phrase_matches_across_one_line_end_and_punctuation():
    assert small("compte rendu")("compte-rendu, compte\nrendu") == ["compte rendu", "compte rendu"]


@settings(deadline=None)  # the first example builds the matcher
@given(st.text(alphabet="toux fievre\n-éè", max_size=80))
def test_matches_are_ordered_apart_and_at_word_boundaries(text):
    words = fold(text).words
    end = 0
    for match in matcher().find(words):
        assert end <= match.start < match.end
        assert words[match.start - 1 : match.start] == b" "
        assert words[match.end : match.end + 1] == b" "
        end = match.end


def test_the_shipped_lexicon_is_sound():
    everything = entries()
    assert len(everything) > 3000
    assert len({entry.text for entry in everything}) == len(everything)
    assert all(len(entry.text) >= 4 for entry in everything if entry.has("drug"))
    assert {language for entry in everything for language in entry.languages} >= {"fr", "en", "de", "it", "es", "nl"}
    assert columns()[b"date de naissance"] == "birth"


@pytest.mark.parametrize("line", ["phrase without a tab", "nonsense\tword", "term\ta |  | b"])
def test_a_malformed_data_line_is_refused(line):
    with pytest.raises(ValueError, match="line 1"):
        parse(line, "fr")
