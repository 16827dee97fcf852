"""What lies beside the interpreter: the libraries of a lock file, the checkout's own wheel, the commands, bytecode.

Every library is a wheel whose SHA-256 stands in the lock file; nothing is compiled but the product's own loops.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from interpreter import VERSION

SITE = f"lib/python{VERSION}/site-packages"
SOURCES = ("agent", "collector", "pyproject.toml", "setup.py", "README.md", "LICENSE")


def fill(root: Path, prefix: str, checkout: Path, lock: Path, commands: str, scratch: Path) -> None:
    """``root``/``prefix`` becomes the environment: like a venv, of the interpreter that is already in it.

    ``commands``: how the names of its commands begin.
    """
    home = root / prefix.lstrip("/")
    site = home / SITE
    site.mkdir(parents=True)
    pip(home, "install", "--target", site, "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", lock)
    pip(home, "install", "--target", site, "--no-deps", "--upgrade", wheel(checkout, scratch))
    shutil.rmtree(site / "bin", ignore_errors=True)
    (home / "pyvenv.cfg").write_text(f"home = {prefix}/python/bin\ninclude-system-site-packages = false\n")
    (home / "bin").mkdir()
    (home / "bin/python3").symlink_to(f"../python/bin/python{VERSION}")
    scripts = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    for name, entry in scripts.items():
        if not name.startswith(commands):
            continue
        command = home / "bin" / name
        module, _, function = entry.partition(":")
        command.write_text(
            f"#!{prefix}/bin/python3 -I\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        )
        command.chmod(0o755)
    check_loops(site)
    tidy(site)


def pip(home: Path, verb: str, *words: object) -> None:
    """The build tools' pip, run by the interpreter of the package: wheels fit it."""
    command = [sys.executable, "-m", "pip", "--python", home / f"python/bin/python{VERSION}", "--quiet"]
    quiet = ["--disable-pip-version-check", "--no-compile", "--no-warn-script-location", "--root-user-action=ignore"]
    subprocess.run([*map(str, command), verb, *quiet, *map(str, words)], check=True, stdout=sys.stderr)


def wheel(checkout: Path, scratch: Path) -> Path:
    """The product as a wheel, built in a copy: setuptools writes beside its source.

    The copy always lies in a folder of one name, and debug information is left out, so that two builds are the same.
    """
    source = scratch / "source"
    source.mkdir()
    for name in SOURCES:
        path = checkout / name
        if path.is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "*.so", "*.c"))
        else:
            shutil.copyfile(path, source / name)
    flags = f"-g0 -ffile-prefix-map={source}=/serment -ffile-prefix-map={tempfile.gettempdir()}=/tmp"
    env = os.environ | {"CFLAGS": flags, "LDFLAGS": "-Wl,--build-id=none -s"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-build-isolation", "-w", str(scratch / "wheels"), str(source)]
    subprocess.run(command, check=True, env=env, stdout=sys.stderr)
    (made,) = (scratch / "wheels").glob("serment-*.whl")
    if "linux" not in made.name:
        raise SystemExit("the innermost loops were not compiled: gcc and python3-dev are needed")
    return made


def check_loops(site: Path) -> None:
    """What we compiled looks for libraries nowhere but where the system keeps them."""
    for path in (site / "agent").rglob("_compiled*.so"):
        words = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
        if "RUNPATH" in words or "RPATH" in words:
            raise SystemExit(f"{path.name} has a path of this machine in it: build with Debian's own python3.11")


def tidy(site: Path) -> None:
    """Without what differs from build to build, and what nobody runs."""
    for path in sorted(site.rglob("*"), reverse=True):
        if path.name in {"RECORD", "direct_url.json", "INSTALLER", "REQUESTED"} and path.parent.suffix == ".dist-info":
            path.unlink()  # absolute paths of this build, and lists that dpkg keeps itself
        elif path.is_dir() and path.name in {"__pycache__", "tests", "testing_data"}:
            shutil.rmtree(path)
        elif path.suffix in {".pyx", ".pxd", ".pyc"} or (path.suffix in {".c", ".h"} and path.is_file()):
            path.unlink()


IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for each in pkgutil.walk_packages(package.__path__, name + "."):
        if not each.name.endswith("__main__") and ".migrations." not in each.name:
            importlib.import_module(each.name)
"""


def import_all(home: Path, *packages: str) -> None:
    """Every module of ours finds its libraries: one that is missing ends the build, not a laptop's day."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(home / SITE), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [home / f"python/bin/python{VERSION}", "-s", "-c", IMPORT_ALL, *packages]
    subprocess.run(list(map(str, command)), check=True, env=env)


def compile_all(root: Path, prefix: str) -> None:
    """Bytecode for the interpreter of the package, made by it (``bytecode.py``)."""
    home = root / prefix.lstrip("/")
    command = [
        home / f"python/bin/python{VERSION}", "-I", "-W", "ignore", "-X", "no_debug_ranges",
        Path(__file__).with_name("bytecode.py"), root, home / f"python/lib/python{VERSION}", home / SITE,
    ]  # fmt: skip
    env = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    subprocess.run(list(map(str, command)), check=True, env=env)
