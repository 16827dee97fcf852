"""The stick is pulled out while a letter is being sealed onto it: the letter is whole at home, and nothing of it is on the
stick in clear, whatever the moment.
"""

from __future__ import annotations

import time

import pytest

from tests.laptop.clinician import LETTER_NAME, MARK, Desk, traces_of_name
from tests.laptop.sticks import find_in_image


@pytest.mark.timeout(900)
@pytest.mark.parametrize("fs", ["vfat", "ext4"])
def test_pulled_out_while_it_is_sealed(desk: Desk, fs: str) -> None:
    desk.documents()
    before = desk.run(f"sha256sum ~/{LETTER_NAME}", check=True).stdout
    for turn, moment in enumerate(
        (0.05, 0.5, 2.0)
    ):  # seconds after the copy began; a verdict takes longer than the last
        path = desk.stick(fs, label=f"CLE{turn}")
        stick = desk.pc.plug(path)
        place = desk.mount(stick.part)
        desk.wait(lambda place=place: desk.strength(place) == "hold")
        copying = desk.start(f"cp ~/{LETTER_NAME} {place}/; sync -f {place}/ 2>/dev/null")
        time.sleep(moment)
        desk.pc.unplug(stick)
        copying.wait()
        desk.wait(lambda place=place: desk.run(f"findmnt {place}").rc != 0)
        assert find_in_image(path, MARK) == []
        assert traces_of_name(path, LETTER_NAME) == 0
        assert desk.run(f"sha256sum ~/{LETTER_NAME}", check=True).stdout == before
    assert desk.pc.run(f"grep -rl {MARK.decode()} /var/lib/serment").stdout == ""
    assert desk.pc.run("serment audit verify").rc == 0
