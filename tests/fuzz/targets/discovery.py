"""Which folders leave the laptop: the mount table, and the settings of sync clients and browsers in a user's home."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import HostError
from tests.fuzz.target import Check, Target, must

_MOUNTS = rb"""22 28 0:21 / /proc rw,nosuid - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
36 28 8:17 / /media/odette/CL\303\211\040USB rw,nosuid shared:2 master:1 - vfat /dev/sdb1 rw,uid=1000,utf8
37 28 0:50 / /home/odette/distant rw - fuse.rclone remote: rw,user_id=1000
"""


def _mounts() -> Check:
    from agent.channels import mounts

    def check(data: bytes) -> None:
        found = mounts.parse(data)
        must(len(found) <= data.count(b"\n") + 1, "no more mounts than lines")
        for mount in found:
            mounts.may_be_guarded(mount.point)
            mounts.is_removable(mount, None, listed=False, by_desktop=True)
            mount.option(b"uid")
            must(mount.is_program in {True, False} and mount.read_only in {True, False}, "facts are facts")
        must(set(mounts.visible(found)) <= set(found), "what is visible is mounted")
        must(isinstance(mounts.udisks_points(data), frozenset), "any text has points")

    return check


def _output() -> Check:
    from agent.channels.discovery import _checked

    def check(data: bytes) -> None:
        for found in _checked(data):
            must(found.problem or found.path.startswith(b"/"), "a folder is absolute")

    return check


def _settings(client: str, files: tuple[str, ...], folders: tuple[str, ...] = ()) -> Callable[[], Check]:
    """Any content of a client's settings gives absolute folders; a first byte chooses the file."""

    def prepare() -> Check:
        import importlib

        from agent.channels.discover.reading import Home

        module = importlib.import_module(f"agent.channels.discover.{client}")
        folder = tempfile.TemporaryDirectory(prefix="serment-fuzz-")
        base = Path(folder.name)
        for name in folders:
            (base / name).mkdir(parents=True)

        def check(data: bytes, _keep: object = folder) -> None:
            path = base / files[data[0] % len(files) if data else 0]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[1:])
            try:
                for found in module.find(Home(bytes(base))):
                    must(
                        found.problem or (found.path.startswith(b"/") and b"\0" not in found.path),
                        "a folder is absolute",
                    )
            finally:
                path.unlink()

        return check

    return prepare


def _database(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="serment-fuzz-") as folder:
        path = Path(folder) / "made.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA page_size = 512")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        data = path.read_bytes()
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir()
    return data


def _firefox() -> Check:
    from agent.channels.discover.browsers import _chromium, _saved_to
    from agent.channels.discover.reading import Home

    home = Home(b"/nonexistent-home")

    def check(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for path in (*_saved_to(home, text), *_chromium(home, text)):
            must(path.startswith(b"/") and b"\0" not in path, "a folder is absolute")

    return check


_PREFS = rb"""user_pref("browser.download.folderList", 2);
user_pref("browser.download.dir", "/home/odette/T\u00e9l\u00e9chargements");
user_pref("messenger.save.dir", "/home/odette/Courrier");
"""
_CHROME = b'{"download":{"default_directory":"/home/odette/Bureau"},"savefile":{"default_directory":"~/x"}}'
_NEXTCLOUD = rb"""[Accounts]
0\Folders\1\localPath=/home/odette/Nextcloud/
0\Multifolders\2\localPath="/home/odette/\xe9t\xe9\n"
"""
_DIRS = b'XDG_DESKTOP_DIR="$HOME/Bureau"\nXDG_DOWNLOAD_DIR="$HOME/T\\"\xc3\xa9"\n'
_SYNCTHING = b'<configuration version="37"><folder id="a" path="~/Sync"/><folder path="/srv/b"/></configuration>'
_DROPBOX = b'{"personal": {"path": "/home/odette/Dropbox", "host": 1}}'
_UNIT = b"[Service]\nExecStart=/usr/bin/rclone mount remote:x %h/Remote --vfs-cache-mode full\n"
_WORDS = (
    b"\\x", b"\\xd800", b"\\0", b"\x00", b"~", b"~/", b"$HOME", b"file://", b"..", b"/", b"\\ud800", b"\xed\xa0\x80", b'"', b"'", b"\\",
    b"=", b"[", b"]", b"<!DOCTYPE a>", b"&#0;", b"&amp;", b"<folder path='", b"1e999", b"[" * 1200, b"localPath=", b"path=", b"\x85", b"\x1c",
    b'user_pref("browser.download.dir", ', b"ExecStart=rclone sync ", b"%h", b"-9223372036854775809",
)  # fmt: skip
_SQL = (b"SQLite format 3\0", b"CREATE TABLE", b"localPath", b"\xff\xff\xff\xff", b"WITHOUT ROWID", b"/home/x")
_ONE = "every folder found in the settings is an absolute path, and nothing is raised"


def _clients() -> list[Target]:
    rows = (
        ("nextcloud", (".config/Nextcloud/nextcloud.cfg",), (), [_NEXTCLOUD]),
        ("xdg", (".config/user-dirs.dirs",), (), [_DIRS]),
        ("syncthing", (".config/syncthing/config.xml",), (), [_SYNCTHING]),
        ("dropbox", (".dropbox/info.json", ".dropbox/host.db", ".config/maestral/a.ini"), (),
         [_DROPBOX, b"\x01x\nL2hvbWUvYQ==", b"\x02[sync]\npath = /home/a\n"]),
        ("rclone", (".config/systemd/user/a.service",), (), [_UNIT]),
        ("onedrive", (".config/onedrive/config",), ("OneDrive",), [b'sync_dir = "~/OneDrive"\n']),
        ("seafile", (".ccnet/seafile.ini",), (), [b"/home/odette/Seafile\n"]),
    )  # fmt: skip
    made = [
        Target(f"discover-{client}", _ONE, lambda inputs=inputs: [data if data[0] < 9 else b"\0" + data for data in inputs],
               _settings(client, files, folders), words=_WORDS)
        for client, files, folders, inputs in rows
    ]  # fmt: skip
    databases = (
        ("kdrive", ".config/kDrive/.parms.db", ["CREATE TABLE sync (localPath TEXT)", "INSERT INTO sync VALUES ('/home/a')"]),
        ("pcloud", ".pcloud/data.db", ["CREATE TABLE syncfolder (localpath TEXT)", "INSERT INTO syncfolder VALUES ('/home/a')"]),
        ("insync", ".config/Insync/settings.db", ["CREATE TABLE a (base_path TEXT, x)", "INSERT INTO a VALUES ('/usr', 1)"]),
    )  # fmt: skip
    made += [
        Target(f"discover-{client}", _ONE, lambda statements=statements: [b"\0" + _database(*statements)],
               _settings(client, (file,)), words=_SQL, cpu_s=6.0)
        for client, file, statements in databases
    ]  # fmt: skip
    return made


TARGETS = (
    Target("mountinfo", "any text is a mount table; nothing is raised", lambda: [_MOUNTS], _mounts,
           words=(b" - ", b"\\040", b"\\777", b":", b"uhelper=udisks2", b"TARGET=", b"OPTS=", b"fuse.", b"99999999999")),
    Target("discover-output", "what the discovery process says names absolute folders, or is refused",
           lambda: [b'["nextcloud", "2f686f6d65", ""]\n["mega", "", "not-stated"]\n'], _output, HostError, _WORDS),
    Target("discover-browsers", _ONE, lambda: [_PREFS, _CHROME], _firefox, words=_WORDS),
    *_clients(),
)  # fmt: skip
