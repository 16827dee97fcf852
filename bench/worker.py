"""What the sandboxed worker costs: one round trip, arming, starting. Ratios to a bare socketpair in the same run.

    python bench/worker.py [--json] [--rounds N]

« bare » is the same pair of processes and the same kind of socket, echoing as many bytes as a request and an answer
hold, without descriptor, decoding or sandbox. The two are measured in turns, so that a noisy machine bothers both.
Budget (design, section 8): worker round trip at most 0.2 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.errors import HostError
from agent.extraction import sandbox, wire, worker
from agent.extraction.client import WorkerPool
from agent.findings import Finding, Findings, FindingType, Judgement

ANSWER = Findings(Judgement.MEDICAL, items=(Finding(FindingType.NIR, sample="1 84 ** ** *** ***"),) * 8)
BUDGET_MS = 0.2
ECHO = """
import socket, sys
s = socket.socket(fileno=int(sys.argv[1]))
answer = bytes(int(sys.argv[2]))
while s.recv(4096):
    s.send(answer)
"""


def trivial_worker() -> int:
    """The real worker around a judge that does nothing; ``size`` 1 asks how long arming took, in microseconds."""
    spent = 0
    real = sandbox.arm

    def timed(*arguments: object, **named: object) -> wire.Report:
        nonlocal spent
        began = time.perf_counter()
        report = real(*arguments, **named)  # type: ignore[arg-type]
        spent = round((time.perf_counter() - began) * 1e6)
        return report

    def judge(_fd: int, _extension: str, size: int) -> Findings:
        return Findings(Judgement.MEDICAL, patients=spent) if size else ANSWER

    sandbox.arm = timed  # type: ignore[assignment]
    return worker.run(sys.argv[1:], lambda: judge)


def timed_ms(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1e3


def round_trips(rounds: int) -> dict[str, float]:
    request = bytes(wire.REQUEST_BYTES)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    size = len(wire.encode_answer(1, ANSWER))
    command = [sys.executable, "-I", "-c", ECHO, str(theirs.fileno()), str(size)]
    pool = WorkerPool(1, module=__file__)
    document = os.memfd_create("document")

    def bare() -> None:
        ours.send(request)
        ours.recv(4096)

    with subprocess.Popen(command, pass_fds=(theirs.fileno(),)):
        theirs.close()
        bare()
        pool.judge(document)
        samples = [(timed_ms(bare), timed_ms(lambda: pool.judge(document))) for _ in range(rounds)]
        ours.close()
    arming = pool.judge(document, "", 1).patients / 1e3
    pool.close()
    os.close(document)
    plain, judged = (sorted(column) for column in zip(*samples, strict=True))
    return {
        "bare_ms": statistics.median(plain),
        "round_trip_ms": statistics.median(judged),
        "round_trip_p99_ms": judged[int(len(judged) * 0.99)],
        "arming_ms": arming,
    }


def start_ms(module: str, times: int) -> float | None:
    """Median of a whole start: process, imports, warm-up, arming, ready. None when this worker cannot start."""
    samples = []
    for _ in range(times):
        pool = WorkerPool(1, module=module)
        try:
            samples.append(timed_ms(pool.prewarm))
        except HostError:
            return None
        finally:
            pool.close()
    return statistics.median(samples)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--json", action="store_true")
    options.add_argument("--rounds", type=int, default=3000)
    given = options.parse_args()
    figures: dict[str, float | None] = dict(round_trips(given.rounds))
    bare_start = statistics.median(
        timed_ms(lambda: subprocess.run([sys.executable, "-I", "-c", ""], check=True)) for _ in range(5)
    )
    figures |= {
        "bare_python_start_ms": bare_start,
        "start_trivial_ms": start_ms(__file__, 5),
        "start_real_ms": start_ms("agent.extraction.worker", 3),
        "round_trip_to_bare": (figures["round_trip_ms"] or 0) / (figures["bare_ms"] or 1),
        "within_budget": float((figures["round_trip_ms"] or 0) <= BUDGET_MS),
    }
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24} {'-' if value is None else round(value, 3)}")
    return 0


if __name__ == "__main__":
    numbers = len(sys.argv) == 6 and all(word.lstrip("-").isdigit() for word in sys.argv[1:])
    sys.exit(trivial_worker() if numbers and Path(__file__).exists() else main())
