"""Somebody logs in for the first time while the agent runs: their folders are guarded without a restart of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.invented import LETTER
from tests.running import RunningAgent, wait_for

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
UID = 64_123
_NOBODY_ELSE = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"


class Finding(RunningAgent):
    """It looks for folders of the laptop's persons; whose laptop it is, ``passwords`` says."""

    def write_config(self) -> None:
        super().write_config()
        text = self.config.read_text(encoding="utf-8").replace("discover = false", "discover = true")
        volumes, others = text.split("[channels.cloud_sync]")
        volumes = volumes.replace("discover = true", "discover = false")  # never the sticks of the machine
        self.config.write_text(f"{volumes}[channels.cloud_sync]{others}", encoding="utf-8")


@pytest.fixture
def laptop() -> Iterator[tuple[RunningAgent, Path]]:
    """In a folder that persons reach: pytest keeps its own from others."""
    with tempfile.TemporaryDirectory(prefix="serment-newcomer-") as name:
        base = Path(name)
        base.chmod(0o755)
        passwords = base / "passwd"
        passwords.write_text(_NOBODY_ELSE)
        own = {"SERMENT_TEST_PASSWD": str(passwords)}
        agent = Finding(base, collector="off", main="tests.own_passwords", environment=own)
        try:
            yield agent.start(), passwords
        finally:
            agent.close()


def test_a_first_login_is_guarded_without_a_restart(laptop: tuple[RunningAgent, Path]) -> None:
    agent, passwords = laptop
    assert [each for each in agent.status()["channels"] if each["path"]] == []
    home = _home(agent.base / "zoe")
    with passwords.open("a", encoding="ascii") as file:  # as a directory's user, whom nobody knew at the start
        file.write(f"zoe:x:{UID}:{UID}:Zoe:{home}:/bin/bash\n")
    guarded = wait_for(lambda: {each["path"] for each in agent.status()["channels"] if each["path"]}, 60)
    assert guarded <= {str(home / "Nextcloud"), str(home / "Downloads")}
    wait_for(lambda: len([each for each in agent.status()["channels"] if each["path"]]) == 2, 60)
    letter = home / "Nextcloud/lettre.txt"
    letter.write_text(LETTER, encoding="utf-8")
    os.chown(letter, UID, UID)
    wait_for(lambda: [each["decision"] for each in agent.records("transfer")], 60)
    assert [each.name for each in (agent.data / "keys").rglob(f"*{UID}*")], "no key of one's own: nothing to seal to"


def _home(path: Path) -> Path:
    for folder in (path, path / "Nextcloud", path / "Downloads", path / ".config", path / ".config/Nextcloud"):
        folder.mkdir()
        os.chown(folder, UID, UID)
    settings = path / ".config/Nextcloud/nextcloud.cfg"
    settings.write_text(f"[Accounts]\n0\\Folders\\1\\localPath={path}/Nextcloud/\n")
    os.chown(settings, UID, UID)
    return path
