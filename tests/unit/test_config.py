"""agent.toml: unknown keys and wrong values are refused with key and expectation; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.config import default_config, load_config
from agent.errors import ConfigError


def load(tmp_path: Path, text: str) -> object:
    path = tmp_path / "agent.toml"
    path.write_text(text)
    return load_config(path)


def test_the_contract_of_the_design_is_read(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        '[agent]\ndata_dir = "/a/b"\nruntime_dir = "/r"\n[policy]\nfile = "/p.yaml"\n[channels.removable]\nenabled = false\n'
        'volumes = ["/mnt/x"]\n[channels.cloud_sync]\nfolders = ["/c/"]\n[channels.downloads]\nenabled = true\nfolders = []\n'
        '[collector]\nurl = "embedded"\n',
    )
    assert config.pictures.enabled
    assert config.agent.data_dir == Path("/a/b")
    assert config.control_socket == Path("/r/agent.sock")
    assert config.policy.file == Path("/p.yaml")
    assert not config.channels.removable.enabled
    assert config.channels.removable.volumes == (Path("/mnt/x"),)
    assert config.channels.cloud_sync.folders == (Path("/c"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[agnet]\n", "unknown key agnet"),
        ("[agent]\ndata = 1\n", "unknown key agent.data"),
        ('[agent]\ndata_dir = "relative"\n', "agent.data_dir should be an absolute path"),
        ("[agent]\nworkers = true\n", "agent.workers should be a whole number"),
        ("[agent]\nworkers = 99\n", "between 1 and 16"),
        ("[channels.removable]\nenabled = 1\n", "channels.removable.enabled should be true or false"),
        ("[channels.cloud_sync]\nfolders = [1]\n", "a list of strings"),
        ("channels = 3\n", "should be a table"),
        ('[policy]\nprofile = "lax"\n', "monitor or enforce"),
        ('[collector]\nurl = "http://elsewhere"\n', "https:// address"),
        ('[collector]\nurl = "http://127.0.0.1.elsewhere.example/"\n', "https:// address"),
        ('[collector]\nurl = "https://"\n', "https:// address"),
        ('[collector]\nurl = "https://["\n', "https:// address"),
        ("[audit]\nevent_days = 181\n", "between 182 and 1096"),
        ("[audit]\nevent_days = 1097\n", "between 182 and 1096"),
        ("[audit]\nprivate_days = 29\n", "between 30 and event_days"),
        ("[audit]\nevent_days = 200\nprivate_days = 201\n", "between 30 and event_days"),
        ("[agent\n", "not valid TOML"),
        ('[agent]\ndata_dir = "/a\\u0000b"\n', "absolute path"),
    ],
)
def test_bad_files_are_refused_with_the_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in str(caught.value)
    assert "agent.toml" in str(caught.value)


def test_missing_and_oversized_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="larger"):
        load(tmp_path, "#" * (2 << 20))
    for spoilt in (b"[agent]\n\0", b"\xff", b"[agent", b"#" * (2 << 20)):
        (tmp_path / "agent.toml").write_bytes(spoilt)
        with pytest.raises(ConfigError) as caught:
            load_config(tmp_path / "agent.toml")
        assert caught.value.hint


def test_a_user_gets_the_own_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/h/share")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    config = default_config(1000)
    assert config.data_dir == Path("/h/share/serment")
    assert config.control_socket == Path("/run/user/1000/serment/agent.sock")
