"""The clinician in front of the laptop: documents to copy, sticks to put in, what she sees; and what the stick holds.

Documents are invented and marked: each of their RECORDS lines carries a text of its own, so that one that reaches a
medium is counted, wherever it lies.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tests.invented import LETTER, nir_with_key
from tests.laptop.channel import Job
from tests.laptop.machine import Laptop
from tests.laptop.places import Result
from tests.laptop.sticks import find_in_image, make_stick
from tests.laptop.usb import Stick

T = TypeVar("T")
RECORDS = 2048
PATIENTS = 40
MARK = b"vernic-"
TABLE = "Vernicourt_Odette_suivi.csv"
LETTER_NAME = "Courrier_Ortignac.txt"
NOTE = "chaises.txt"
NOTE_TEXT = "Réunion jeudi à 14 h, salle B : penser aux chaises et au projecteur.\n"
FIRST = ("Odette", "Firmin", "Basile", "Aliénor", "Prosper", "Clémence", "Gontran", "Mahaut")
LAST = ("VERNICOURT", "ALBRESPY", "MARCHEGAY", "DUTHEIL-BRAS", "OSTERMANN", "LEPRIOL")


def table(records: int = RECORDS, patients: int = PATIENTS) -> bytes:
    """A list of patients, a marked record a line: refused by the shipped profile.

    Most lines are follow-ups of few words: an emulated processor judges it well within the agent's two seconds.
    """
    lines = ["IPP;Nom;Prénom;Date de naissance;NIR;Diagnostic;Traitement;Dossier"]
    for number in range(patients):
        nir = nir_with_key(
            f"{1 + number % 2}{50 + number:02d}{1 + number % 12:02d}75{100 + number:03d}{1 + number:03d}"
        )
        born = f"{1 + number % 28:02d}/{1 + number % 12:02d}/19{50 + number:02d}"
        who = f"{LAST[number % len(LAST)]};{FIRST[number % len(FIRST)]};{born};{nir}"
        lines.append(f"80{number:08d};{who};Insuffisance cardiaque, diabète de type 2;bisoprolol 2,5 mg;{mark(number)}")
    lines += [f";;;;;;;{mark(number)}" for number in range(patients, records)]
    return "\n".join(lines).encode() + b"\n"


def mark(number: int) -> str:
    return f"{MARK.decode()}{number:04d}"


def letter() -> bytes:
    """About one patient: sealed by the shipped profile."""
    return LETTER.encode() + MARK + b"lettre\n"


def records_on(image: Path) -> int:
    """Marked records anywhere on a medium."""
    return len(find_in_image(image, MARK))


def traces_of_name(image: Path, name: str = TABLE) -> int:
    """A file's name on a medium: as bytes (ext4), in UTF-16 pieces as FAT and exFAT store it, whole as NTFS does."""
    stem = name[:10]
    pieces = (stem.encode(), stem[:5].encode("utf-16-le"), stem[:6].upper().encode() + b"~1")
    return sum(len(find_in_image(image, piece)) for piece in pieces)


class Desk:
    """One clinician, one laptop; ``here`` is the host's folder for her sticks."""

    def __init__(self, pc: Laptop, here: Path) -> None:
        self.pc, self.here = pc, here

    def run(self, line: str, **options: Any) -> Result:
        """As the clinician, in her session."""
        return self.pc.run(line, user="medecin", **options)

    def start(self, line: str, **options: Any) -> Job:
        return self.pc.start(line, user="medecin", **options)

    def documents(self) -> None:
        """On her disk: a table that is refused, a letter that is sealed, a note that concerns nobody."""
        for name, data in ((TABLE, table()), (LETTER_NAME, letter()), (NOTE, NOTE_TEXT.encode())):
            (self.here / name).write_bytes(data)
            self.pc.put(self.here / name, f"/home/medecin/{name}", user="medecin")

    def stick(self, fs: str, label: str = "CLE", **options: Any) -> Path:
        """A new stick in her drawer."""
        return make_stick(self.here / f"{label}-{fs}.img", fs, label=label, **options)

    def mount(self, part: str, options: str = "") -> str:
        """By udisks, as a file manager does; the mount point once the agent guards it."""
        words = self.run(f"udisksctl mount -b {part} {options}", check=True).stdout
        place = words.strip().rsplit(" at ", 1)[1].rstrip(".")
        self.wait(lambda: self.guarded(place))
        return place

    def guarded(self, place: str) -> dict[str, Any] | None:
        """What status says of a volume; None until it is guarded."""
        entries = [entry for entry in self.status()["channels"] if entry["path"] == place]
        return entries[0] if entries and entries[0]["strength"] != "off" else None

    def strength(self, place: str) -> str:
        found = self.guarded(place)
        return found["strength"] if found else "off"

    def eject(self, stick: Stick, part: str = "") -> Result:
        """One click: unmount, then power off."""
        return self.run(f"udisksctl unmount -b {part or stick.part} && udisksctl power-off -b {stick.dev}")

    def has_ntfs(self) -> bool:
        return self.pc.run("modprobe -n -q ntfs3").rc == 0

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.pc.run("serment status --json", check=True).stdout)
        return found

    def judged(self, count: int, timeout: float = 400) -> None:
        """Waits until that many documents have been judged and none waits."""

        def enough() -> bool:
            status = self.status()
            queue = status["queue"]
            return status["counts"]["judged"] >= count and not queue["fresh"] + queue["existing"] + queue["active"]

        self.wait(enough, timeout)

    def wait(self, what: Callable[[], T], timeout: float = 300, every: float = 0.3) -> T:
        deadline = time.monotonic() + timeout
        while not (answer := what()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing in {timeout} s; the journal ends:\n{self.journal()[-3000:]}")
            time.sleep(every)
        return answer

    def journal(self, options: str = "") -> str:
        return self.pc.run(f"journalctl -u serment-agent --no-pager -o cat {options}").stdout

    def audit(self) -> str:
        return self.pc.run("LANG=C serment audit list", check=True).stdout

    def calm(self) -> None:
        """Nothing failed, nothing was complained of, the log holds, and no text, name or mark leaked into the journal."""
        failed = self.pc.run("systemctl --failed --no-legend --plain").stdout
        assert failed == "", failed
        assert self.journal("-p warning") == ""
        assert self.pc.run("serment audit verify").rc == 0
        whole = self.pc.run("journalctl --no-pager -o cat").stdout.casefold()
        for secret in (MARK.decode(), "vernicourt", TABLE.casefold()):
            assert secret not in whole, secret

    def as_found(self, image: Path) -> Path:
        """The stick's bytes as they are at this moment, for a look while it is still in."""
        with contextlib.suppress(FileNotFoundError):
            (self.here / "as-found.img").unlink()
        copied = self.here / "as-found.img"
        copied.write_bytes(image.read_bytes())
        return copied
