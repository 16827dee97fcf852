"""Serment into the machine, without a network: the Debian package, or the same files without building one.

$SERMENT_LAPTOP_FROM=package (or a folder of packages in $SERMENT_LAPTOP_DEBS): dpkg installs it. Otherwise, quicker
while one works on the product, the host makes /opt/serment (libraries of constraints.txt as wheels, the checkout's own
wheel, bytecode), the units, the udev rules, a configuration; the guest unpacks it and makes the accounts. A state with all of it installed is kept beside
the image and resumed by each test.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.laptop import package
from tests.laptop.container import Container
from tests.laptop.machine import Laptop
from tests.laptop.places import CACHE, CHECKOUT, LaptopError

LIBRARIES = "opt/serment/lib/python3.11/site-packages"
SOURCES = (
    "agent",
    "collector",
    "systemd",
    "packaging",
    "policies",
    "pyproject.toml",
    "setup.py",
    "constraints.txt",
    "README.md",
)
CONFIG = """\
[agent]
workers = 1
[policy]
profile = "enforce"
[channels.downloads]
folders = ["/home/medecin/arrivees"]
"""
INSTALL = """
set -e
tar -C / --no-same-owner -xf /root/serment.tar
rm /root/serment.tar
python3 -m venv --without-pip /opt/serment
id serment-worker >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin serment-worker
id serment-collector >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin serment-collector
ln -sf /opt/serment/bin/serment /usr/local/bin/serment
install -d -o medecin -g medecin /home/medecin/arrivees
systemctl daemon-reload
udevadm control --reload 2>/dev/null || true
"""

SETTLED = f"""
set -e
systemctl disable serment-agent
id serment-collector >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin serment-collector
install -d -o medecin -g medecin /home/medecin/arrivees
cat > /etc/serment/agent.toml <<'END'
{CONFIG}END
"""
PACKAGED = """
set -e
printf "#!/bin/sh\\nexit 101\\n" > /usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
DEBIAN_FRONTEND=noninteractive dpkg -i /root/serment.deb </dev/null
rm /usr/sbin/policy-rc.d /root/serment.deb
"""
FROM_PACKAGE = bool(os.environ.get("SERMENT_LAPTOP_DEBS")) or os.environ.get("SERMENT_LAPTOP_FROM") == "package"


def python() -> Path:
    """A Python of the guest's version, with pip: wheels must fit."""
    if tuple(sys.version_info)[:2] == (3, 11):
        return Path(sys.executable)
    found = shutil.which("python3.11")
    if not found:
        raise LaptopError("the machine has Python 3.11: run this with one, or have python3.11 in the path")
    return Path(found)


def fingerprint() -> str:
    """Of every file the product is made from, or of the packages that were given instead."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    given = os.environ.get("SERMENT_LAPTOP_DEBS")
    digest.update(str(FROM_PACKAGE).encode())
    for path in sorted(Path(given).glob("serment_*.deb")) if given else ():
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    for path in files() if not given else ():
        digest.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def files() -> list[Path]:
    found = []
    for name in SOURCES:
        path = CHECKOUT / name
        inside = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [
            file for file in inside if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".mo"
        ]
    return found


def libraries() -> Path:
    """The dependencies, installed into a folder of the cache once for each constraints.txt and pyproject.toml."""
    wanted = (CHECKOUT / "constraints.txt").read_bytes() + (CHECKOUT / "pyproject.toml").read_bytes()
    folder = CACHE / f"libraries-{hashlib.sha256(wanted).hexdigest()[:12]}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".libraries-", dir=CACHE))
        try:
            pip("--target", partial, "-c", CHECKOUT / "constraints.txt", "--only-binary", ":all:", *requirements())
            shutil.rmtree(partial / "bin", ignore_errors=True)
            for old in CACHE.glob("libraries-*"):
                shutil.rmtree(old)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def requirements() -> list[str]:
    import tomllib

    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["ocr"]]


def pip(*words: object) -> None:
    command = [str(python()), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-compile"]
    subprocess.run([*command, *map(str, words)], check=True, stdout=sys.stderr)


def stage(root: Path) -> None:
    """/opt/serment and /etc as the package will lay them out."""
    site = root / LIBRARIES
    shutil.copytree(libraries(), site, symlinks=True)
    with source_copy() as source:
        pip("--target", site, "--no-deps", "--upgrade", source)
    shutil.rmtree(site / "bin", ignore_errors=True)
    commands(root / "opt/serment/bin")
    for unit in (CHECKOUT / "systemd").glob("serment-*.*"):
        place(unit, root / "etc/systemd/system" / unit.name)
    for rule in (CHECKOUT / "packaging").glob("**/*.rules"):
        place(rule, root / "etc/udev/rules.d" / rule.name)
    config = root / "etc/serment/agent.toml"
    config.parent.mkdir(parents=True)
    config.write_text(CONFIG)
    env = os.environ | {"PYTHONPYCACHEPREFIX": ""}
    compiling = [str(python()), "-m", "compileall", "-q", "-j0", "-s", str(root), "-p", "/", str(site)]
    subprocess.run(compiling, check=False, env=env, stdout=subprocess.DEVNULL)  # some libraries ship templates of code


@contextlib.contextmanager
def source_copy() -> Iterator[str]:
    """setuptools builds beside its source: beside a copy, so that the checkout stays as it is."""
    with tempfile.TemporaryDirectory(prefix="serment-source-") as folder:
        for path in files():
            place(path, Path(folder) / path.relative_to(CHECKOUT))
        (Path(folder) / "LICENSE").write_bytes((CHECKOUT / "LICENSE").read_bytes())
        yield folder


def commands(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, entry in (("serment", "agent.ui.cli.main:entry"), ("serment-collector", "collector.main:entry")):
        module, _, function = entry.partition(":")
        text = f"#!/opt/serment/bin/python3\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def tarball(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="serment-stage-") as folder:
        root = Path(folder)
        stage(root)
        with tarfile.open(target, "w") as tar:
            for name in sorted(path.name for path in root.iterdir()):
                tar.add(root / name, name, filter=owned_by_root)


def owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry


def install(machine: Laptop | Container) -> None:
    """Puts the product into a machine (or a container: it has ``put`` and ``run`` too), without starting it."""
    if FROM_PACKAGE:
        machine.put(package.packages(fingerprint())["serment"], "/root/serment.deb")
        machine.run(PACKAGED + SETTLED, check=True, timeout=1500)
        return
    with tempfile.TemporaryDirectory(prefix="serment-tar-") as folder:
        archive = Path(folder) / "serment.tar"
        tarball(archive)
        machine.put(archive, "/root/serment.tar")
    machine.run(INSTALL, check=True, timeout=180)


def installed_state(pc: Laptop) -> Path:
    """The image with the product installed and not yet started: made when missing, kept in the cache.

    The package goes onto the disk at the host's speed, which an emulated dpkg has not, and the machine boots from it.
    """
    parts = [*pc.identity(), fingerprint().encode()]
    if not FROM_PACKAGE:
        return pc.kept("installed", parts, pc.ready_state(), install)
    made = package.packages(fingerprint())["serment"]
    return pc.kept("installed", parts, None, lambda _: None, lambda base, to: package.on_disk(base, made, to, SETTLED))


def guarding_state(pc: Laptop) -> Path:
    """The same with the agent running: its first start takes a while on an emulated processor."""
    parts = [*pc.identity(), fingerprint().encode()]
    return pc.kept("guarding", parts, installed_state(pc), guard)


def guard(machine: Laptop) -> None:
    """Started, ready, and with a reader that has judged a first document: on an emulated processor one takes long to
    start, and ends when nothing came for a minute. Each test resumes just before that."""
    machine.run("systemctl enable --now serment-agent", check=True, timeout=600)
    await_in(machine, "serment status --json | grep -q '\"ready\": *true'")
    machine.run("echo bonjour > /home/medecin/arrivees/accueil.txt", user="medecin", check=True)
    await_in(machine, "serment status --json | grep -q '\"judged\": *1'")


def await_in(machine: Laptop, line: str) -> None:
    machine.run(f"for i in $(seq 1200); do {line} && exit 0; sleep 0.5; done; exit 1", check=True, timeout=900)
