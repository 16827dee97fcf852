"""Each client's own settings, as the client writes them, and as a hostile user might."""

import base64
import json
import os
import sqlite3

import pytest

from agent.channels.discover import (
    CLOUD,
    DOWNLOADS,
    browsers,
    dropbox,
    insync,
    kdrive,
    mega,
    nextcloud,
    onedrive,
    pcloud,
    rclone,
    seafile,
    syncthing,
    xdg,
)
from agent.channels.discover.reading import MAX_FILE, Home, qt_value


@pytest.fixture
def home(tmp_path):
    return tmp_path


def put(home, name, text):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def database(home, name, *statements):
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        for statement, *values in statements:
            connection.execute(statement, values)
    connection.close()


def find(module, home):
    return [(found.service, found.path or found.problem) for found in module.find(Home(os.fsencode(home)))]


def test_nextcloud_and_owncloud(home):
    put(
        home,
        ".config/Nextcloud/nextcloud.cfg",
        "[General]\nclientVersion=3.13.0\n\n[Accounts]\n0\\Folders\\1\\localPath=/home/alma/Nextcloud/\n"
        "0\\Folders\\1\\targetPath=/\n0\\Folders\\2\\localPath=/home/alma/Cabinet m\\xe9\\x64ical \\x2013/\n"
        '0\\FoldersWithPlaceholders\\1\\localPath="/srv/a;b/"\n0\\url=https://anne@Cloud.Example:8443/nc\nversion=2\n',
    )
    put(home, ".config/ownCloud/owncloud.cfg", "[Accounts]\n0\\Folders\\1\\localPath=/home/alma/ownCloud/\n")
    hosts = [found.host for found in nextcloud.find(Home(os.fsencode(home)))]
    assert hosts == ["cloud.example", "cloud.example", "cloud.example", ""]
    assert find(nextcloud, home) == [
        ("nextcloud", b"/home/alma/Nextcloud"),
        ("nextcloud", "/home/alma/Cabinet médical –".encode()),
        ("nextcloud", b"/srv/a;b"),
        ("owncloud", b"/home/alma/ownCloud"),
    ]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("/home/a/Nextcloud/", "/home/a/Nextcloud/"),
        ('"/srv/a;b/"', "/srv/a;b/"),
        ("/h/M\\xe9\\x64 \\x20ac!", "/h/Méd €!"),
        ("/h/\\xd83d\\xde00", "/h/😀"),
        ("a\\\\b\\n\\", "a\\b\n\\"),
        ("\\x", ""),
        ("", ""),
        ("\\xd83d", "\ufffd"),
    ],
)
def test_qt_values(raw, value):
    assert qt_value(raw) == value


def test_dropbox(home):
    accounts = {"personal": {"path": "/home/alma/Dropbox", "host": 1}, "business": {"path": "/home/alma/Dropbox (Pro)"}}
    put(home, ".dropbox/info.json", json.dumps(accounts))
    put(home, ".config/maestral/maestral.ini", "[auth]\npath = no\n[sync]\npath = /home/alma/Maestral\n")
    assert [path for _, path in find(dropbox, home)] == [
        b"/home/alma/Dropbox",
        b"/home/alma/Dropbox (Pro)",
        b"/home/alma/Maestral",
    ]


def test_dropbox_of_old_and_dropbox_that_says_nothing(home):
    put(home, ".dropbox/host.db", b"0\n" + base64.b64encode("/home/alma/Boîte".encode()) + b"\n")
    assert find(dropbox, home) == [("dropbox", "/home/alma/Boîte".encode())]
    (home / ".dropbox/host.db").write_text("0\n%%%\n")
    assert find(dropbox, home) == []
    (home / "Dropbox").mkdir()
    assert find(dropbox, home) == [("dropbox", os.fsencode(home / "Dropbox"))]


def test_onedrive(home):
    put(home, ".config/onedrive/config", '# sync_dir = "~/no"\nsync_dir = "~/OneDrive"\nskip_file = "~*|.~*|*.tmp"\n')
    put(home, ".config/sharepoint/config", 'sync_dir = "/srv/partage"\n')
    put(home, ".config/sharepoint/items.sqlite3", b"")
    put(home, ".config/other/config", 'sync_dir = "/not/onedrive"\n')
    assert find(onedrive, home) == [("onedrive", os.fsencode(home / "OneDrive")), ("onedrive", b"/srv/partage")]


def test_onedrive_default(home):
    put(home, ".config/onedrive/config", "")
    assert find(onedrive, home) == []
    (home / "OneDrive").mkdir()
    assert find(onedrive, home) == [("onedrive", os.fsencode(home / "OneDrive"))]


def test_rclone_units(home):
    put(
        home,
        ".config/systemd/user/rclone-drive.service",
        "[Service]\nType=notify\nExecStart=/usr/bin/rclone mount --vfs-cache-mode full drive:cabinet %h/Drive\n",
    )
    put(
        home,
        ".config/systemd/user/sync.service",
        '[Service]\nExecStart=rclone bisync "/srv/mes docs" box: \\\n --force\n',
    )
    put(
        home,
        ".config/systemd/user/logged.service",
        "[Service]\nExecStart=/usr/bin/rclone mount photos: %h/Photos --config %h/.config/rclone/rclone.conf "
        "--log-file /var/log/rclone.log --cache-dir=%h/.cache/rclone --exclude-from /etc/not\n",
    )
    put(home, ".config/systemd/user/local.service", "[Service]\nExecStart=rclone sync /a /b\n")
    put(home, ".config/systemd/user/bad.service", '[Service]\nExecStart=rclone mount x: "/unclosed\n')
    put(home, ".config/systemd/user/other.service", "[Service]\nExecStart=/bin/mount x: /y\n")
    folders = [os.fsencode(home / "Drive"), os.fsencode(home / "Photos"), b"/srv/mes docs"]
    assert sorted(find(rclone, home)) == sorted(("rclone", folder) for folder in folders)


def test_insync(home):
    base = home / "Google Drive"
    (base / "Patients").mkdir(parents=True)
    database(
        home,
        ".config/Insync/data/gd-1.db",
        ("CREATE TABLE fs_items (id INTEGER, local_path TEXT, name TEXT)",),
        ("INSERT INTO fs_items VALUES (1, ?, 'x')", str(base)),
        ("INSERT INTO fs_items VALUES (2, ?, 'x')", str(base / "Patients")),
        ("INSERT INTO fs_items VALUES (3, '/nowhere', 'x')",),
        ("INSERT INTO fs_items VALUES (4, ?, 'x')", str(home)),
        ('CREATE TABLE "evil; drop" (path TEXT)',),
    )
    assert find(insync, home) == [("insync", os.fsencode(base))]


def test_insync_that_says_nothing(home):
    put(home, ".config/Insync/settings.db", b"not a database")
    assert find(insync, home) == [("insync", "not-stated")]
    (home / "Insync/alma@example.org").mkdir(parents=True)
    assert find(insync, home) == [("insync", os.fsencode(home / "Insync/alma@example.org"))]


def test_mega(home):
    assert find(mega, home) == []
    (home / ".local/share/data/Mega Limited/MEGAsync").mkdir(parents=True)
    assert find(mega, home) == [("mega", "not-stated")]
    put(home, "Documents/Cabinet/.megaignore", b"#\n")
    (home / "Photos/.debris").mkdir(parents=True)
    put(home, "a/b/c/d/.megaignore", b"")
    assert find(mega, home) == [
        ("mega", os.fsencode(home / "Photos")),
        ("mega", os.fsencode(home / "Documents/Cabinet")),
    ]


def test_pcloud_kdrive_seafile(home):
    database(
        home,
        ".pcloud/data.db",
        (
            "CREATE TABLE syncfolder (id INTEGER PRIMARY KEY, folderid INTEGER, localpath VARCHAR(4096), synctype INTEGER)",
        ),
        ("INSERT INTO syncfolder VALUES (1, 2, '/home/alma/pCloud Sync', 3)",),
        ("INSERT INTO syncfolder VALUES (2, 3, NULL, 3)",),
    )
    database(
        home,
        ".config/kDrive/.parms.db",
        (
            "CREATE TABLE sync (dbId INTEGER PRIMARY KEY, driveDbId INTEGER, localPath TEXT, paused INTEGER) WITHOUT ROWID",
        ),
        ("INSERT INTO sync VALUES (1, 1, '/home/alma/kDrive', 0)",),
    )
    put(home, ".ccnet/seafile.ini", f"{home}/sf-data\n")
    database(
        home,
        "sf-data/repo.db",
        ("CREATE TABLE RepoProperty (repo_id TEXT, key TEXT, value TEXT)",),
        ("INSERT INTO RepoProperty VALUES ('r', 'worktree', '/home/alma/Seafile/Dossiers')",),
        ("INSERT INTO RepoProperty VALUES ('r', 'token', '/not/this')",),
    )
    assert find(pcloud, home) == [("pcloud", b"/home/alma/pCloud Sync")]
    assert find(kdrive, home) == [("kdrive", b"/home/alma/kDrive")]
    assert find(seafile, home) == [("seafile", b"/home/alma/Seafile/Dossiers")]


def test_a_database_in_use_is_read(home):
    """The client holds it open with a write-ahead log."""
    path = home / ".pcloud/data.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE syncfolder (localpath TEXT)")
    connection.execute("INSERT INTO syncfolder VALUES ('/home/alma/P')")
    connection.commit()
    assert find(pcloud, home) == [("pcloud", b"/home/alma/P")]
    connection.close()


def test_syncthing(home):
    put(
        home,
        ".local/state/syncthing/config.xml",
        '<configuration version="37"><folder id="x" label="D" path="~/Sync" type="sendreceive"><device id="A"/></folder>'
        '<folder id="y" path="/srv/dossiers/"/><defaults><folder id="" path="~"/></defaults></configuration>',
    )
    assert find(syncthing, home) == [("syncthing", os.fsencode(home / "Sync")), ("syncthing", b"/srv/dossiers")]


def test_syncthing_entities_are_refused(home):
    put(
        home,
        ".config/syncthing/config.xml",
        '<!DOCTYPE c [<!ENTITY a "/etc">]><configuration><folder path="&a;"/></configuration>',
    )
    assert find(syncthing, home) == []


def test_user_dirs(home):
    put(home, ".config/user-dirs.dirs", '# c\nXDG_DESKTOP_DIR="$HOME/Bureau"\nXDG_DOWNLOAD_DIR="$HOME/Mes \\"dl\\""\n')
    (home / "Téléchargements").mkdir()
    assert find(xdg, home) == [
        ("downloads", os.fsencode(home / 'Mes "dl"')),
        ("downloads", os.fsencode(home / "Téléchargements")),
    ]
    put(home, ".config/user-dirs.dirs", 'XDG_DOWNLOAD_DIR="$HOME/"\n')
    assert find(xdg, home) == [("downloads", os.fsencode(home / "Téléchargements"))]


def test_browsers(home):
    prefs = 'user_pref("browser.download.dir", "/srv/T\\u00e9l\\"x");\nuser_pref("browser.download.folderList", 2);\n'
    put(home, "snap/firefox/common/.mozilla/firefox/ab.default/prefs.js", "// Mozilla\n" + prefs)
    put(
        home,
        ".mozilla/firefox/xy.esr/prefs.js",
        'user_pref("browser.download.dir", "/old");\nuser_pref("browser.download.folderList", 1);\n',
    )
    put(home, ".mozilla/firefox/profiles.ini", f"[Profile0]\nName=x\nIsRelative=0\nPath={home}/elsewhere\n")
    put(home, "elsewhere/prefs.js", 'user_pref("browser.download.folderList", 0);\n')
    put(home, ".config/user-dirs.dirs", 'XDG_DESKTOP_DIR="$HOME/Bureau"\n')
    put(home, ".thunderbird/q.default/prefs.js", 'user_pref("messenger.save.dir", "/srv/pieces");\n')
    put(home, ".config/chromium/Default/Preferences", json.dumps({"download": {"default_directory": "/srv/c"}}))
    put(home, ".config/google-chrome/Profile 1/Preferences", json.dumps({"savefile": {"default_directory": "/srv/g"}}))
    put(home, ".config/chromium/Profile 2/Preferences", json.dumps(["odd"]))
    assert set(find(browsers, home)) == {
        ("firefox", '/srv/Tél"x'.encode()),
        ("firefox", os.fsencode(home / "Bureau")),
        ("thunderbird", b"/srv/pieces"),
        ("chromium", b"/srv/c"),
        ("chrome", b"/srv/g"),
    }


TEXTS = [
    ".config/Nextcloud/nextcloud.cfg",
    ".dropbox/info.json",
    ".dropbox/host.db",
    ".config/maestral/maestral.ini",
    ".config/onedrive/config",
    ".config/systemd/user/rclone.service",
    ".config/Insync/settings.db",
    ".pcloud/data.db",
    ".config/kDrive/.parms.db",
    ".config/kDrive/kDrive.cfg",
    ".ccnet/seafile.ini",
    "Seafile/.seafile-data/repo.db",
    ".config/syncthing/config.xml",
    ".config/user-dirs.dirs",
    ".mozilla/firefox/profiles.ini",
    ".mozilla/firefox/a/prefs.js",
    ".config/chromium/Default/Preferences",
]
RUBBISH = {
    "binary": bytes(range(256)) * 64,
    "huge": b'{"path": "' + b"/a" * (MAX_FILE // 2 + 10) + b'"}',
    "deep json": b"[" * 100_000,
    "deep xml": b"<folder>" * 20_000,
    "nul path": b'localPath=/a\0b\nsync_dir = "/a\0b"\nXDG_DOWNLOAD_DIR="/a\0b"\n{"personal": {"path": "/a\\u0000b"}}',
    "broken sqlite": b"SQLite format 3\0" + b"\xff" * 8192,
    "lone surrogates": b'{"personal": {"path": "/\\ud800"}, "download": {"default_directory": "/\\ud800"}}',
}


@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH.keys())
def test_rubbish_gives_no_path_or_a_clean_one(home, content):
    for name in TEXTS:
        put(home, name, content)
    for module in (*CLOUD, *DOWNLOADS):
        try:
            found = list(module.find(Home(os.fsencode(home))))
        except (ValueError, RecursionError):
            continue  # the child passes over that client
        for item in found:
            assert item.problem or (item.path.startswith(b"/") and b"\0" not in item.path)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "loop"])
def test_something_else_in_place_of_the_file(home, kind):
    """A FIFO must not block, a device must not be read without end."""
    for name in TEXTS:
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match kind:
            case "fifo":
                os.mkfifo(path)
            case "device":
                path.symlink_to("/dev/zero")
            case "folder":
                path.mkdir()
            case "loop":
                path.symlink_to(path.name)
    for module in (*CLOUD, *DOWNLOADS):
        assert [item for item in module.find(Home(os.fsencode(home))) if item.path] == []
