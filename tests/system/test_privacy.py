"""After a busy hour, no file of ours but the quarantine and the sealed documents holds a name or a text of a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invented import documents
from tests.running import RunningAgent, wait_for

pytestmark = pytest.mark.system
SECRETS = (
    b"VERNICOURT",
    b"Vernicourt",
    b"vernicourt",
    b"ALBRESPY",
    b"284057800608",
    b"CRH_",
    b"ordonnance.pdf",
    b"angor",
)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    tmp_path.chmod(0o755)
    cloud, downloads = tmp_path / "Nextcloud", tmp_path / "Downloads"
    cloud.mkdir()
    downloads.mkdir()
    agent = RunningAgent(tmp_path, cloud=[cloud], downloads=[downloads])
    try:
        yield agent.start()
    finally:
        agent.kill()


def test_logs_caches_and_collector_name_no_document(agent: RunningAgent) -> None:
    for folder in (*agent.cloud, *agent.downloads):
        for name, content in documents().items():
            (folder / name).write_bytes(content)
    agent.settle(2 * len(documents()))
    wait_for(lambda: agent.status()["audit"]["acknowledged"] >= len(agent.records()), 60)
    agent.stop()
    leaks = [
        f"{path}: {secret!r}"
        for path in [agent.base / "agent.err", *sorted(agent.data.rglob("*"))]
        if path.is_file() and "quarantine" not in path.parts
        for secret in SECRETS
        if secret in path.read_bytes()
    ]
    assert leaks == []
    held = [path for path in agent.data.rglob("content") if b"VERNICOURT" in path.read_bytes()]
    assert held, "the control finds nothing: the test would not notice a leak"
