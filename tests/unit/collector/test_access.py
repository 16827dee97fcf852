import os

import pytest

from agent.errors import HostError
from collector import main
from collector.access import Access, load_token


def test_the_token_is_made_once_and_for_its_owner_only(tmp_path, capsys):
    assert main.main(["token", "--pages", "--data", str(tmp_path / "data")]) == 0
    first = capsys.readouterr().out
    assert main.main(["token", "--pages", "--data", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out == first
    assert len(first.strip()) >= 32
    assert (tmp_path / "data" / "token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_is_too_short_opens_nothing(tmp_path):
    for token in ("", "short"):
        with pytest.raises(HostError):
            Access(token)


def test_a_token_file_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "real").write_text("a-token-of-more-than-sixteen")
    os.symlink(tmp_path / "real", tmp_path / "token")
    with pytest.raises(HostError):
        load_token(tmp_path / "token")


def test_bearer():
    access = Access("a-token-of-more-than-sixteen")
    assert access.bearer("Bearer a-token-of-more-than-sixteen")
    assert access.bearer("bearer  a-token-of-more-than-sixteen")
    for header in ("", "Bearer", "Bearer x", "Basic a-token-of-more-than-sixteen", "a-token-of-more-than-sixteen"):
        assert not access.bearer(header)
    assert access.page(access.cookie)
    assert not access.page("")
    assert not access.page("a-token-of-more-than-sixteen")


def test_usage(tmp_path, capsys):
    assert main.main([]) == 64
    assert main.main(["run"]) == 64
    assert main.main(["run", "--data", str(tmp_path), "--port", "99999"]) == 69
