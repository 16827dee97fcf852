"""The mail program of a desktop of the test: who is chosen for mailto:, and what it was started with."""

from __future__ import annotations

import os
from pathlib import Path

from tests.desktop_bed import DesktopBed


def recorder(desk: DesktopBed, name: str) -> Path:
    """A program called ``name`` that writes down each argument it is given; returns where."""
    folder = desk.base / "bin"
    folder.mkdir(exist_ok=True)
    said = desk.base / f"{name}.said"
    program = folder / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\0" "$@" > {said}.new\nmv {said}.new {said}\n')
    program.chmod(0o755)
    return said


def choose(desk: DesktopBed, desktop_file: str, command: str) -> None:
    """The person's choice for mailto:, as the settings of a desktop write it down."""
    applications = desk.base / "home/.local/share/applications"
    applications.mkdir(parents=True, exist_ok=True)
    (applications / desktop_file).write_text(
        f"[Desktop Entry]\nType=Application\nName=Mail\nExec={command}\nMimeType=x-scheme-handler/mailto;\n"
    )
    (desk.base / "config/mimeapps.list").write_text(f"[Default Applications]\nx-scheme-handler/mailto={desktop_file}\n")


def arguments(said: Path) -> list[str]:
    return [os.fsdecode(word) for word in said.read_bytes().split(b"\0")[:-1]]
