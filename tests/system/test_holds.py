"""A clinician copies onto a held stick: what is refused, sealed, kept, given back, told. A real agent, a raw medium."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.crypto.keys import KeyStore
from agent.crypto.sealed import is_sealed, unseal
from tests.running import wait_for
from tests.stick_bed import HARMLESS, MARK, Bed, Stick, bed, letter, run

pytestmark = [pytest.mark.system, pytest.mark.skipif(os.getuid() != 0, reason="mounts need root")]


def policy(base: Path, then: str) -> Path:
    path = base / "policy.yaml"
    path.write_text(
        "serment: 1\npolicy: test/one\ntitle: {fr: Essai, en: Trial}\n"
        "defaults: {existing: observe, arriving: enforce, nothing_matches: observe}\n"
        "rules:\n  - id: one\n    title: {fr: Essai, en: Trial}\n"
        f"    when: {{action: copy, judgement: medical}}\n    then: {then}\n"
        "    message: {fr: Ce document est retenu., en: This document is held.}\n    mode: enforce\n"
        f"tests:\n  - {{given: {{action: copy, document: cda}}, expect: {then}, rule: one}}\n"
    )
    return path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A scratch folder that everybody may pass through; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="serment-test-") as name:
        yield Path(name)


def held_in_quarantine(made: Bed) -> list[dict[str, object]]:
    answer = made.agent.client.call("quarantine.list")
    return [entry for entry in answer if entry["state"] == "held"]


def outcomes(made: Bed) -> list[tuple[str, str]]:
    return [(record["action"], record["result"]) for record in made.agent.records("outcome")]


def test_refused_is_told_kept_and_nowhere_on_the_medium(tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path, "block")) as made:
        made.copy("bonjour.txt")
        for line in (
            "cp {letter} {stick}/lettre-refusee.txt", "cat {letter} > {stick}/lettre-refusee.txt",
            "dd if={letter} of={stick}/bonjour.txt conv=notrunc,fsync status=none",
            "cp {letter} {here}/again && mv {here}/again {stick}/lettre-refusee.txt",
        ):  # fmt: skip
            done = run(line.format(letter=tmp_path / "lettre.txt", stick=made.stick.point, here=tmp_path))
            assert done.returncode != 0, line
            assert "Operation not permitted" in done.stderr or "write error" in done.stderr, done.stderr
        assert (tmp_path / "again").exists()  # mv keeps its source
        assert made.listed() == ["bonjour.txt"]
        assert (made.stick.point / "bonjour.txt").read_text() == HARMLESS  # the old version stays
        contents = {entry["id"]: Path(made.agent.data, "quarantine", str(entry["id"]), "content").read_bytes()
                    for entry in held_in_quarantine(made)}  # fmt: skip
        assert letter() in contents.values()
        assert {each for each in outcomes(made)} == {("block", "done")}
        transfers = [each for each in made.agent.records("transfer") if each.get("act")]
        assert {each["hold"] for each in transfers} == {"file"}
        channel = made.channel()
        assert channel["holds"]["refused"] >= 4  # type: ignore[index]
        assert "lettre-refusee.txt" in made.agent.command("status").stdout  # its owner is told
        assert made.agent.command("audit", "verify").returncode == 0
        made.agent.stop()
        assert made.stick.raw(MARK.encode(), b"lettre-refusee") == [0, 0]
        assert made.stick.raw(HARMLESS.encode())[0] >= 1  # the control: what went is found


def test_sealed_under_a_name_that_says_nothing(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        assert made.copy("lettre.txt", "Mme EXEMPLE.txt").returncode == 0
        wait_for(lambda: len(made.listed()) == 1)  # the writer's own name goes when its last descriptor does
        (name,) = made.listed()
        assert name.startswith("document-") and name.endswith(".age")
        with (made.stick.point / name).open("rb") as file:
            assert is_sealed(file.fileno())
        identity = KeyStore(made.agent.data / "keys").practice_identity()
        with (made.stick.point / name).open("rb") as file, (tmp_path / "open.txt").open("w+b") as plain:
            unseal(file.fileno(), [identity], plain.fileno())
        assert (tmp_path / "open.txt").read_bytes() == letter()
        made.agent.stop()
        assert made.stick.raw(MARK.encode(), b"Mme EXEMPLE") == [0, 0]


def test_held_until_a_reason_is_given_then_it_goes_through_the_airlock(tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path, "justify")) as made:
        assert made.copy("lettre.txt").returncode != 0
        (entry,) = held_in_quarantine(made)
        assert made.listed() == []
        given = made.agent.command("release", str(entry["id"]), "--reason", "transfert au CHU")
        assert given.returncode == 0, given.stderr
        assert made.listed() == ["lettre.txt"]
        assert (made.stick.point / "lettre.txt").read_bytes() == letter()
        assert made.copy("lettre.txt").returncode == 0  # the same document to the same place: released
        made.put("autre.txt", letter(300))
        assert made.copy("autre.txt").returncode != 0  # another one is not


def test_the_document_belongs_to_who_wrote_it(open_folder: Path) -> None:
    with bed(open_folder, policy=policy(open_folder, "block")) as made:
        os.chown(made.stick.point, 4321, 4321)
        (open_folder / "lettre.txt").chmod(0o644)
        done = run(f"setpriv --reuid 4321 --regid 4321 --clear-groups cp {open_folder}/lettre.txt {made.stick.point}/")
        assert "not permitted" in done.stderr, done.stderr
        meta = next(Path(made.agent.data, "quarantine").glob("*/meta.json"))
        assert json.loads(meta.read_text())["uid"] == 4321


@pytest.mark.parametrize(
    ("name", "goes"), [("DUPONT Jeanne née 12-03-1951", False), ("Photos vacances", True), ("Dr Martin", True)]
)
def test_names_of_folders(tmp_path: Path, name: str, goes: bool) -> None:
    with bed(tmp_path) as made:
        done = run(f"mkdir '{made.stick.point}/{name}'")
        assert (done.returncode == 0) is goes
        assert made.listed() == ([name] if goes else [])
        if not goes:
            (record,) = made.agent.records("transfer")
            assert (record["hold"], record["decision"], record["wanted"]) == ("name", "block", "encrypt")
            assert outcomes(made) == [("block", "done")]
            made.agent.stop()
            assert made.stick.raw(b"DUPONT Jeanne") == [0]


def test_a_harmless_document_under_a_telling_name_goes_sealed(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        assert made.copy("bonjour.txt", "DUPONT Jeanne née 12-03-1951.txt").returncode == 0
        wait_for(lambda: len(made.listed()) == 1)
        assert made.listed()[0].endswith(".age")
        made.agent.stop()
        assert made.stick.raw(b"DUPONT Jeanne") == [0]


def test_kill_of_the_agent_in_the_middle_of_a_write(tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path, "block")) as made:
        program = (
            "import sys,time\nout=open(sys.argv[2],'wb',0)\nfor line in open(sys.argv[1],'rb'):\n"
            "    out.write(line); time.sleep(.004)\nout.close()\n"
        )
        writer = subprocess.Popen(
            ["python3", "-c", program, str(tmp_path / "lettre.txt"), f"{made.stick.point}/lettre-refusee.txt"],
            stderr=subprocess.PIPE,
        )
        time.sleep(0.4)
        made.agent.kill(signal.SIGKILL)
        time.sleep(1.2)
        assert writer.poll() is None  # it waits for a verdict at its close
        made.agent.start()
        assert writer.wait(30) != 0
        assert b"Operation not permitted" in (writer.stderr.read() if writer.stderr else b"")
        wait_for(lambda: held_in_quarantine(made))
        assert made.agent.command("audit", "verify").returncode == 0
        made.agent.stop()
        assert made.stick.raw(MARK.encode(), b"lettre-refusee") == [0, 0]


def test_what_went_is_known_at_the_next_look_and_what_lay_there_is_recorded(tmp_path: Path) -> None:
    with bed(tmp_path, start=False) as made:
        run(f"mount -o remount,rw {made.stick.point} && cp {tmp_path}/lettre.txt {made.stick.point}/vieux.txt")
        run(f"mount -o remount,ro {made.stick.point}")
        time.sleep(2.5)  # what changed within two seconds before the guarding counts as new: clocks are coarse
        made.agent.start()
        made.agent.settle(1)
        made.copy("bonjour.txt")
        made.agent.client.call("rescan")
        made.agent.settle(2)
        time.sleep(1.0)
        seen = [(each.get("hold", ""), each["arrival"], each["decision"]) for each in made.agent.records("transfer")]
        assert seen == [("", "existing", "observe"), ("file", "new", "observe")]


def test_a_full_medium_is_told_to_the_program(tmp_path: Path) -> None:
    with bed(tmp_path) as made:
        made.put("gros.bin", os.urandom(40 << 20))
        assert "No space left" in made.copy("gros.bin").stderr


def test_many_at_once(tmp_path: Path) -> None:
    with bed(tmp_path, policy=policy(tmp_path, "block")) as made:
        copies = [
            subprocess.Popen(
                ["cp", str(tmp_path / ("lettre.txt" if n % 2 else "bonjour.txt")), f"{made.stick.point}/f{n}"],
                stderr=subprocess.DEVNULL,
            )
            for n in range(24)
        ]
        assert [copy.wait(60) != 0 for copy in copies] == [bool(n % 2) for n in range(24)]
        assert made.listed() == sorted(f"f{n}" for n in range(0, 24, 2))


def test_what_came_while_no_agent_was_there_is_looked_at(tmp_path: Path) -> None:
    """A trial gives the stick back writable when it ends: what is on it then did not come through the airlock."""
    tmp_path.chmod(0o755)
    with bed(tmp_path, policy=policy(tmp_path, "block"), sticks=[Stick(tmp_path, options="rw")]) as made:
        made.wait_held()
        time.sleep(3)  # what changed just after the arming is looked at anyway
        made.agent.stop()
        assert made.copy("lettre.txt").returncode == 0
        made.agent.start()
        made.wait_held()
        wait_for(lambda: "lettre.txt" not in made.listed(), 60)
        wait_for(lambda: held_in_quarantine(made), 60)  # it goes from the stick first
        assert len(held_in_quarantine(made)) == 1
