"""What runs in each person's own session, under their own systemd: the helper that shows notices, the key of their own.

In a container on the host's kernel, with medecin's session bus and a notification service that writes down what it is
shown. The desktop itself is tested elsewhere (tests/system/test_helper_desktop.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laptop.clinician import LETTER_NAME, letter
from tests.laptop.conftest import IMAGES
from tests.laptop.container import Container
from tests.laptop.package import QUIET, install, later, packages
from tests.laptop.places import CACHE, Result
from tests.laptop.product import fingerprint

FOLDER = "/home/medecin/Nextcloud"
SESSION = "XDG_RUNTIME_DIR=/run/user/1000 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus "
SERVICE = """
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

bus = open_dbus_connection("SESSION")
bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.Notifications"))
print("ready", flush=True)
ANSWERS = {"GetCapabilities": ("as", (["body", "actions"],)), "Notify": ("u", (7,)), "CloseNotification": (None, ()),
           "GetServerInformation": ("ssss", ("test", "test", "1", "1.2"))}
while True:
    call = bus.receive()
    if call.header.message_type is not MessageType.method_call:
        continue
    member = call.header.fields[HeaderFields.member]
    if member == "Notify":
        print("notice:", call.body[3], "|", call.body[4].replace(chr(10), " "), flush=True)
    bus.send(new_method_return(call, *ANSWERS.get(member, (None, ()))))
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Container]:
    """The package, a sync folder that is held, and medecin's own systemd."""
    if not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no image: make test-laptop as root makes them")
    with Container(IMAGES[0]) as machine:
        install(machine, packages(fingerprint())["serment"])
        machine.run(f"mkdir -p {FOLDER}", user="medecin", check=True)
        change = f's#^folders = \\[\\]#folders = ["{FOLDER}"]#'
        machine.run(f"sed -i '/cloud_sync/,/folders/{change}' /etc/serment/agent.toml", check=True)
        machine.run("systemctl restart serment-agent", check=True)
        machine.run("loginctl enable-linger medecin", check=True)
        until(machine, f"{SESSION} systemctl --user is-active default.target")
        yield machine


def until(machine: Container, line: str, user: str = "medecin") -> None:
    done = machine.run(
        f"for i in $(seq 240); do {line} >/dev/null && exit 0; sleep 0.25; done; exit 1", user, timeout=240
    )
    assert done.rc == 0, f"{line}\n{done.text}\n" + machine.run("journalctl --no-pager | tail -30").text


def own(machine: Container, line: str) -> Result:
    return machine.run(f"export {SESSION}; {line}", user="medecin")


def helper(machine: Container) -> str:
    return own(machine, "systemctl --user show -P MainPID serment-helper").stdout.strip()


def test_the_session_starts_the_helper_and_makes_a_key(session: Container) -> None:
    until(session, f"{SESSION} systemctl --user is-active serment-helper")
    assert own(session, "systemctl --user --failed --no-legend --plain").stdout == ""
    assert session.run(f"ps -o user= -p {helper(session)}").stdout.strip() == "medecin"
    assert own(session, "systemctl --user show -P Result serment-login").stdout.strip() == "success"
    assert "age1" in own(session, "serment keys status").stdout


def test_a_refused_document_is_a_notice(session: Container) -> None:
    session.run("cat > /home/medecin/service.py", user="medecin", stdin=SERVICE.encode(), check=True)
    unit = "systemd-run --user --unit notices -q sh -c 'exec /opt/serment/bin/python3 ~/service.py > ~/shown'"
    assert own(session, unit).rc == 0
    until(session, "grep -q ready ~/shown")
    session.run(f"cat > ~/{LETTER_NAME}", user="medecin", stdin=letter(), check=True)
    until(session, f"serment status --json | grep -q '{FOLDER}'")
    session.run(f"cp ~/{LETTER_NAME} {FOLDER}/", user="medecin", check=True)
    session.run(["python3", "-I", "-S", "-c", f"open('{FOLDER}/{LETTER_NAME}').read()"], user="medecin", timeout=120)
    until(session, "grep -q ^notice: ~/shown")


def test_killed_it_comes_back_and_with_the_agent_too(session: Container) -> None:
    until(session, f"{SESSION} systemctl --user is-active serment-helper")
    before = helper(session)
    session.run(f"kill -9 {before}", check=True)
    until(session, f"test $({SESSION} systemctl --user show -P MainPID serment-helper) != {before} && "
                   f"{SESSION} systemctl --user is-active serment-helper")  # fmt: skip
    after = helper(session)
    assert after not in ("0", before)
    session.run("systemctl restart serment-agent", check=True)
    until(session, "serment status --json | grep -q '\"ready\": *true'")
    until(session, f"{SESSION} systemctl --user show -P StatusText serment-helper | grep -q listening")
    assert helper(session) == after


def test_a_second_one_ends_and_a_logout_is_no_failure(session: Container) -> None:
    until(session, f"{SESSION} systemctl --user is-active serment-helper")
    assert own(session, "timeout 30 /opt/serment/bin/serment-helper").rc == 69
    own(session, "systemctl --user stop notices")
    session.run("loginctl disable-linger medecin; systemctl stop user@1000", check=True)
    until(session, "! pgrep -f [s]erment-helper", user="root")
    assert session.run("systemctl --failed --no-legend --plain | grep -v journal").stdout == ""
    said = session.run("journalctl --no-pager -o cat _UID=1000 -p warning").stdout
    assert "Traceback" not in said


@pytest.fixture
def logged_in() -> Iterator[Container]:
    """A laptop without Serment, medecin at work on it."""
    if not (CACHE / IMAGES[0] / "base.raw").exists():
        pytest.skip("no image: make test-laptop as root makes them")
    with Container(IMAGES[0]) as machine:
        machine.run("loginctl enable-linger medecin", check=True)
        until(machine, f"{SESSION} systemctl --user is-active default.target")
        yield machine


def test_who_is_logged_in_need_not_log_in_again(logged_in: Container, tmp_path: Path) -> None:
    """Installed, updated and removed under an open session: its helper comes, is the new one, and is gone."""
    made = packages(fingerprint())["serment"]
    install(logged_in, made)
    until(logged_in, f"{SESSION} systemctl --user is-active serment-helper")
    until(logged_in, f"{SESSION} serment keys status | grep -q age1")
    before = helper(logged_in)
    install(logged_in, later(made, tmp_path))
    until(logged_in, f"{SESSION} systemctl --user is-active serment-helper")
    assert helper(logged_in) not in ("0", before)
    logged_in.run(f"{QUIET} dpkg -r serment </dev/null", check=True)
    assert logged_in.run("pgrep -f '[/]opt/serment'").stdout == ""
    assert own(logged_in, "systemctl --user --failed --no-legend --plain").stdout == ""
