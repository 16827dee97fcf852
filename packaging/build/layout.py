"""Where each file of the repository goes on a machine: units, rules, desktop, documents, configuration."""

from __future__ import annotations

import email.utils
import gzip
import os
import re
import shutil
from pathlib import Path

MAINTAINER = "Serment <serment@example.org>"
DOCUMENTS = ("docs", "policies/README.md", "policies/cookbook", "policies/profiles", "README.md", "SECURITY.md")


def agent(root: Path, checkout: Path) -> None:
    packaging = checkout / "packaging"
    for unit in sorted((checkout / "systemd").glob("serment-*.*")):
        if not unit.name.startswith("serment-collector"):
            place(unit, root / "usr/lib/systemd/system" / unit.name)
    for unit in [*(checkout / "systemd/user").glob("serment-*.*"), *(packaging / "desktop").glob("serment-*.service")]:
        place(unit, root / "usr/lib/systemd/user" / unit.name)
    for rule in sorted((packaging / "udev").glob("*.rules")):
        place(rule, root / "usr/lib/udev/rules.d" / rule.name)
    for desktop in sorted((packaging / "desktop").glob("*.desktop")):
        place(desktop, root / "usr/share/applications" / desktop.name)
    place(packaging / "desktop/serment-age.xml", root / "usr/share/mime/packages/serment-age.xml")
    place(packaging / "metainfo/fr.serment.Serment.metainfo.xml",
          root / "usr/share/metainfo/fr.serment.Serment.metainfo.xml")  # fmt: skip
    place(packaging / "config/serment.sysusers", root / "usr/lib/sysusers.d/serment.conf")
    place(packaging / "config/serment.tmpfiles", root / "usr/lib/tmpfiles.d/serment.conf")
    # Not a conffile: written once by the package's script, then the administrator's own.
    place(packaging / "config/agent.toml", root / "usr/share/serment/agent.toml")
    for name in ("serment", "serment-helper"):  # the launcher of the desktop starts the helper by its name
        link(root / f"usr/bin/{name}", f"/opt/serment/bin/{name}")
    manual(root, packaging / "man")
    documents(root, "serment", checkout)


def manual(root: Path, pages: Path) -> None:
    """Pages of the programs that have no commands; ``pages.py`` makes the others."""
    for language, folder in (("en", "man1"), ("fr", "fr/man1")):
        target = root / "usr/share/man" / folder
        target.mkdir(parents=True, exist_ok=True)
        for page in sorted((pages / language).glob("*.1")):
            (target / f"{page.name}.gz").write_bytes(gzip.compress(page.read_bytes(), 9, mtime=0))


def collector(root: Path, checkout: Path) -> None:
    for unit in sorted((checkout / "systemd").glob("serment-collector*.*")):
        target = root / "usr/lib/systemd/system" / unit.name
        place(unit, target)
        text = target.read_text("utf-8").replace("/opt/serment/", "/opt/serment-collector/")
        target.write_text(text.replace("/doc/serment/", "/doc/serment-collector/"), "utf-8")
    place(checkout / "packaging/config/serment-collector.sysusers", root / "usr/lib/sysusers.d/serment-collector.conf")
    link(root / "usr/bin/serment-collector", "/opt/serment-collector/bin/serment-collector")
    documents(root, "serment-collector", checkout)


def documents(root: Path, package: str, checkout: Path) -> None:
    folder = root / "usr/share/doc" / package
    for name in DOCUMENTS:
        source = checkout / name
        if source.is_file():
            place(source, folder / name)
        for path in sorted(source.rglob("*")) if source.is_dir() else ():
            if path.is_file() and "decisions" not in path.parts and path.suffix in {".md", ".yaml"}:
                place(path, folder / path.relative_to(checkout))
    place(checkout / "packaging/deb/copyright", folder / "copyright")
    place(checkout / "CHANGELOG.md", folder / "NEWS.md")


def changelog(root: Path, package: str, version: str, epoch: int) -> None:
    """Debian's short form of it: what changed stands in NEWS.md."""
    day = email.utils.formatdate(epoch, localtime=False, usegmt=False).replace("-0000", "+0000")
    text = f"{package} ({version}) stable; urgency=medium\n\n  * See NEWS.md.\n\n -- {MAINTAINER}  {day}\n"
    folder = root / "usr/share/doc" / package
    (folder / "changelog.Debian.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def link(path: Path, to: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)


def settle(root: Path, epoch: int) -> None:
    """One owner, one mode, one time for all: nothing of who built it stays."""
    for path in [root, *sorted(root.rglob("*"))]:
        if not path.is_symlink():
            runs = (
                path.is_dir() or path.parent.name == "bin" or (path.parent.name == "DEBIAN" and path.name not in PLAIN)
            )
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


PLAIN = {"control", "md5sums", "templates", "triggers", "conffiles"}


ASKED_FOR = {"serment-collector-fleet.service"}
"""Units that an administrator enables: they need settings that nobody can guess."""


def units_to_enable(folder: Path) -> list[str]:
    """Units that say what wants them."""
    wanted = re.compile(r"^\[Install\]\n(?:.*\n)*?(WantedBy|Also)=", re.MULTILINE)
    found = [unit.name for unit in sorted(folder.glob("serment-*")) if wanted.search(unit.read_text("utf-8"))]
    return [name for name in found if name not in ASKED_FOR]
