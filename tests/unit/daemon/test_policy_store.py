"""A bad policy never replaces a good one: not by an edit, not at a restart; and everybody is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.daemon.policy_store import InForce, PolicyStore
from agent.errors import PolicyError
from agent.policy.profiles import profile_bytes


class Told:
    def __init__(self) -> None:
        self.said: list[tuple[str, PolicyError | None]] = []

    def __call__(self, in_force: InForce, refused: PolicyError | None) -> None:
        self.said.append((in_force.source, refused))


def edited(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_bytes(profile_bytes("enforce"))
    return path


def store(file: Path | None, tmp_path: Path, told: Told | None = None) -> PolicyStore:
    folder = tmp_path / "policy"
    folder.mkdir(exist_ok=True)
    return PolicyStore(file, "monitor", folder, told or Told())


def test_the_configured_file_is_in_force(file: Path, tmp_path: Path) -> None:
    made = store(file, tmp_path)
    assert made.in_force.source == str(file)
    assert made.refused is None


@pytest.mark.timeout(30)
@pytest.mark.parametrize("what", ["pipe", "folder", "endless", "deep"])
@pytest.mark.parametrize("name", ["policy.yaml", "policy/last-good.yaml", "policy/read.json"])
def test_what_is_no_file_neither_holds_nor_ends_the_agent(file: Path, tmp_path: Path, name: str, what: str) -> None:
    store(file, tmp_path)
    place = tmp_path / name
    place.unlink(missing_ok=True)
    if what == "pipe":
        os.mkfifo(place)
    elif what == "folder":
        place.mkdir()
    elif what == "endless":
        place.symlink_to("/dev/zero")
    else:
        place.write_bytes(b"[" * 100_000)
    made = store(file, tmp_path)
    made.refresh(force=True)
    assert made.in_force.compiled.policy.release
    assert made.in_force.source == ("last-good" if name == "policy.yaml" else str(file))
    assert (made.refused is not None) is (name == "policy.yaml")
    assert made.refused is None or made.refused.hint or what == "deep"
    if made.refused is None and name != "policy/read.json":  # kept for the day when the file is bad
        edited(file, b"bad")
        source = store(file, tmp_path).in_force.source
        assert source == ("last-good" if what in {"pipe", "endless", "deep"} else "profile:monitor")


def test_without_a_file_the_shipped_profile_is(tmp_path: Path) -> None:
    assert store(None, tmp_path).in_force.source == "profile:monitor"


def test_a_good_edit_is_taken_and_a_bad_one_is_not(file: Path, tmp_path: Path) -> None:
    told = Told()
    made = store(file, tmp_path, told)
    first = made.release
    edited(file, profile_bytes("monitor"))
    assert made.refresh()
    second = made.release
    assert second != first
    edited(file, profile_bytes("monitor") + b"\nsurprise: 1\n")
    assert not made.refresh()
    assert made.release == second
    assert made.refused is not None
    assert made.refused.fields["found"]
    assert told.said[-1][1] is made.refused
    edited(file, profile_bytes("monitor"))
    made.refresh()
    assert made.refused is None


def test_an_unchanged_file_is_not_read_again(file: Path, tmp_path: Path) -> None:
    told = Told()
    made = store(file, tmp_path, told)
    assert not made.refresh()
    assert told.said == []


@pytest.mark.parametrize("damage", [b"serment: 1\nrules: [", b"", b"\xff\xfe\x00"])
def test_a_restart_with_a_bad_file_uses_the_last_good_copy(file: Path, tmp_path: Path, damage: bytes) -> None:
    release = store(file, tmp_path).release
    edited(file, damage)
    made = store(file, tmp_path)
    assert made.in_force.source == "last-good"
    assert made.release == release
    assert made.refused is not None


def test_a_missing_file_and_no_copy_fall_back_to_the_profile(tmp_path: Path) -> None:
    made = store(tmp_path / "none.yaml", tmp_path)
    assert made.in_force.source == "profile:monitor"
    assert made.refused is not None


def test_a_damaged_copy_does_not_stop_the_agent(file: Path, tmp_path: Path) -> None:
    store(file, tmp_path)
    edited(file, b"bad")
    (tmp_path / "policy" / "last-good.yaml").write_bytes(b"also bad")
    assert store(file, tmp_path).in_force.source == "profile:monitor"


@pytest.mark.skipif(os.getuid() != 0, reason="only root has something to keep others out of")
@pytest.mark.parametrize(("owner", "mode"), [(1000, 0o644), (0, 0o664), (0, 0o646), (0, 0o602)])
def test_a_file_that_others_may_write_does_not_count(file: Path, tmp_path: Path, owner: int, mode: int) -> None:
    """Whoever writes it would name recipients of their own, and open what is sealed from then on."""
    told = Told()
    os.chown(file, owner, 0)
    file.chmod(mode)
    policies = store(file, tmp_path, told)
    assert policies.in_force.source == "profile:monitor"
    assert policies.refused is not None
    assert policies.refused.hint
    os.chown(file, 0, 0)
    file.chmod(0o644)
    assert policies.refresh(force=True)
    assert policies.in_force.source == str(file)
    file.chmod(0o666)
    edited(file, profile_bytes("monitor"))
    policies.refresh()
    assert policies.refused is not None
    assert policies.in_force.source == str(file)  # the good one stays in force
