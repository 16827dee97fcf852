"""Each mail program is told of its attachments as itself wants it; a hostile name is none of it."""

from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath

import pytest

from agent.errors import HostError
from agent.helper import outbox
from agent.helper.mailers import MAX_NAME, attachment_name, command, mailer_of
from tests.running import wait_for

TWO = [PurePosixPath("/run/u/a b.txt"), PurePosixPath("/run/u/é.age")]


@pytest.mark.parametrize(
    ("mailer", "words"),
    [
        ("thunderbird", ["thunderbird", "-compose", "attachment='file:///run/u/a%20b.txt,file:///run/u/%C3%A9.age'"]),
        ("claws-mail", ["claws-mail", "--attach", "/run/u/a b.txt", "/run/u/é.age"]),
        ("kmail", ["kmail", "--attach", "/run/u/a b.txt", "--attach", "/run/u/é.age"]),
        ("xdg-email", ["xdg-email", "--utf8", "--attach", "/run/u/a b.txt", "--attach", "/run/u/é.age"]),
        ("", ["xdg-email", "--utf8", "--attach", "/run/u/a b.txt", "--attach", "/run/u/é.age"]),
    ],
)
def test_command_lines(mailer: str, words: list[str]) -> None:
    assert command(mailer, TWO) == words


@pytest.mark.parametrize(
    ("file", "mailer"),
    [
        ("thunderbird.desktop", "thunderbird"), ("org.mozilla.Thunderbird.desktop\n", "thunderbird"),
        ("claws-mail.desktop", "claws-mail"), ("org.kde.kmail2.desktop", "kmail"), ("org.kde.kmail-view.desktop", "kmail"),
        ("org.gnome.Evolution.desktop", ""), ("", ""), ("firefox.desktop", ""),
    ],
)  # fmt: skip
def test_whose_a_desktop_file_is(file: str, mailer: str) -> None:
    assert mailer_of(file) == mailer


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("lettre été.pdf", "lettre été.pdf"), ("a',to='x@y.z.txt", "a__to=_x_y.z.txt".replace("=", "_")),
        ("--attach.txt", "attach.txt"), ("..", "document"), ("", "document"), ("a\nb\x1b[31m\u202etxt.pdf", "a_b__31m_txt.pdf"),
        ("c:\\x2f..\\x2fid_rsa", "c__x2f._x2fid_rsa"), ("x" * 300 + ".docx", "x" * (MAX_NAME - 5) + ".docx"),
        ("$(id)`id`;%2f&#.odt", "(id)_id___2f__.odt"), ("IRM.dcm.age", "IRM.dcm.age"),
    ],
)  # fmt: skip
def test_names_of_attachments(name: str, harmless: str) -> None:
    assert attachment_name(name) == harmless
    assert attachment_name(harmless) == harmless
    assert shlex.quote(harmless).strip("'") == harmless


def test_any_name_becomes_one_that_no_program_misreads(hostile_name: bytes) -> None:
    made = attachment_name(hostile_name.decode("utf-8", "surrogateescape"))
    assert made == attachment_name(made)
    assert 0 < len(made) <= MAX_NAME
    assert not set(made) & set("'\"\\,;&%$`=<>|*?/\n\r\t")
    assert made[0] not in ".-"
    made.encode("utf-8")


def test_the_attachment_is_renamed_and_takes_nobodys_place(tmp_path: Path) -> None:
    (tmp_path / "a_.txt").write_bytes(b"other")
    (tmp_path / "a'.txt").write_bytes(b"mine")
    made = outbox._harmless(tmp_path / "a'.txt")
    assert (made.name, made.read_bytes()) == ("a_ (2).txt", b"mine")
    assert {path.name for path in tmp_path.iterdir()} == {"a_.txt", "a_ (2).txt"}


def test_without_any_mail_program_it_is_said_where_the_document_lies(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    with pytest.raises(HostError) as refused:
        outbox.compose([bytes(tmp_path / "a.txt")], "", "", {"PATH": str(tmp_path)})
    assert str(tmp_path) in refused.value.said(str)[1]


def _programs(folder: Path, exit_status: int) -> dict[str, str]:
    """A person's service manager, systemd-run that says what it was asked, and a mail program that says it was begun."""
    (folder / "systemd").mkdir()
    (folder / "systemd/private").touch()
    for name, ends in (("systemd-run", exit_status), ("mailer", 0)):
        program = folder / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"$0.new" && mv "$0.new" "$0.said"\nexit {ends}\n')
        program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "XDG_RUNTIME_DIR": str(folder), "DISPLAY": ":9"}


def test_a_program_neither_shares_the_helpers_bounds_nor_ends_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = _programs(tmp_path, 0)
    monkeypatch.setenv("PATH", environment["PATH"])
    outbox.start(["mailer", "--attach", "/run/u/$HOME Vernicourt.pdf"], environment)
    said = (tmp_path / "systemd-run.said").read_text().splitlines()
    assert said[said.index("--") + 1 :] == ["mailer", "--attach", "/run/u/$$HOME Vernicourt.pdf"]
    options = said[: said.index("--")]
    assert {"--user", "--property=ExitType=cgroup", "--setenv=DISPLAY", "--setenv=PATH"} <= set(options)
    assert any(each.startswith("--description=") and "Vernicourt" not in each for each in options)
    assert not (tmp_path / "mailer.said").exists()


def test_a_manager_that_does_not_start_it_and_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = _programs(tmp_path, 1)
    monkeypatch.setenv("PATH", environment["PATH"])
    for there in (True, False):
        if not there:
            (tmp_path / "systemd/private").unlink()
        outbox.start(["mailer", "a"], environment)
        wait_for((tmp_path / "mailer.said").exists, 20)
        (tmp_path / "mailer.said").unlink()
    with pytest.raises(HostError):
        outbox.start(["no-such-mailer"], environment)
