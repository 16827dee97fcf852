"""A worker in the attacker's hands, without any sandbox: it claims to be confined and answers what it likes.

The extension of the request chooses; the document is a scratch file that it may mark.
"""

import os
import signal
import socket
import sys
import time

from agent.extraction import wire
from agent.findings import Findings, Judgement

UID, GID = int(sys.argv[4]), int(sys.argv[5])
HONEST = wire.Report(UID if UID >= 0 else os.getuid(), max(GID, 0), 2, 7, True, True, True, 0, 1 << 30, 8)
ANSWER = Findings(Judgement.MEDICAL, patients=7)


def first_time(fd: int) -> bool:
    """Whether no worker has had this document before."""
    seen = os.pread(fd, 1, 0) == b"!"
    os.pwrite(fd, b"!", 0)
    return not seen


def answer(channel: socket.socket, request: wire.Request, fd: int) -> None:
    good = wire.encode_answer(request.id, ANSWER)
    match request.extension:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "dieonce" if first_time(fd):
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "stoponce" if first_time(fd):
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(60)
        case "rest":
            time.sleep(0.05)
            channel.send(good)
        case "short":
            channel.send(good[:-1])
        case "one":
            channel.send(b"\0")
        case "huge":
            channel.send(good + bytes(100_000))
        case "long":
            channel.send(good + b"\0")
        case "wrongid":
            channel.send(wire.encode_answer(request.id + 1, ANSWER))
        case "random":
            channel.send(os.urandom(len(good)))
        case "close":
            channel.close()
            time.sleep(60)
        case "twice":
            channel.send(good)
            channel.send(wire.encode_answer(request.id + 1, Findings(Judgement.NOT_MEDICAL)))
        case "flood":
            socket.send_fds(channel, [good], [0] * 100)
        case "fat":
            globals()["kept"] = b"x" * (400 << 20)
            channel.send(good)
        case _:
            channel.send(good)


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    channel.send(wire.encode_ready(HONEST))
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 4096, 4)
        if not message:
            return
        answer(channel, wire.decode_request(message), descriptors[0])
        os.close(descriptors[0])


if __name__ == "__main__":
    main()
