"""The messages between a gate and the agent: every one comes back as it went, and nothing else is taken."""

from __future__ import annotations

import os
import socket

import pytest

from agent.errors import UntrustedInputError
from agent.gates.asking import DONE, MAX_PACKET, Answer, Ask, Done, Flag, Question, Say, decode
from agent.gates.link import receive, send
from agent.model import Stamp

MESSAGES = [
    Question(1, Ask.HELLO, name=b"token", detail=b"/media/x"),
    Question(2**63, Ask.FILE, Flag.NEW | Flag.LAST, 1000, 4_000_000, 2**40, b"a/\xff\xfe b.txt", b""),
    Question(3, Ask.NAME, Flag.FOLDER, name=b"n" * 4096, detail=b"d" * 4096),
    Answer(7, Say.RELEASE),
    Answer(8, Say.REFUSE, 1),
    Answer(9, Say.SUBSTITUTE, 0, b"document-7Q2F.age"),
    Done(2**63, 0, Stamp(2**33, 2**63, 5, -1, 2**62)),
    Done(5, 0, Stamp(1, 2, 3, 4, 5), b"document-7F3KQ.age"),
    Done(4, 28),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_comes_back_as_it_went(message):
    assert decode(message.encode()) == message
    assert len(message.encode()) <= MAX_PACKET


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_shorter_longer_or_other_packet_is_refused(message):
    packet = message.encode()
    for broken in (packet[:-1], packet + b"x", packet[:1] + b"\x07" + packet[2:], b"", b"\0", bytes([DONE, 1])):
        with pytest.raises(UntrustedInputError):
            decode(broken)


def test_a_name_that_no_path_can_have_is_not_sent():
    with pytest.raises(ValueError, match="too long"):
        Question(1, Ask.NAME, name=b"n" * 4097).encode()


def test_a_descriptor_travels_and_the_end_is_told():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    read, write = os.pipe()
    with one, other:
        send(one, MESSAGES[1], read)
        received = receive(other)
        assert received is not None and received[0] == MESSAGES[1]
        os.write(write, b"bytes")
        assert os.read(received[1], 9) == b"bytes"
        assert not os.get_inheritable(received[1])
        one.close()
        assert receive(other) is None
        os.close(received[1])
    os.close(read)
    os.close(write)


def test_the_descriptor_of_a_damaged_packet_is_closed():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other, open("/dev/null", "rb") as file:
        before = len(os.listdir("/proc/self/fd"))
        socket.send_fds(one, [b"nonsense"], [file.fileno()])
        with pytest.raises(UntrustedInputError):
            receive(other)
        assert len(os.listdir("/proc/self/fd")) == before
