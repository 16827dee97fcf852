"""The installed service at rest: memory, processor time and wake-ups of every process of its unit, and where memory is.

    sudo /opt/serment/bin/python3 installed.py [SECONDS] [PID of the agent]

Run on a laptop (or in the test container) with the package, nothing else asked of it meanwhile. Needs nothing but the
standard library. Prints one JSON object: totals, one line a process, and the largest mappings by file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

_SWITCHES = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)  # wake-ups; not what others interrupt
_MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \S+ *(.*)$")


def members(main: str) -> list[int]:
    """The main process with all that it started, whoever is their parent now: they are of its control group."""
    text = Path(f"/proc/{main}/cgroup").read_text()
    return [
        int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdecimal() and _cgroup(folder) == text
    ]


def _cgroup(folder: Path) -> str:
    try:
        return (folder / "cgroup").read_text()
    except OSError:
        return ""


def used_s(pid: int) -> float:
    """Seconds of processor time, in the scheduler's nanoseconds."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def switches(pid: int) -> int:
    texts = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(number) for text in texts for number in _SWITCHES.findall(text))


def mappings(pid: int) -> Counter[str]:
    """Proportional kilobytes by what is mapped; memory of its own by kind."""
    found: Counter[str] = Counter()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        header = _MAPPING.match(line)
        if header and not line.startswith(("Pss", "Size")):
            name = header[1] or "[anonymous]"
        elif line.startswith("Pss:"):
            found[name] += int(line.split()[1])
    return found


def command(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").split()
    return " ".join(word for word in words if not word.startswith("/"))[:60]


def main_pid() -> str:
    command = ["systemctl", "show", "-P", "MainPID", "serment-agent"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main(seconds: float, pid_of_agent: str) -> None:
    pids = members(pid_of_agent)
    before = {pid: (used_s(pid), switches(pid)) for pid in pids}
    time.sleep(seconds)
    rows, where = [], Counter[str]()
    for pid in [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        held = mappings(pid)
        where += held
        cpu, woken = before[pid]
        rows.append(
            {
                "command": command(pid),
                "pss_mb": round(sum(held.values()) / 1024, 2),
                "cpu_percent": round((used_s(pid) - cpu) / seconds * 100, 4),
                "switches_per_s": round((switches(pid) - woken) / seconds, 3),
                "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
            }
        )
    total = {key: round(sum(row[key] for row in rows), 4) for key in ("pss_mb", "cpu_percent", "switches_per_s")}  # type: ignore[misc]
    largest = {name: round(size / 1024, 2) for name, size in where.most_common(25)}
    print(json.dumps({"seconds": seconds, "total": total, "processes": rows, "where_mb": largest}, indent=1))


if __name__ == "__main__":
    main(
        float(sys.argv[1]) if len(sys.argv) > 1 else 600.0,
        sys.argv[2] if len(sys.argv) > 2 else "serment-agent.service",
    )
