"""When laptops are to come, and who is let in: pure. And a fleet that comes back after an outage, by a clock of its own."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.reconnect import simulate
from collector.sync.admission import Admission
from collector.sync.schedule import LONGEST_S, SHORTEST_S, VISITS_PER_S, Rhythm, next_visit


@given(st.integers(1, 10**8), st.integers(0, 10**6), st.floats(0, 1), st.integers(0, 2000), st.integers(0, 2000))
def test_the_next_visit_is_in_range(laptops, own, chance, alert, recovering):
    found = next_visit(Rhythm(laptops, 1, 900, alert, recovering), 1000, own, chance)
    assert SHORTEST_S <= found <= LONGEST_S


def test_visits_are_as_seldom_as_the_fleet_is_large():
    assert next_visit(Rhythm(1000), 0, 0, 0.5) == 900
    assert next_visit(Rhythm(900_000), 0, 0, 0.5) == 900_000 // VISITS_PER_S
    assert next_visit(Rhythm(900_000, collectors=2), 0, 0, 0.5) == 900
    assert next_visit(Rhythm(1000, alert_until=10), 0, 0, 0.5) == 45
    assert next_visit(Rhythm(1000, alert_until=10), 11, 0, 0.5) == 900
    assert next_visit(Rhythm(1000, alert_until=10), 0, 300, 0.5) == 300
    assert {next_visit(Rhythm(1000, recovering_until=9), 0, 0, chance) for chance in (0.0, 1.0)} == {450, 1350}


def test_a_burst_is_let_in_and_the_rest_gets_places_in_a_line():
    admission = Admission(rate=10, burst=20)
    assert [admission.ask(0.0, 0.0) for _ in range(20)] == [0] * 20
    waits = [admission.ask(0.0, 0.0) for _ in range(80)]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(80 / 8, abs=1)
    assert admission.ask(0.1, 0.0) == 0  # a token has come
    assert admission.ask(0.1, 0.0) > 0


def test_a_line_has_an_end():
    admission = Admission(rate=1, burst=1)
    waits = [admission.ask(0.0, random.random()) for _ in range(10_000)]
    assert max(waits) <= 1801


def test_a_fleet_comes_back_from_an_outage_without_a_wave():
    """bench/reconnect.py at a tenth of its size; ten seconds are one moment."""
    outcome = simulate(10_000, 1800, rate=50, bucket_s=10)
    assert outcome.laptops == 10_000
    assert outcome.drained_s <= 1800
    assert outcome.peak_over_mean <= 3
    assert outcome.echo_over_mean <= 3


def test_a_collector_that_is_too_small_for_its_fleet_sends_away_and_serves_all_the_same():
    outcome = simulate(10_000, 1800, rate=12, bucket_s=10)
    assert outcome.laptops == 10_000
    assert outcome.later > 0
