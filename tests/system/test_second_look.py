"""Pictures through the running agent: undecidable at once, final when they are read, across kills and unplugging."""

from __future__ import annotations

import io
import os
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.extraction.pixels import missing
from tests.invented import LETTER, MENU
from tests.picture_reader import CRASH, HANG, HARMLESS, MEDICAL, SLOW, picture
from tests.running import RunningAgent, loop_volume, wait_for
from tests.system.accounting import UNFINISHED, Books

pytestmark = pytest.mark.system
KILLS = 60 if os.environ.get("SERMENT_LONG") else 5


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[RunningAgent]:
    """An agent, not started, whose readers obey the picture; a sync folder and a download folder."""
    tmp_path.chmod(0o755)
    folders = tmp_path / "Nextcloud", tmp_path / "Downloads"
    for folder in folders:
        folder.mkdir()
    agent = RunningAgent(
        tmp_path, cloud=folders[:1], downloads=folders[1:], collector="off", pictures=True, main="tests.picture_reader"
    )
    try:
        yield agent
    finally:
        agent.kill()


def looks(agent: RunningAgent) -> dict[str, list[dict[str, Any]]]:
    """File digest → its finished transfer records, in order, of files whose pictures mattered."""
    records = agent.records()
    unfinished = {r["of"] for r in records if r["k"] == "outcome" and r["result"] in UNFINISHED}
    open_ones = {r["i"] for r in records if r["k"] == "transfer" and r.get("act")}
    open_ones -= {r["of"] for r in records if r["k"] == "outcome"}
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        if record["k"] == "transfer" and "pictures" in record and record["i"] not in unfinished | open_ones:
            found[record["file"]].append(record)
    return found


def finals(agent: RunningAgent) -> list[dict[str, Any]]:
    return [record for records in looks(agent).values() for record in records if record["pictures"] == "read"]


def held(agent: RunningAgent) -> set[bytes]:
    return {path.read_bytes() for path in (agent.data / "quarantine").glob("*/content")}


def test_first_undecidable_then_final_and_acted_on(agent: RunningAgent) -> None:
    agent.start()
    (cloud,), (downloads,) = agent.cloud, agent.downloads
    scan = picture(MEDICAL)
    for name, content in {"scan.png": scan, "cat.png": picture(HARMLESS), "blur.png": picture(b"nothing")}.items():
        (cloud / name).write_bytes(content)
    (downloads / "scan.png").write_bytes(scan)
    wait_for(lambda: len(finals(agent)) == 4, 60)
    wait_for(agent.idle)
    for first, final in looks(agent).values():
        assert (first["judgement"], first["problem"], first["pictures"]) == ("undecidable", "image", "unread")
        assert first["decision"] in {"observe", "inform"}
        assert (final["cause"], final["arrival"]) == ("read", "new")
    assert sorted((r["channel"], r["judgement"], r["decision"]) for r in finals(agent)) == [
        ("cloud_sync", "medical", "block"), ("cloud_sync", "not_medical", "observe"),
        ("cloud_sync", "undecidable", "observe"), ("downloads", "medical", "inform"),
    ]  # fmt: skip
    assert held(agent) == {scan}
    assert sorted(path.name for path in cloud.glob("*.png")) == ["blur.png", "cat.png"]
    Books(agent).check_outcomes()
    status = agent.status()["pictures"]
    assert status == {"state": "read", "reason": "", "waiting": 0, "read": 4}
    assert "4 read, 0 waiting" in agent.command("status").stdout
    assert "pictures and scans are read" in agent.command("doctor").stdout
    assert "pictures read" in agent.command("audit", "list").stdout


def test_neither_a_rescan_nor_a_restart_brings_another_look(agent: RunningAgent) -> None:
    agent.start()
    for number, word in enumerate((HARMLESS, b"nothing", CRASH, HANG)):
        (agent.cloud[0] / f"{number}.png").write_bytes(picture(word))
    wait_for(lambda: len(finals(agent)) == 4, 60)
    assert sorted(r.get("problem", "") for r in finals(agent)) == ["", "crashed", "image", "timed-out"]
    before = len(agent.records("transfer"))
    skipped = agent.status()["counts"]["skipped"]
    agent.client.call("rescan")
    wait_for(lambda: agent.status()["counts"]["skipped"] >= skipped + 4 and agent.idle())
    agent.kill()
    agent.start()
    wait_for(lambda: agent.status()["counts"]["skipped"] >= 4 and agent.idle())
    agent.stop()
    assert len(agent.records("transfer")) == before
    assert agent.command("audit", "verify").returncode == 0


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_what_is_owed_when_the_agent_ends_is_read_at_the_next_start(agent: RunningAgent, how: str) -> None:
    agent.start()
    scan = picture(SLOW + MEDICAL)
    (agent.cloud[0] / "scan.png").write_bytes(scan)
    wait_for(lambda: looks(agent))
    agent.kill() if how == "kill" else agent.stop()
    assert finals(agent) == []
    agent.start()
    wait_for(lambda: held(agent) == {scan}, 60)
    wait_for(agent.idle)
    (records,) = looks(agent).values()
    assert [(r["pictures"], r["arrival"]) for r in records] == [("unread", "new"), ("read", "new")]
    Books(agent).check_outcomes()


def test_reading_one_holds_up_nothing_else(agent: RunningAgent) -> None:
    agent.start()
    (agent.cloud[0] / "scan.png").write_bytes(picture(HANG))
    wait_for(lambda: agent.status()["pictures"]["waiting"] == 1)
    (agent.cloud[0] / "letter.txt").write_text(LETTER)
    (agent.downloads[0] / "menu.txt").write_text(MENU)
    wait_for(lambda: held(agent) == {LETTER.encode()} and len(agent.records("transfer")) >= 3)
    assert finals(agent) == []  # the reader is still at it


def test_a_picture_written_anew_while_it_is_read_ends_with_its_last_content(agent: RunningAgent) -> None:
    agent.start()
    path, last = agent.cloud[0] / "scan.png", picture(MEDICAL)
    path.write_bytes(picture(SLOW + HARMLESS))
    wait_for(lambda: agent.status()["pictures"]["waiting"] == 1)
    path.write_bytes(last)
    wait_for(lambda: held(agent) == {last}, 60)
    wait_for(agent.idle)
    assert [record["judgement"] for record in finals(agent)] == ["medical"]
    Books(agent).check_outcomes()


def test_installed_later_it_reads_what_was_owed(agent: RunningAgent) -> None:
    agent.pictures = False
    agent.start()
    scan = picture(MEDICAL)
    (agent.cloud[0] / "scan.png").write_bytes(scan)
    wait_for(lambda: looks(agent))
    status = agent.status()["pictures"]
    assert (status["state"], status["waiting"]) == ("off", 0)
    assert "not read (switched off in agent.toml)" in agent.command("status").stdout
    agent.stop()
    agent.pictures = True
    agent.start()
    wait_for(lambda: held(agent) == {scan}, 60)


def test_a_stick_can_be_unmounted_while_its_pictures_are_read(agent: RunningAgent, tmp_path: Path) -> None:
    with loop_volume(tmp_path) as stick:
        agent.volumes = [stick]
        agent.start()
        (stick / "scan.png").write_bytes(picture(SLOW + MEDICAL))
        wait_for(lambda: agent.status()["pictures"]["waiting"] == 1 and agent.status()["queue"]["active"] == 0)
        wait_for(lambda: subprocess.run(["umount", str(stick)], check=False, capture_output=True).returncode == 0, 1.0)
        assert finals(agent) == []
        wait_for(lambda: agent.status()["pictures"]["waiting"] == 0)
        assert finals(agent) == []  # it was not there any more when it had been read
        subprocess.run(["mount", "-o", "loop", str(tmp_path / "ext4.img"), str(stick)], check=True)
        agent.client.call("rescan")
        wait_for(lambda: list(stick.glob("*.age")), 90)
        wait_for(agent.idle)
        assert not (stick / "scan.png").exists()
        Books(agent).check_outcomes()


def test_a_full_disk_delays_the_second_look_and_loses_nothing(agent: RunningAgent, tmp_path: Path) -> None:
    agent.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(agent.data)], check=True)
    try:
        agent.start()
        scan = picture(SLOW + MEDICAL)
        (agent.cloud[0] / "scan.png").write_bytes(scan)
        wait_for(lambda: agent.status()["pictures"]["waiting"] == 1)
        filler = agent.data / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
        wait_for(lambda: "audit-unwritable" in {t["word"] for t in agent.status()["troubles"]}, 60)
        assert (agent.cloud[0] / "scan.png").read_bytes() == scan
        filler.unlink()
        wait_for(lambda: held(agent) == {scan}, 60)
        wait_for(agent.idle)
        assert len(finals(agent)) == 1
        Books(agent).check_outcomes()
        agent.stop()
        assert agent.command("audit", "verify").returncode == 0
    finally:
        agent.kill()
        subprocess.run(["umount", "-l", str(agent.data)], check=False, capture_output=True)


def test_kills_at_any_moment_leave_two_records_a_picture(agent: RunningAgent) -> None:
    chance = random.Random(20261122)
    (cloud,), (downloads,) = agent.cloud, agent.downloads
    delivered: dict[Path, bytes] = {}
    agent.start()
    for round_number in range(KILLS):
        for number in range(4):
            word = (MEDICAL, HARMLESS, SLOW + MEDICAL, b"nothing")[number]
            path = (cloud, downloads)[round_number % 2] / f"{round_number}-{number}.png"
            delivered[path] = picture(word)
            path.write_bytes(delivered[path])
        time.sleep(chance.uniform(0.0, 2.5))
        agent.kill()
        agent.start()
    wait_for(lambda: len(finals(agent)) >= len(delivered) and agent.idle(), 120, 0.2)
    assert {tuple(r["pictures"] for r in records) for records in looks(agent).values()} == {("unread", "read")}
    assert len(looks(agent)) == len(delivered)
    Books(agent).check_outcomes()
    kept = held(agent)
    for path, content in delivered.items():
        blocked = path.parent == cloud and MEDICAL in content
        assert path.exists() != blocked, path.name
        assert (content in kept) == blocked, path.name
    agent.stop()
    assert agent.command("audit", "verify").returncode == 0


def photographed(text: str) -> bytes:
    """A page with that text as a JPEG, as a scanner makes it at 150 points an inch."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", (1240, 1754), 250)
    ImageDraw.Draw(page).multiline_text((90, 90), text, fill=20, font=ImageFont.load_default(size=24), spacing=10)
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=80, dpi=(150, 150))
    return buffer.getvalue()


@pytest.mark.skipif(bool(missing()), reason="the readers of pictures are not installed (extra ocr)")
def test_real_pictures_are_read_by_the_real_reader(agent: RunningAgent) -> None:
    agent.main = RunningAgent.main
    agent.start()
    letter, menu = photographed(LETTER), photographed(MENU)
    (agent.cloud[0] / "letter.jpg").write_bytes(letter)
    (agent.cloud[0] / "menu.jpg").write_bytes(menu)
    wait_for(lambda: len(looks(agent)) == 2)
    assert {tuple(r["judgement"] for r in records)[0] for records in looks(agent).values()} == {"undecidable"}
    wait_for(lambda: len(finals(agent)) == 2, 120)
    assert sorted((r["judgement"], r["decision"]) for r in finals(agent)) == [
        ("medical", "block"), ("not_medical", "observe"),
    ]  # fmt: skip
    assert held(agent) == {letter}
    assert (agent.cloud[0] / "menu.jpg").read_bytes() == menu
