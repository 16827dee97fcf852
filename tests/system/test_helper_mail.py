"""« Send by secure mail »: in the notice and in the window; the attachment plain or sealed as the policy says; a name out
of a hostile document adds no argument and no recipient.
"""

from __future__ import annotations

import email
import email.policy
import os
import stat
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desktop_bed import DesktopBed, desktop, needs, settle
from tests.helper_policies import policy
from tests.mail_bed import arguments, choose, recorder
from tests.running import wait_for
from tests.stick_bed import Bed, bed, letter

pytestmark = [pytest.mark.system, pytest.mark.timeout(300), pytest.mark.xdist_group("desktop")]
HOSTILE = "a',to='voleur@evil.example',subject='x\\x2fy & $(id) --cc=z %s%2f.txt"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DesktopBed]:
    """Programs of the test come before the system's."""
    with desktop(tmp_path) as made:
        monkeypatch.setenv("PATH", f"{made.base}/bin:{os.environ['PATH']}")
        yield made


def _copy(desk: DesktopBed, stick: Bed, name: str) -> None:
    stick.wait_held()
    desk.helper(stick.agent.config)
    (stick.base / "in").mkdir()
    (stick.base / "in" / name).write_bytes(letter(10))
    with pytest.raises(PermissionError):
        (stick.stick.point / name).write_bytes((stick.base / "in" / name).read_bytes())
    wait_for(lambda: desk.windows("dunst"))
    settle()


def test_the_desktops_own_choice_by_way_of_xdg_email(desk: DesktopBed, tmp_path: Path) -> None:
    """Debian's xdg-email, xdg-mime and xdg-open; the program at the end is the test's, and says what it was told."""
    needs("xdg-email", "xdg-mime", "xdg-open")
    said = recorder(desk, "messagerie")
    choose(desk, "org.trial.Messagerie.desktop", f"{desk.base}/bin/messagerie %u")
    with bed(tmp_path, policy=policy(tmp_path, mail="{attach: plain}")) as stick:
        _copy(desk, stick, HOSTILE)
        desk.press("Send by secure mail")
        wait_for(said.exists, 60)
        (word,) = arguments(said)
        assert word.startswith("mailto:?attach=")
        assert urllib.parse.parse_qs(word.partition("?")[2]).keys() == {"attach"}
        (path,) = map(Path, urllib.parse.parse_qs(word.partition("?")[2])["attach"])
        assert path.parent == desk.base / "runtime/serment-mail"
        assert path.read_bytes() == letter(10)
        assert not set(path.name) & set("',\\&%$=/")
        assert path.name.endswith(".txt")
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert stick.listed() == []


def test_thunderbird_with_a_sealed_attachment_from_the_window(desk: DesktopBed, tmp_path: Path) -> None:
    """A recorder stands in for Thunderbird, which is too heavy; the window's button this time, by keyboard."""
    said = recorder(desk, "thunderbird")
    choose(desk, "org.mozilla.thunderbird.desktop", f"{desk.base}/bin/thunderbird %u")
    with bed(tmp_path, policy=policy(tmp_path, mail="{attach: sealed}")) as stick:
        _copy(desk, stick, HOSTILE)
        window = desk.question()
        desk.screenshot("window-mail")
        desk.run("xdotool", "windowfocus", "--sync", window, "key", "Tab", "Return")
        wait_for(said.exists, 60)
        compose, attachment = arguments(said)
        assert compose == "-compose"
        assert attachment.startswith("attachment='file:///")
        assert attachment.count("'") == 2
        assert "," not in attachment
        path = Path(urllib.parse.unquote(attachment.removeprefix("attachment='file://").removesuffix("'")))
        assert path.read_bytes().startswith(b"age-encryption.org/v1")
        assert path.suffix == ".age"
        assert stick.listed() == []
        assert [each["how"] for each in stick.agent.records("restore")] == ["mail"]


def test_the_program_that_the_policy_names_comes_first(desk: DesktopBed, tmp_path: Path) -> None:
    said = recorder(desk, "sylpheed")
    recorder(desk, "thunderbird")
    choose(desk, "thunderbird.desktop", f"{desk.base}/bin/thunderbird %u")
    with bed(tmp_path, policy=policy(tmp_path, mail="{program: sylpheed}")) as stick:
        _copy(desk, stick, "lettre été.txt")
        desk.press("Send by secure mail")
        wait_for(said.exists, 60)
        assert arguments(said) == ["--attach", str(desk.base / "runtime/serment-mail/lettre été.txt")]


def test_a_page_is_opened_with_the_folder_beside_it(desk: DesktopBed, tmp_path: Path) -> None:
    (desk.base / "bin").mkdir()
    opened = desk.base / "opened"
    (desk.base / "bin/xdg-open").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {opened}\n')
    (desk.base / "bin/xdg-open").chmod(0o755)
    address = "https://mss.example.org/new"
    with bed(tmp_path, policy=policy(tmp_path, mail=f'{{page: "{address}"}}')) as stick:
        _copy(desk, stick, "lettre.txt")
        desk.press("Send by secure mail")
        wait_for(lambda: opened.exists() and len(opened.read_text().splitlines()) == 2, 60)
        assert sorted(opened.read_text().splitlines()) == sorted([address, str(desk.base / "runtime/serment-mail")])


def test_claws_mail_begins_a_message_with_the_attachment(desk: DesktopBed, tmp_path: Path) -> None:
    """A real mail program, Debian's: the message that it keeps as a draft has the attachment, and nobody it goes to."""
    needs("claws-mail")
    _claws_account(desk)
    choose(desk, "claws-mail.desktop", "claws-mail --compose %u")
    with bed(tmp_path, policy=policy(tmp_path, mail="{attach: plain}")) as stick:
        _copy(desk, stick, "lettre',cc='x.txt")
        desk.press("Send by secure mail")
        try:
            window = wait_for(lambda: desk.windows("Compose message"), 90)[0]
            settle()
            desk.screenshot("claws-mail")
            draft = desk.base / "home/Mail/draft/1"

            def kept() -> bytes:
                desk.run("xdotool", "windowfocus", "--sync", window, "key", "ctrl+s")
                content = draft.read_bytes() if draft.exists() else b""
                return content if content.rstrip().endswith(b"--") else b""

            content = wait_for(kept, 60, 2.0)
        finally:
            desk.run("claws-mail", "--exit")
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert [str(message[name] or "") for name in ("To", "Cc", "Bcc", "Subject")] == ["", "", "", ""]
        (attached,) = message.iter_attachments()
        assert attached.get_payload(decode=True) == letter(10)
        assert attached.get_filename() == "lettre__cc__x.txt"


def _claws_account(desk: DesktopBed) -> None:
    """An account that it need not ask for; nothing is ever sent or fetched."""
    folder = desk.base / "home/.claws-mail"
    folder.mkdir()
    (folder / "clawsrc").write_text("[Common]\nconfig_version=4\nenable_aspell=0\n")
    (folder / "folderlist.xml").write_text(
        '<?xml version="1.0"?><folderlist><folder type="mh" name="Mailbox" path="Mail"></folder></folderlist>\n'
    )
    (desk.base / "home/Mail").mkdir()
    (folder / "accountrc").write_text(
        "[Account: 1]\naccount_name=essai\nis_default=1\nname=Dr Essai\naddress=essai@mss.example.org\nprotocol=5\n"
    )
