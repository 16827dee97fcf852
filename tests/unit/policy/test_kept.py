"""A policy that was read decides the same after it was kept; what is no policy is never taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.daemon import policy_reader
from agent.daemon.policy_reader import KEPT, read_policy
from agent.errors import PolicyError
from agent.policy.kept import from_plain, to_plain
from agent.policy.load import load_policy
from agent.policy.profiles import PROFILES, profile_bytes

EXAMPLES = [profile_bytes(name) for name in PROFILES] + [
    path.read_bytes() for path in sorted(Path(__file__).resolve().parents[3].glob("docs/**/*.yaml"))
]


@pytest.mark.parametrize("data", EXAMPLES)
def test_it_is_the_same_but_for_its_tests(data: bytes) -> None:
    try:
        policy = load_policy(data, "policy.yaml").policy
    except PolicyError:
        pytest.skip("no policy by itself")
    kept = json.loads(json.dumps(to_plain(policy)))
    assert from_plain(kept) == replace(policy, tests=())


@pytest.mark.parametrize(
    "plain",
    [
        None, 1, "x", [], {}, {"?": "Policy"}, {"?": "nothing"}, {"?": "Decision", "word": "block"},
        {"?": "Decision", "word": "nonsense"}, {"?": "Policy", "name": "a", "rules": [], "more": 1}, {"?": ["Policy"]},
        {"?": "set", "of": 3},
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match="no policy|is not a valid"):
        from_plain(plain)


def test_what_is_nested_without_end_is_refused() -> None:
    plain: object = "x"
    for _ in range(200):
        plain = [plain]
    with pytest.raises(ValueError, match="too deep"):
        from_plain({"?": "Policy", "name": "a", "rules": plain})


def test_the_same_policy_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_policy(profile_bytes("enforce"), "p", tmp_path)
    assert (tmp_path / KEPT).stat().st_mode & 0o077 == 0
    monkeypatch.setattr(policy_reader, "_COMMAND", ("/bin/false",))
    again = read_policy(profile_bytes("enforce"), "p", tmp_path)
    assert again.policy == first.policy
    assert again.policy.tests == ()  # so it came from what was kept: read here it would have them


@pytest.mark.parametrize("change", ["bytes", "file", "program"])
def test_another_policy_path_or_program_reads_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    read_policy(profile_bytes("enforce"), "p", tmp_path)
    before = (tmp_path / KEPT).read_bytes()
    if change == "program":
        monkeypatch.setattr(policy_reader, "__version__", "another")
    data = profile_bytes("monitor" if change == "bytes" else "enforce")
    read_policy(data, "q" if change == "file" else "p", tmp_path)
    assert (tmp_path / KEPT).read_bytes() != before


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"key": 1}', b"null", b"\xff" * 100])
def test_what_was_kept_and_is_damaged_is_read_anew(tmp_path: Path, damage: bytes) -> None:
    first = read_policy(profile_bytes("enforce"), "p", tmp_path)
    (tmp_path / KEPT).write_bytes(damage)
    assert read_policy(profile_bytes("enforce"), "p", tmp_path).policy == first.policy
    assert (tmp_path / KEPT).read_bytes() != damage


def test_a_wrong_policy_is_refused_with_the_same_words(tmp_path: Path) -> None:
    wrong = profile_bytes("enforce") + b"\nsurprise: 1\n"
    with pytest.raises(PolicyError) as here:
        load_policy(wrong, "p")
    with pytest.raises(PolicyError) as there:
        read_policy(wrong, "p", tmp_path)
    assert str(there.value) == str(here.value)
    assert there.value.fields["line"] == here.value.fields["line"]
    assert not (tmp_path / KEPT).exists()


@pytest.mark.parametrize(
    "command", [("/bin/false",), ("/bin/true",), ("/nonexistent",), ("/bin/echo", '{"policy": 1}')]
)
def test_without_a_child_that_answers_it_reads_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(policy_reader, "_COMMAND", command)
    assert read_policy(profile_bytes("enforce"), "p", tmp_path).policy.tests
    with pytest.raises(PolicyError):
        read_policy(b"nonsense: 1", "p", tmp_path)
