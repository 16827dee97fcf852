"""The gate on a sync folder of the laptop's only disk, on each kernel: what a sync client gets to read, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laptop.clinician import LETTER_NAME, MARK, NOTE, Desk

FOLDER = "/home/medecin/Nextcloud"
CHANNEL = f'[channels.cloud_sync]\nfolders = ["{FOLDER}"]\ndiscover = false\n'
POLL = f"""
import sys, time
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    for name in ("{LETTER_NAME}", "{NOTE}"):
        try:
            print(name, open("{FOLDER}/" + name, "rb").read().count(b"{MARK.decode()}"), flush=True)
        except PermissionError:
            print(name, "refused", flush=True)
        except OSError:
            pass
    time.sleep(0.05)
"""
READ = f"python3 -I -S -c 'import sys; sys.stdout.buffer.write(open(sys.argv[1], \"rb\").read())' {FOLDER}"


@pytest.fixture
def synced(desk: Desk, tmp_path: Path) -> Desk:
    """A laptop with a sync folder that the gate holds."""
    desk.documents()
    (tmp_path / "poll.py").write_text(POLL)
    desk.pc.put(tmp_path / "poll.py", "/home/medecin/poll.py", user="medecin")
    desk.run(f"mkdir {FOLDER}", check=True)
    desk.pc.run("cat >> /etc/serment/agent.toml", stdin=CHANNEL.encode(), check=True)
    desk.pc.run("systemctl restart serment-agent", check=True, timeout=120)
    desk.wait(lambda: desk.strength(FOLDER) == "hold", 120)
    return desk


def test_a_sync_client_gets_what_is_harmless_and_nothing_else(synced: Desk) -> None:
    poll = synced.start("python3 -I -S ~/poll.py 240 > ~/said", timeout=400)
    synced.run(f"cp ~/{LETTER_NAME} ~/{NOTE} {FOLDER}/", check=True)
    synced.wait(lambda: synced.run(f"grep -qx '{NOTE} 0' ~/said").rc == 0, 240)  # an emulated reader starts slowly
    poll.kill()
    said = synced.run("cat ~/said").stdout.splitlines()
    assert not [line for line in said if line.startswith(LETTER_NAME) and line.split()[1] not in {"refused", "0"}]
    assert f"{LETTER_NAME} refused" in said
    assert synced.run("cp /usr/share/common-licenses/GPL-3 ~/elsewhere && wc -c < ~/elsewhere").stdout.strip() != "0"


def test_killed_or_stopped_it_opens_no_door_and_holds_nobody_for_ever(synced: Desk) -> None:
    synced.run(f"cp ~/{NOTE} {FOLDER}/", check=True)
    synced.wait(lambda: synced.run(f"{READ}/{NOTE}").rc == 0, 300)
    synced.pc.run("systemctl kill --kill-whom=main --signal=STOP serment-agent", check=True)
    synced.pc.run("pkill -STOP -f [a]gent.gates.gate", check=True)
    synced.run(f"cp ~/{LETTER_NAME} {FOLDER}/", check=True, timeout=120)  # freed by the holder
    assert synced.run(f"{READ}/{LETTER_NAME}", timeout=120).rc != 0
    synced.pc.run("systemctl kill --kill-whom=main --signal=KILL serment-agent", check=True)
    assert synced.run(f"{READ}/{LETTER_NAME}", timeout=120).rc != 0
    synced.wait(lambda: synced.pc.run("serment status").rc == 0, 240)
    synced.wait(lambda: synced.strength(FOLDER) == "hold", 180)
    synced.wait(lambda: synced.run(f"{READ}/{NOTE}").rc == 0, 300)
    assert synced.run(f"{READ}/{LETTER_NAME}").rc != 0
