"""Opening logs, and closing them with the test."""

import pytest

from agent.audit.log import AuditLog
from tests.unit.audit.logs import StillClock


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def open_log(folder):
    logs = []

    def open_(**options):
        log = AuditLog.open(folder, clock=StillClock(), **{"flush_after_s": 3600, **options})
        logs.append(log)
        return log

    yield open_
    for log in logs:
        try:
            log.close()
        except Exception:
            pass
