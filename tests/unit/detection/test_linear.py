"""Linear searches: the direct way and the public one of google-re2 find the same."""

import pytest
import re2

from agent.detection import linear
from agent.detection.linear import any_of, anywhere, at_start, fitting, groups, holding, spans

SAMPLES = (b"", b"a", b"ab12 cd3", b"  x1y22", b"no figure", b"\xe9 1\xe9", b"12 34 56")


@pytest.fixture(params=[True, False], ids=["direct", "wrapped"])
def _way(request, monkeypatch):
    if request.param and not linear._works():
        pytest.skip("this release of google-re2 has no such inner function")
    monkeypatch.setattr(linear, "_DIRECT", request.param)


@pytest.mark.usefixtures("_way")
@pytest.mark.parametrize("pattern", [rb"\d+", rb"[a-z]*", rb"\b\d", rb"x|y"])
def test_spans_are_those_of_the_wrapper(pattern):
    searcher = re2.compile(pattern)
    for sample in SAMPLES:
        assert list(spans(searcher, sample)) == [found.span() for found in searcher.finditer(sample)]


@pytest.mark.usefixtures("_way")
def test_groups_left_out_have_no_place():
    found = [list(each) for each in groups(re2.compile(rb"(\d)|([a-z])"), b"1b")]
    assert found == [[(0, 1), (0, 1), (-1, -1)], [(1, 2), (-1, -1), (1, 2)]]


@pytest.mark.usefixtures("_way")
def test_holding_looks_behind_the_place_but_not_from_before_it():
    holds = holding(re2.compile(rb"\b\d"))
    assert holds(b"x 1")
    assert not holds(b"1 x", 1)
    assert not holds(b"x1", 1)  # no boundary between the two, though the search begins there


@pytest.mark.usefixtures("_way")
def test_fitting_wants_all_of_it():
    fits = fitting(re2.compile(rb"\d+"))
    assert fits(b"12")
    assert not fits(b"12 ")
    assert not fits(b"")


@pytest.mark.usefixtures("_way")
def test_any_byte_is_a_character_and_a_start_is_the_start():
    assert anywhere(rb"[^\n]x")(b"\n\xe9x")
    assert at_start(rb"\d|b")(b"b1")
    assert not at_start(rb"\d|b")(b"ab1")


@pytest.mark.usefixtures("_way")
def test_any_of_is_each_of_them():
    some = any_of(re2.compile(rb"\Aa|b"), re2.compile(rb"\d"))
    assert some(b"a") and some(b"xb") and some(b"x1")
    assert not some(b"xa")
