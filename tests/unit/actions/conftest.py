from __future__ import annotations

from pathlib import Path

import pytest

from tests.acting import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    place = tmp_path / "sync"
    place.mkdir()
    return Desk(place, tmp_path / "data")
