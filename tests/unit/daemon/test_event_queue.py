"""The queue: what has just arrived goes first, nothing is queued twice, a full queue makes the channel wait."""

from __future__ import annotations

import threading
import time

from agent.daemon.event_queue import EventQueue
from agent.model import Cause, ChannelKind, FileEvent, Place

PLACE = Place(ChannelKind.DOWNLOADS, b"/d", 1000)


def event(name: bytes, cause: Cause = Cause.WRITTEN) -> FileEvent:
    return FileEvent(PLACE, name, cause)


def test_new_files_go_before_existing_ones() -> None:
    queue = EventQueue()
    queue.put(event(b"old", Cause.EXISTING))
    queue.put(event(b"new"))
    assert [queue.take().name, queue.take().name] == [b"new", b"old"]


def test_the_same_file_is_queued_once_and_as_new_if_it_is() -> None:
    queue = EventQueue()
    queue.put(event(b"a", Cause.EXISTING))
    queue.put(event(b"a"))
    queue.put(event(b"a", Cause.EXISTING))
    queue.put(event(b"a"))
    taken = queue.take()
    assert taken.cause is Cause.WRITTEN
    assert queue.depth()["fresh"] == 0


def test_a_full_queue_makes_the_channel_wait_and_drops_nothing() -> None:
    queue = EventQueue(capacity=2)
    names = [b"%d" % number for number in range(6)]
    writer = threading.Thread(target=lambda: [queue.put(event(name)) for name in names])
    writer.start()
    time.sleep(0.05)
    assert queue.depth()["fresh"] == 2
    taken = [queue.take().name for _ in names]
    writer.join(5)
    assert taken == names


def test_later_events_come_back_when_due() -> None:
    queue = EventQueue()
    queue.put_later(event(b"late"), 0.05)
    queue.put(event(b"now"))
    assert queue.take().name == b"now"
    assert queue.take().name == b"late"


def test_close_wakes_everybody() -> None:
    queue = EventQueue()
    results: list[object] = []
    reader = threading.Thread(target=lambda: results.append(queue.take()))
    reader.start()
    queue.close()
    reader.join(5)
    assert results == [None]


def test_idle_means_queued_and_under_way() -> None:
    queue = EventQueue()
    queue.put(event(b"a"))
    taken = queue.take()
    assert queue.depth()["active"] == 1
    queue.done(taken)
    assert queue.depth() == {"fresh": 0, "existing": 0, "later": 0, "active": 0}


def test_one_file_is_in_one_thread_at_a_time() -> None:
    queue = EventQueue()
    queue.put(event(b"a"))
    first = queue.take()
    queue.put(event(b"a"))
    queue.put(event(b"b"))
    second = queue.take()
    assert second.name == b"b"
    queue.done(first)
    assert queue.take().name == b"a"
