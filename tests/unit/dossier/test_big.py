"""A log of 100,000 records: a dossier of one stick stays small, and one of everything stays within bounds."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.dossier.invented_log import OTHER_STICK, log

COUNT = 100_000
MAX_MIB = {"stick": 120, "everything": 900}  # 44 and 651 measured; the JSON of everything has 79 MB
MAX_PROCESSOR_S = 120  # 5 and 11 measured; a quadratic step would take hours

# VmHWM, not ru_maxrss: that one begins with what the parent had
PROGRAM = r"""
import re, sys
from pathlib import Path
from tests.unit.dossier.reading import ALWAYS, DEVICE, dossier, words
from agent.dossier import making
made = dossier(Path(sys.argv[1]), {"everything": ALWAYS, "stick": DEVICE}[sys.argv[2]])
written = making.write(made, words(), {"en": words()})
print(len(made["facts"]["documents"]), len(made["proof"]["records"]), len(written.files["dossier.pdf"]),
      int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024, len(written.files["dossier.json"]))
"""


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("big") / "audit"
    with log(folder) as made:
        for number in range((COUNT - 5) // 2):
            mine = number % 100 == 0
            made.document(**({} if mine else {"device": OTHER_STICK, "volume": "e" * 16}))
    return folder


@pytest.mark.parametrize(
    ("what", "documents"),
    [
        ("stick", 500),
        pytest.param(
            "everything", 49_997, marks=pytest.mark.skipif(not os.environ.get("SERMENT_LONG"), reason="SERMENT_LONG=1")
        ),
    ],
)
def test_time_and_memory_are_bounded(big: Path, what: str, documents: int) -> None:
    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_PROCESSOR_S, MAX_PROCESSOR_S))

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(big), what], capture_output=True, text=True, check=False, preexec_fn=limits,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found, records, pdf_bytes, mib, _json_bytes = map(int, done.stdout.split())
    assert (found, records >= 2 * documents) == (documents, True)
    assert pdf_bytes < 4 << 20 and mib < MAX_MIB[what]
