"""A locked screen shows nothing of anybody's documents; after unlocking all of it is told, once."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.helper.bus import Bus
from tests.desktop_bed import DesktopBed, desktop
from tests.helper_policies import policy
from tests.logind_bed import Session, logind
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("desktop")]
_SAVER, _SAVER_PATH = "org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Bed]:
    with bed(tmp_path, policy=policy(tmp_path)) as made:
        made.wait_held()
        yield made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DesktopBed]:
    with desktop(tmp_path) as made:
        yield made


class ScreenSaver:
    """Stands in for the session's screen saver, which has no lock screen to show under Xvfb: owns its name, says whether
    it is active, tells when that changes.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus, self._active, self._tell = bus, False, False

    def lock(self) -> None:
        self._active = self._tell = True

    def unlock(self) -> None:
        self._active, self._tell = False, True

    def serve(self) -> None:
        for came in self._bus.arrived():
            if came.is_call and came.member == "GetActive":
                self._bus.answer(came, "b", (self._active,))
        if self._tell:
            self._tell = False
            self._bus.signal(_SAVER_PATH, _SAVER, "ActiveChanged", "b", (self._active,))


@contextlib.contextmanager
def screen_saver(desk: DesktopBed) -> Iterator[ScreenSaver]:
    with desk.session() as bus:
        assert bus.own(_SAVER)
        saver, over = ScreenSaver(bus), threading.Event()

        def serve() -> None:
            while not over.wait(0.02):
                saver.serve()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield saver
        finally:
            over.set()
            thread.join()


Locker = Callable[[DesktopBed], contextlib.AbstractContextManager[Session | ScreenSaver]]


@pytest.mark.parametrize("locker", [logind, screen_saver])
def test_nothing_while_it_is_locked_and_all_of_it_once_afterwards(desk: DesktopBed, stick: Bed, locker: Locker) -> None:
    with locker(desk) as screen:
        screen.lock()
        desk.helper(stick.agent.config)
        _refused(stick, "verrouille.txt", 5)
        _refused(stick, "encore.txt", 6)
        time.sleep(2.0)
        assert desk.windows("dunst") == []
        screen.unlock()
        wait_for(lambda: desk.windows("dunst"), 60)
        for _ in range(3):
            screen.lock()
            screen.unlock()
        time.sleep(2.0)  # an unlocking is heard at once: whatever it would tell again is told by now
        (told,) = desk.told()
        assert told["body"].startswith("« verrouille.txt » and 1 more")


def test_a_screen_that_is_locked_while_it_waits_for_a_film_to_end_stays_dark(desk: DesktopBed, stick: Bed) -> None:
    """The one hindrance goes, the other one is there by then."""
    with logind(desk) as screen:
        desk.helper(stick.agent.config)
        screen.lock()
        _refused(stick, "film.txt", 8)
        with desk.session() as bus:  # somebody else's word on it changes nothing: he is asked, not believed
            bus.signal(_SAVER_PATH, _SAVER, "ActiveChanged", "b", (False,))
            bus.call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "GetId")
        time.sleep(2.0)
        assert desk.windows("dunst") == []
        screen.unlock()
        wait_for(lambda: desk.windows("dunst"), 60)


def _refused(stick: Bed, name: str, number: int) -> None:
    stick.put(name, letter(number))
    assert stick.copy(name).returncode != 0
