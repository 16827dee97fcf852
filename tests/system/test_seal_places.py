"""« Encrypt » in each of its places, by a real agent, read from the raw media afterwards: what leaves is sealed, and the
laptop's own disk (keys, audit log, journal, staging: an image of its own here) holds no byte of a document.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.crypto.keys import KeyStore
from agent.crypto.sealed import unseal
from tests.running import RunningAgent, loop_volume, wait_for
from tests.stick_bed import MARK, PATIENT, Stick, bed, letter
from tests.system.policies import one_rule

pytestmark = [pytest.mark.system, pytest.mark.timeout(240), pytest.mark.skipif(os.getuid() != 0, reason="mounts")]
NAME = "Courrier EXEMPLE Jeanne.txt"
AGE = b"age-encryption.org/v1"


@contextmanager
def own_disk(base: Path) -> Iterator[Path]:
    """The agent's data folder on a scratch disk; its image, to be read once that is unmounted."""
    image = base / "staging.img"
    (base / "data").mkdir()
    with image.open("wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, base / "data"], check=True)
    try:
        yield image
    finally:
        subprocess.run(["umount", "-l", base / "data"], check=False)


def raw(image: Path, *needles: bytes) -> list[int]:
    subprocess.run(["sync"], check=True)
    content = image.read_bytes()
    return [content.count(needle) for needle in needles]


def opened(base: Path, path: Path) -> bytes:
    """With the practice's key."""
    out = os.memfd_create("out")
    try:
        with path.open("rb") as file:
            unseal(file.fileno(), [KeyStore(base / "data/keys").practice_identity()], out)
        return os.pread(out, 1 << 24, 0)
    finally:
        os.close(out)


def sealed_in(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix == ".age")


def test_through_the_airlock_nothing_but_the_sealed_file(tmp_path: Path) -> None:
    """Its commit: no byte of the letter and not its name on the stick, nor on the laptop's own disk."""
    content, needles = letter(20_000), (MARK.encode(), NAME[:12].encode(), PATIENT[:30].encode())  # some megabytes
    with own_disk(tmp_path) as staging, bed(tmp_path, sticks=[Stick(tmp_path, size_mib=48)]) as made:
        made.put(NAME, content)
        made.wait_held()
        assert made.copy(NAME).returncode == 0
        wait_for(lambda: [name for name in made.listed() if name.endswith(".age")], 60)
        (sealed,) = sealed_in(made.stick.point)
        assert opened(tmp_path, sealed) == content
        made.agent.stop()
        assert made.stick.raw(*needles) == [0, 0, 0]
        assert made.stick.raw(AGE)[0] >= 1
        subprocess.run(["umount", tmp_path / "data"], check=True)
        assert raw(staging, *needles[::2]) == [0, 0]
        assert raw(staging, b"AGE-SECRET-KEY-1") == [0]


@pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed")
def test_in_the_sync_folder_the_client_reads_the_sealed_file_alone(tmp_path: Path) -> None:
    """Behind the gate, by a real client that tries from the first moment on; what it uploads lies on a disk of its own."""
    tmp_path.chmod(0o755)
    content = letter(2000)
    (tmp_path / "far").mkdir()
    with (
        own_disk(tmp_path) as staging,
        loop_volume(tmp_path, size_mib=64) as volume,
        loop_volume(tmp_path / "far") as far,
    ):
        cloud = volume / "Nextcloud"
        cloud.mkdir()
        agent = RunningAgent(tmp_path, cloud=[cloud], collector="off", gate=True, policy=tmp_path / "policy.yaml")
        (tmp_path / "policy.yaml").write_text(one_rule("encrypt"))
        words = ["rclone", "copy", "--retries", "1", "--low-level-retries", "1", cloud, far]

        def uploaded() -> list[Path]:
            subprocess.run(words, env=os.environ | {"RCLONE_CONFIG": "/dev/null"}, capture_output=True, check=False)
            return sealed_in(far)

        agent.start()
        try:
            (volume / NAME).write_bytes(content)
            (volume / NAME).rename(cloud / NAME)
            (sealed,) = wait_for(uploaded, 90, 0.2)
            assert opened(tmp_path, sealed) == content
            assert [each.name for each in far.iterdir() if each.name == NAME] == []
            assert [each.name for each in cloud.iterdir() if each.name == NAME] == []
        finally:
            agent.close()
        far_image = tmp_path / "far/ext4.img"
        assert raw(far_image, MARK.encode(), PATIENT[:30].encode()) == [0, 0]
        assert raw(far_image, AGE)[0] >= 1
        subprocess.run(["umount", tmp_path / "data"], check=True)
        assert raw(staging, MARK.encode()) == [0]


def test_after_the_write_one_copy_is_left_and_it_is_sealed(tmp_path: Path) -> None:
    """Where nothing can be held: the document was on the medium, and goes; nothing else of it comes anywhere."""
    tmp_path.chmod(0o755)
    content = letter(2000)
    with own_disk(tmp_path) as staging, loop_volume(tmp_path, size_mib=64) as stick:
        agent = RunningAgent(tmp_path, volumes=[stick], collector="off")
        agent.start()
        try:
            (stick / NAME).write_bytes(content)
            (sealed,) = wait_for(lambda: not (stick / NAME).exists() and sealed_in(stick), 60)
            assert opened(tmp_path, sealed) == content
            assert sealed.stat().st_size < len(content) + 8192
        finally:
            agent.kill()
        image = tmp_path / "ext4.img"
        marks = raw(image, MARK.encode())[0]
        assert marks <= content.count(MARK.encode())  # the blocks it had; never a second copy
        subprocess.run(["umount", tmp_path / "data"], check=True)
        assert raw(staging, MARK.encode()) == [0]
