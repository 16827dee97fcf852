"""Many documents at once are one notice and one answer, and a record each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.desktop_bed import desktop, settle
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Stick, bed, letter, run

pytestmark = [pytest.mark.system, pytest.mark.timeout(600), pytest.mark.xdist_group("desktop")]
COUNT = 500 if os.environ.get("SERMENT_LONG") else 60


def test_many_refused_files_are_one_notice_one_answer_and_a_record_each(tmp_path: Path) -> None:
    """SERMENT_LONG: 500 files."""
    folder = tmp_path / "dossier"
    folder.mkdir()
    for number in range(COUNT):
        (folder / f"lettre-{number:03}.txt").write_bytes(letter(number % 7 + 1) + b"%d\n" % number)
    sticks = [Stick(tmp_path, size_mib=64)]
    with (
        bed(tmp_path, sticks=sticks, policy=policy(tmp_path, "block", offer="encrypt")) as stick,
        desktop(tmp_path) as desk,
    ):
        stick.wait_held()
        desk.helper(stick.agent.config)
        with desk.session() as bus:
            wait_for(lambda: bus.owner("org.serment.Helper"))
        copied = run(f"cp '{folder}'/*.txt '{stick.stick.point}/'", 400)
        assert copied.stderr.count("Operation not permitted") == COUNT
        (batch,) = stick.agent.client.call("held")
        assert batch["count"] == COUNT
        wait_for(lambda: "Currently displayed: 1" in desk.run("dunstctl", "count"))
        settle()
        desk.screenshot("batch")
        assert len(stick.agent.client.call("helper.news")["notices"]) == 1
        desk.press("Encrypt and copy")  # the one answer
        wait_for(lambda: len([name for name in stick.listed() if name.endswith(".age")]) == COUNT, 400, 0.5)
        wait_for(lambda: stick.agent.client.call("answer.progress")["over"])
        refused = [each for each in stick.agent.records("transfer") if each["decision"] == "block"]
        released = stick.agent.records("release")
        assert len({each["file"] for each in refused}) == COUNT
        assert len({each["held"] for each in released}) == COUNT
        assert {each["batch"] for each in released} == {batch["id"]}
        desk.run("dunstctl", "close-all")
        shown = [each["summary"]["data"] for each in json.loads(desk.run("dunstctl", "history"))["data"][0]]
        assert shown.count("Not copied: your document is safe") == 1
        assert shown.count("Encrypted and copied") == 1
        assert stick.stick.raw(b"SERMENT-ESSAI") == [0]
