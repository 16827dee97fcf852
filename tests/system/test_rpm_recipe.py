"""The recipe of the RPMs on a package of a few files: what it changes, whom it enables, what it owns and leaves alone.

``tests/laptop/test_rpm.py`` installs the real ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE = Path("opt/serment/python/lib/python3.11/lib-dynload/_bz2.cpython-311-x86_64-linux-gnu.so")
NEEDED = b"\0libc.so.6\0libbz2.so.1.0\0after\0"
EPOCH = 1_795_335_411


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An RPM of the files that need no tools of the build."""
    for program in ("rpmbuild", "rpm", "dpkg-deb"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} on this machine")
    folder = tmp_path_factory.mktemp("rpm")
    tree = folder / "tree"
    code = (
        "import sys, pathlib, layout; root, checkout = map(pathlib.Path, sys.argv[1:3]); "
        "layout.agent(root, checkout); layout.changelog(root, 'serment', '1', int(sys.argv[3]))"
    )
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT / "packaging/build"), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", code, tree, CHECKOUT, str(EPOCH)], check=True, env=environment)
    for path, data in ((MODULE, NEEDED), (Path("usr/share/zsh/vendor-completions/_serment"), b"#compdef serment\n")):
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_bytes(data)
    control = tree / "DEBIAN/control"
    control.parent.mkdir()
    control.write_text(
        "Package: serment\nVersion: 1\nArchitecture: amd64\nMaintainer: n <n@example.org>\nDescription: d\n"
    )
    for path in tree.rglob("*"):
        os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    command = ["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, folder / "serment_1_amd64.deb"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    recipe = [CHECKOUT / "packaging/rpm/make.sh", "--from", folder, "--out", folder / "out"]
    subprocess.run(recipe, check=True, capture_output=True)
    (found,) = (folder / "out").glob("*.rpm")
    return found


def asked(made: Path, *words: str) -> str:
    return subprocess.run(["rpm", "-qp", *words, made], check=True, capture_output=True, text=True).stdout


def part(scripts: str, name: str) -> str:
    """One script of those that ``rpm --scripts`` lists."""
    return scripts.split(f"{name} scriptlet (using /bin/sh):\n")[1].split(" scriptlet (using")[0]


def test_it_owns_its_files_and_no_folder_of_the_system(made: Path) -> None:
    lines = [line.split(maxsplit=8) for line in asked(made, "-lv").splitlines()]
    paths = {line[8].split(" -> ")[0]: line for line in lines}
    assert "/usr/lib/systemd/system/serment-agent.service" in paths
    assert "/usr/share/zsh/site-functions/_serment" in paths
    assert not [path for path in paths if "lintian" in path or "vendor-completions" in path or "changelog" in path]
    folders = {path for path, line in paths.items() if line[0].startswith("d")}
    assert {"/opt/serment", "/usr/share/serment", "/usr/share/doc/serment"} <= folders
    assert not [path for path in folders if "/serment" not in path]
    assert {(line[2], line[3]) for line in lines} == {("root", "root")}


def test_what_the_package_enables_is_enabled_and_disabled_again(made: Path) -> None:
    scripts = asked(made, "--scripts")
    for name in ("postinstall", "preuninstall"):
        words = part(scripts, name)
        verb = "enable" if name == "postinstall" else "disable"
        assert f"{verb} serment-agent.service serment-sync.path" in words
        assert f"--global {verb} serment-helper.service serment-login.service" in words
    assert "in_sessions start --no-block serment-helper.service serment-login.service" in part(scripts, "postinstall")
    assert "in_sessions stop serment-helper.service serment-login.service" in part(scripts, "preuninstall")
    assert "udevadm control --reload" in part(scripts, "postinstall")
    assert "udevadm control --reload" in part(scripts, "postuninstall")
    assert "@" not in scripts.replace("s/@PROFILE@/enforce/", "").replace('"$@"', "")
    assert "%{" not in scripts


@pytest.mark.parametrize("name", ["postinstall", "preuninstall", "postuninstall"])
def test_a_script_is_shell_and_deletes_nothing(made: Path, name: str) -> None:
    words = part(asked(made, "--scripts"), name)
    done = subprocess.run(["sh", "-n"], input=words.rsplit("\n", 1)[0], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "rm " not in words


def test_a_library_is_asked_for_by_the_name_that_others_give_it(made: Path, tmp_path: Path) -> None:
    """In place: a string of an ELF file cannot change its length."""
    unpacked = subprocess.run(["rpm2archive", "-n", made], capture_output=True)
    packed = unpacked.stdout or Path(f"{made}.tar").read_bytes()
    subprocess.run(["tar", "-C", tmp_path, "-xf", "-"], input=packed, check=True)
    assert (tmp_path / MODULE).read_bytes() == NEEDED.replace(b"libbz2.so.1.0", b"libbz2.so.1\0\0")


def test_two_builds_carry_no_time_or_machine_of_their_own(made: Path) -> None:
    said = asked(made, "--qf", "%{BUILDHOST} %{BUILDTIME} [%{FILEMTIMES} ]").split()
    assert said[:2] == ["serment", str(EPOCH)]
    assert {int(time) for time in said[2:]} == {EPOCH}
