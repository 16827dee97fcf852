"""What the packages are made of, without building them: lock files, scripts, units, desktop files.

``tests/laptop/test_package.py`` installs them; with SERMENT_LONG they are built twice here and compared.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGING = CHECKOUT / "packaging"
LOCKS = PACKAGING / "requirements"
SCRIPTS = sorted(path for path in PACKAGING.glob("deb/*/*") if path.name in {"config", "postinst", "prerm", "postrm"})
# What systemd-analyze may find left open, of 10. The agent's own figure is explained in systemd/README.md.
EXPOSURE = {"serment-sync.service": 2.5, "serment-collector.service": 2.5, "serment-agent.service": 5.2}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found


def plain(name: str) -> str:
    """A project's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, str]:
    """Of a lock file: versions by name. Lines for other systems than Linux count, too."""
    text = (LOCKS / name).read_text("utf-8")
    return {
        plain(found[1]): found[2] for found in re.finditer(r"^([\w.\-]+)(?:\[[\w,]+\])?==([\w.]+)", text, re.MULTILINE)
    }


def wanted() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["ocr"], *extras["outside"]]


def test_every_library_of_the_agent_is_locked() -> None:
    have = locked("agent.txt")
    missing = {plain(re.split(r"[<>=\[;]", line)[0]) for line in wanted()} - set(have)
    assert missing == set(), "make lock"


def test_the_collectors_libraries_are_those_of_the_agent() -> None:
    """One that is tested, not two: a version that differs is a mistake."""
    agent, collector = locked("agent.txt"), locked("collector.txt")
    assert {name: version for name, version in collector.items() if agent.get(name, version) != version} == {}
    assert {"starlette", "uvicorn", "sqlalchemy", "cryptography"} <= set(collector)
    assert "pypdfium2" not in collector  # it reads no document


def test_locked_versions_are_those_that_were_tested() -> None:
    lines = (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines()
    tested = {plain(line.split("==")[0]): line.split("==")[1].strip() for line in lines if "==" in line}
    for name in ("agent.txt", "collector.txt"):
        differing = {each: version for each, version in locked(name).items() if tested.get(each, version) != version}
        assert differing == {}, f"{name}: make lock"


@pytest.mark.parametrize("name", ["agent.txt", "collector.txt", "tools.txt"])
def test_each_locked_library_has_its_hashes(name: str) -> None:
    """pip refuses a file with another one."""
    text = (LOCKS / name).read_text("utf-8")
    blocks = re.split(r"^(?=[a-zA-Z])", text, flags=re.MULTILINE)
    bare = [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert bare == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_script_is_shell_that_stops_at_a_mistake(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -e\n" in text
    done = subprocess.run(["sh", "-n"], input=text.replace("@UNITS@", "a.service"), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_removal_never_touches_what_is_the_persons() -> None:
    """Keys, log and held documents go by one line, behind the question that nobody answered with yes by default."""
    for name, data in (("serment", "/var/lib/serment"), ("serment-collector", "/var/lib/serment-collector")):
        folder = PACKAGING / "deb" / name
        text = "".join(path.read_text("utf-8") for path in SCRIPTS if path.parent == folder)
        deleting = [line.strip() for line in text.splitlines() if re.search(r"\brm\b", line) and data in line]
        assert deleting == [f"rm -rf {data}"]
        asked = (folder / "postrm").read_text("utf-8").split('"$delete" = true')
        assert f"rm -rf {data}" not in asked[0]
        template = (folder / "templates").read_text("utf-8").split("Template: ")[-1]
        assert template.startswith(f"{name}/purge-data")
        assert "Default: false" in template
        assert "Description-fr.UTF-8" in template
        assert "\n. /usr/share/debconf/confmodule\n" in (folder / "postinst").read_text("utf-8")  # else it is not known


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('data_dir = "/var/lib/serment"  # keys', ""), ('data_dir = "/var/lib/serment/here/"', ""),
        ("data_dir='/srv/serment'", "/srv/serment\n"), ('agent.data_dir = "/srv/a b" # data_dir = "/old"', "/srv/a b\n"),
        ('agent = {data_dir = "/srv/s", runtime_dir = "/run/s"}', "/srv/s\n"), ('# data_dir = "/srv/serment"', ""),
        ('"data_dir" = """/srv/s"""', "/srv/s\n"), ('data_dir = "/var/lib/serment2"', "/var/lib/serment2\n"),
    ],
)  # fmt: skip
def test_a_purge_knows_what_lies_elsewhere(tmp_path: Path, line: str, told: str) -> None:
    """It is not deleted, so it is said: nothing but this function is run here."""
    text = (PACKAGING / "deb/serment/postrm").read_text("utf-8")
    function = text[text.index("elsewhere() {") : text.index("\n}\n") + 3]
    (tmp_path / "agent.toml").write_text(f'[agent]\n{line}\n[policy]\nprofile = "enforce"\n')

    def said(data: Path) -> str:
        command = ["sh", "-ec", f'{function}elsewhere "$@"', "sh", str(tmp_path / "agent.toml"), str(data)]
        return subprocess.run(command, text=True, capture_output=True, check=True).stdout

    assert said(Path("/var/lib/serment")) == told
    (tmp_path / "there").mkdir()
    (tmp_path / "agent.toml").unlink()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    assert said(tmp_path / "link") == f"{tmp_path}/there\n"
    asked, told_then = text.index("elsewhere /etc/serment/agent.toml"), text.index("rm -rf /etc/serment/agent.toml")
    assert asked < told_then  # while it can still be read


def test_what_runs_as_a_person_gets_nothing_of_roots() -> None:
    """A program of theirs may trace it: debconf's descriptors and the terminal of whoever installs stay behind."""
    texts = [path.read_text("utf-8") for path in (*SCRIPTS, PACKAGING / "rpm/serment.spec")]
    lines = [line for text in texts for line in text.replace("\\\n", " ").splitlines() if "runuser" in line]
    assert len(lines) == 4  # postinst, prerm, and both in the RPM's
    for line in lines:
        assert line.split()[:4] == ["setsid", "--wait", "timeout", "20"], line
        assert "</dev/null >/dev/null 2>&1 " + " ".join(f"{number}>&-" for number in range(3, 10)) in line


def test_the_first_configuration_can_be_used(tmp_path: Path) -> None:
    from agent.config import load_config

    text = (PACKAGING / "config/agent.toml").read_text("utf-8")
    assert "reload" not in text  # which reads the policy again, and not this file
    for profile in ("enforce", "monitor"):
        (tmp_path / "agent.toml").write_text(text.replace("@PROFILE@", profile))
        config = load_config(tmp_path / "agent.toml")
        assert (config.policy.profile, config.data_dir) == (profile, Path("/var/lib/serment"))


def test_everybody_says_the_same_of_what_protects_at_first() -> None:
    """Decision 51: the package protects, a checkout looks."""
    template = (PACKAGING / "deb/serment/templates").read_text("utf-8").split("\n\n")[0]
    assert template.startswith("Template: serment/profile")
    assert "Default: enforce" in template
    assert "s/@PROFILE@/enforce/" in (PACKAGING / "rpm/serment.spec").read_text("utf-8")
    for name in ("docs/quick-start.md", "docs/demarrage-rapide.md", "docs/admin-guide.md", "README.md"):
        text = (CHECKOUT / name).read_text("utf-8")
        assert "`enforce`" in text or 'profile = "enforce"' in text, name
        assert "monitor" in text, name
    from agent.config import AgentConfig

    assert AgentConfig().policy.profile == "monitor"


@pytest.mark.parametrize("unit", EXPOSURE)
def test_a_unit_is_confined_as_far_as_its_work_allows(unit: str) -> None:
    command = [tool("systemd-analyze"), "security", "--offline=yes", "--no-pager", CHECKOUT / "systemd" / unit]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Overall exposure level.*?: ([0-9.]+)", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE[unit]


def test_units_run_what_the_package_carries() -> None:
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    units = [*(CHECKOUT / "systemd").rglob("*.service"), *(PACKAGING / "desktop").glob("*.service")]
    assert len(units) >= 5
    for unit in units:
        (started,) = re.findall(r"^ExecStart=(\S+)", unit.read_text("utf-8"), re.MULTILINE)
        assert started.startswith("/opt/serment/bin/"), unit
        assert Path(started).name in scripts, unit


def test_desktop_files_are_valid() -> None:
    for path in (PACKAGING / "desktop").glob("*.desktop"):
        subprocess.run([tool("desktop-file-validate"), path], check=True)


def staged(tmp_path: Path) -> Path:
    """The files of the package that are not made by its tools: as ``make deb`` lays them out."""
    root = tmp_path / "root"
    code = "import sys, pathlib, layout; layout.agent(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
    environment = os.environ | {"PYTHONPATH": str(PACKAGING / "build")}
    subprocess.run([sys.executable, "-c", code, root, CHECKOUT], check=True, env=environment)
    return root


def test_what_the_desktop_starts_is_on_the_path(tmp_path: Path) -> None:
    """A launcher whose program is not found is not shown at all (TryExec)."""
    root = staged(tmp_path)
    launchers = list((root / "usr/share/applications").glob("*.desktop"))
    assert launchers
    for launcher in launchers:
        for program in re.findall(r"^(?:Try)?Exec=(\S+)", launcher.read_text("utf-8"), re.MULTILINE):
            assert (root / "usr/bin" / program).is_symlink() or Path(program).is_absolute(), (launcher.name, program)
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    for link in (root / "usr/bin").iterdir():
        assert os.readlink(link) == f"/opt/serment/bin/{link.name}"
        assert link.name in scripts


def complaints(page: bytes, name: str, folder: Path) -> str:
    """What man(1) says of a page; a line that cannot be filled is no fault."""
    path = folder / name
    path.write_bytes(page)
    done = subprocess.run(
        [tool("man"), "--warnings", "-l", path], capture_output=True, text=True,
        env=os.environ | {"LC_ALL": "C.UTF-8", "MANWIDTH": "200", "MAN_KEEP_FORMATTING": ""},
    )  # fmt: skip
    assert done.stdout.strip(), path
    return "\n".join(line for line in done.stderr.splitlines() if "cannot adjust line" not in line)


def test_each_program_has_its_page_in_both_languages(tmp_path: Path) -> None:
    """Those without commands of their own; the others are made from the parsers (below)."""
    root = staged(tmp_path)
    scripts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    for folder in ("man1", "fr/man1"):
        pages = {path.name.removesuffix(".1.gz"): path for path in (root / "usr/share/man" / folder).glob("*.1.gz")}
        assert set(pages) == set(scripts) - {"serment", "serment-collector"}
        for name, path in pages.items():
            assert complaints(gzip.decompress(path.read_bytes()), f"{name}.1", tmp_path) == ""


def test_pages_and_completion_from_the_parsers_are_sound(tmp_path: Path) -> None:
    """The build's own tools, in the environment that ``make deb`` keeps."""
    tools = sorted((CHECKOUT / "build/package").glob("tools-*/bin/python"))
    if not tools:
        pytest.skip("no tools of the build: make deb")
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1795335411", "COLUMNS": "100", "PYTHONPATH": own_paths()}
    for program, least in (("serment", 15), ("serment-collector", 5)):
        root = tmp_path / program
        root.mkdir()
        command = [tools[-1], PACKAGING / "build/pages.py", root, program, "1.2.3"]
        subprocess.run(command, check=True, env=environment)
        pages = sorted((root / "usr/share/man").rglob("*.1.gz"))
        assert len(pages) > 2 * least, program
        said = {path: complaints(gzip.decompress(path.read_bytes()), path.stem, tmp_path) for path in pages}
        assert {path: words for path, words in said.items() if words} == {}
        bash = root / f"usr/share/bash-completion/completions/{program}"
        subprocess.run(["bash", "-n", bash], check=True)
        assert program in bash.read_text("utf-8")
        assert (root / f"usr/share/zsh/vendor-completions/_{program}").read_text("utf-8").startswith("#compdef")


def own_paths() -> str:
    """Where this test finds the product and its libraries."""
    import msgspec

    return f"{CHECKOUT}:{Path(msgspec.__file__).parents[1]}"


def test_the_software_centre_can_read_about_it() -> None:
    path = PACKAGING / "metainfo/fr.serment.Serment.metainfo.xml"
    done = subprocess.run([tool("appstreamcli"), "validate", "--no-net", path], capture_output=True, text=True)
    assert "E:" not in done.stdout, done.stdout


@pytest.mark.timeout(3000)
@pytest.mark.skipif(not os.environ.get("SERMENT_LONG"), reason="SERMENT_LONG: two builds take ten minutes")
@pytest.mark.parametrize("package", ["serment", "serment-collector"])
def test_two_builds_are_the_same_bytes(tmp_path: Path, package: str) -> None:
    """Each in folders of its own: the place where it was built is nowhere in it."""
    made = []
    for name in ("one", "the-other"):
        out, scratch = tmp_path / name, tmp_path / f"scratch-{name}"
        scratch.mkdir()
        command = [PACKAGING / "build/make.sh", "--out", out, "--only", package]
        environment = os.environ | {"SOURCE_DATE_EPOCH": "1795335411", "TMPDIR": str(scratch)}
        subprocess.run(command, check=True, stdout=sys.stderr, env=environment)
        (built,) = out.glob("*.deb")
        made.append(built.read_bytes())
    assert made[0] == made[1]
