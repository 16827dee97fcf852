"""What the names of files and folders tell, judged by the reader as a line of text and remembered by keyed digest."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from agent.daemon import telling
from agent.daemon.device import DeviceIdentity
from agent.daemon.pipeline import Judge
from agent.findings import Findings
from agent.fsys.atomic import write_all

_NAMES_KEPT = 4096
Tells = Callable[[str, Findings, Findings | None], bool]


class TellingNames:
    """Any thread. ``engine`` names what judges: what another one found counts no more."""

    def __init__(self, judge: Judge, identity: DeviceIdentity, engine: Callable[[], str]) -> None:
        self._judge, self._identity, self._engine = judge, identity, engine
        self._names: OrderedDict[str, Findings | None] = OrderedDict()
        self._lock = Lock()

    def of(self, name: bytes) -> Findings | None:
        """What a telling name is worth to a policy, or the path that it ends; None when neither tells anything."""
        line = telling.line_of(name)
        found = self._known(line, "name", telling.tells) if telling.worth_judging(line) else None
        if found is None and (path := telling.path_of(name)):
            found = self._known(path, "path", telling.tells_together)
        return found

    def _known(self, line: str, kind: str, tells: Tells) -> Findings | None:
        """Kept by keyed digest."""
        key = self._identity.pseudonym(kind, line.encode("utf-8", "replace"), self._engine().encode())
        with self._lock:
            if key in self._names:
                self._names.move_to_end(key)
                return self._names[key]
        rest = telling.without_person(line)
        whole = self._judge_line(line)
        told = tells(line, whole, self._judge_line(rest) if rest else None)
        found = telling.findings_of(whole) if told else None
        with self._lock:
            self._names[key] = found
            while len(self._names) > _NAMES_KEPT:
                self._names.popitem(last=False)
        return found

    def _judge_line(self, line: str) -> Findings:
        data = line.encode("utf-8", "replace")
        fd = os.memfd_create("name", os.MFD_CLOEXEC)
        try:
            write_all(fd, data)
            return self._judge.judge(fd, "txt", len(data))
        finally:
            os.close(fd)
