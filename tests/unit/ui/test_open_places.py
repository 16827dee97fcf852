"""Where an opened document is put: never into a guarded folder, by whatever links the path leads there."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent.ui.cli import open_


@pytest.mark.parametrize(
    ("asked", "home"),
    [("cloud", True), ("link", True), ("cloud/sub", True), ("link/sub", True), ("arrivals", False), ("other", False)],
)
def test_home_where_the_folder_is_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str, home: bool
) -> None:
    for name in ("cloud/sub", "arrivals", "other", "home"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("cloud")
    channels = [
        {"channel": "cloud-sync", "path": str(tmp_path / "cloud")}, {"channel": "removable", "path": None},
        {"channel": "downloads", "path": str(tmp_path / "arrivals")},
    ]  # fmt: skip
    agent = SimpleNamespace(call=lambda _request: {"channels": channels})
    monkeypatch.setattr(open_, "ControlClient", lambda _socket: agent)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    config = SimpleNamespace(control_socket=tmp_path / "s")
    folder = os.fsencode(tmp_path / asked)
    found = open_._home_if_guarded(config, folder)  # type: ignore[arg-type]
    assert found == (os.fsencode(tmp_path / "home") if home else folder)
