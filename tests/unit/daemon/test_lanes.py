"""Lanes: bounded, on demand, nobody waits behind another lane's work."""

from __future__ import annotations

import threading

from agent.daemon import lanes
from agent.daemon.lanes import Lane
from tests.running import wait_for


def test_no_more_threads_than_the_lane_is_wide() -> None:
    go, most, now, lock = threading.Event(), [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        go.wait(10)
        with lock:
            now[0] -= 1

    lane = Lane("t", 3, lambda _error: None)
    for _ in range(20):
        assert lane.put(work)
    wait_for(lambda: now[0] == 3)
    go.set()
    wait_for(lambda: now[0] == 0 and not lane._waiting)
    assert most[0] == 3
    lane.close()


def test_threads_end_when_there_is_no_work_and_come_back(monkeypatch) -> None:
    monkeypatch.setattr(lanes, "IDLE_S", 0.05)
    lane, done = Lane("t", 2, lambda _error: None), threading.Event()
    lane.put(done.set)
    assert done.wait(5)
    wait_for(lambda: lane._threads == 0)
    done.clear()
    lane.put(done.set)
    assert done.wait(5)
    lane.close()


def test_full_and_closed_lanes_take_nothing() -> None:
    go = threading.Event()
    lane = Lane("t", 1, lambda _error: None, capacity=2)
    lane.put(lambda: go.wait(10) and None)
    wait_for(lambda: not lane._waiting)
    assert [lane.put(lambda: None) for _ in range(3)] == [True, True, False]
    lane.close()
    go.set()
    assert not lane.put(lambda: None)


def test_work_that_fails_is_told_and_the_lane_goes_on() -> None:
    errors: list[Exception] = []
    lane, done = Lane("t", 1, errors.append), threading.Event()
    lane.put(lambda: 1 // 0)
    lane.put(done.set)
    assert done.wait(5)
    assert [type(error) for error in errors] == [ZeroDivisionError]
    lane.close()
