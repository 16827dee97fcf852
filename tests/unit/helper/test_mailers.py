"""Each mail program is told of its attachments as itself wants it; a hostile name is none of it."""

from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath

import pytest

from agent.errors import HostError
from agent.helper import outbox
from agent.helper.mailers import MAX_NAME, attachment_name, command, mailer_of

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
