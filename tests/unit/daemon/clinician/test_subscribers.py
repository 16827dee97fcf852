"""Helpers that listen: told of their own, bounded, dropped when gone, never waited for."""

from __future__ import annotations

import socket

from agent.daemon.clinician.subscribers import MOST_EACH, Subscribers


def _pair(subscribers: Subscribers, uid: int) -> socket.socket:
    ours, theirs = socket.socketpair()
    subscribers.adopt(uid, ours)
    theirs.setblocking(False)
    return theirs


def _heard(theirs: socket.socket) -> bytes:
    try:
        return theirs.recv(4096)
    except BlockingIOError:
        return b"nothing"


def test_each_person_hears_of_the_own_alone() -> None:
    subscribers = Subscribers()
    one, other = _pair(subscribers, 1000), _pair(subscribers, 1001)
    subscribers.tell(1000, "notices")
    assert _heard(one) == b'{"news":"notices"}\n'
    assert _heard(other) == b"nothing"
    subscribers.tell(None, "status")
    assert _heard(one) == _heard(other) == b'{"news":"status"}\n'


def test_one_that_is_gone_is_dropped() -> None:
    subscribers = Subscribers()
    theirs = _pair(subscribers, 1000)
    assert subscribers.listening(1000)
    theirs.close()
    assert not subscribers.listening(1000)
    subscribers.tell(1000, "notices")


def test_the_oldest_of_a_person_makes_room() -> None:
    subscribers = Subscribers()
    all_of_them = [_pair(subscribers, 1000) for _ in range(MOST_EACH + 1)]
    assert _heard(all_of_them[0]) == b""
    subscribers.tell(1000, "notices")
    assert all(_heard(each) == b'{"news":"notices"}\n' for each in all_of_them[1:])


def test_one_that_does_not_read_holds_up_nobody() -> None:
    subscribers = Subscribers()
    deaf, other = _pair(subscribers, 1000), _pair(subscribers, 1000)
    for _ in range(50_000):  # far more than a socket takes
        subscribers.tell(1000, "notices")
        _heard(other)
    subscribers.tell(1000, "status")
    assert b"status" in _heard(other)
    assert _heard(deaf).startswith(b'{"news":"notices"}\n')
