"""The month in one notice: counted from the log of what really happened, told once, after an absence too."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.helper.months import _before as before
from tests.desktop_bed import DesktopBed, desktop, settle
from tests.helper_policies import policy
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("desktop")]
SAID = "3 documents chiffrés, 2 retenus."


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    """Three letters were sealed this month, and two refused."""
    with bed(tmp_path, policy=policy(tmp_path, "encrypt")) as made:
        made.wait_held()
        for number in range(3):
            made.put(f"scelle-{number}.txt", letter(number + 1))
            assert made.copy(f"scelle-{number}.txt").returncode == 0
        policy(tmp_path, "block")
        made.agent.client.call("policy.reload")
        for number in range(2):
            made.put(f"refuse-{number}.txt", letter(number + 11))
            assert made.copy(f"refuse-{number}.txt").returncode != 0
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DesktopBed]:
    with desktop(tmp_path, language="fr") as made:
        yield made


def _remembered(desk: DesktopBed, month: str) -> None:
    folder = desk.base / "state/serment"
    folder.mkdir(exist_ok=True)
    (folder / "helper.json").write_text(json.dumps({"tour": True, "month": month}))


def _of_the_month(desk: DesktopBed) -> list[str]:
    return [each["summary"] for each in desk.told() if "chiffrés" in each["body"]]


def test_it_is_told_in_the_next_month_once(desk: DesktopBed, stick: Bed) -> None:
    this = time.strftime("%Y-%m")
    following = before(this, -1)
    _remembered(desk, this)
    desk.helper(stick.agent.config, main="tests.next_month", SERMENT_TEST_MONTH=this)
    time.sleep(1.0)
    assert _of_the_month(desk) == []  # it is not over yet
    desk.end("helper")
    desk.helper(stick.agent.config, main="tests.next_month", SERMENT_TEST_MONTH=following)
    wait_for(lambda: desk.windows("dunst"))
    settle()
    desk.screenshot("month")
    assert [each["body"] for each in desk.told() if "chiffrés" in each["body"]] == [SAID]
    assert _of_the_month(desk) == ["Votre mois avec Serment"]
    desk.end("helper")
    desk.helper(stick.agent.config, main="tests.next_month", SERMENT_TEST_MONTH=following)
    time.sleep(1.0)
    assert _of_the_month(desk) == ["Votre mois avec Serment"]


def test_who_was_away_is_told_of_all_of_it_at_once(desk: DesktopBed, stick: Bed) -> None:
    this = time.strftime("%Y-%m")
    _remembered(desk, before(this, 1))
    desk.helper(stick.agent.config, main="tests.next_month", SERMENT_TEST_MONTH=before(this, -3))
    wait_for(lambda: desk.windows("dunst"))
    assert SAID in [each["body"] for each in desk.told()]
    assert json.loads((desk.base / "state/serment/helper.json").read_text())["month"] == before(this, -3)


def test_a_month_without_anything_is_not_told(desk: DesktopBed, stick: Bed) -> None:
    this = time.strftime("%Y-%m")
    _remembered(desk, before(this, 4))
    desk.helper(stick.agent.config, main="tests.next_month", SERMENT_TEST_MONTH=before(this, 3))
    time.sleep(1.0)
    assert _of_the_month(desk) == []
