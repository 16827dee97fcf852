"""Keys as people meet them: a root agent, clinicians without rights, officers, and what the log says of it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.policy.profiles import profile_bytes
from tests.running import RunningAgent
from tests.system.test_unprivileged import CLARA, STRANGER, python  # noqa: F401 - a fixture

pytestmark = pytest.mark.system
PHRASE = "abricot évasif zèbre pomme"


class Laptop:
    """An agent of root and people who use it; ``serment(uid, …)`` is their command."""

    def __init__(self, base: Path, interpreter: Path) -> None:
        self.base, self.interpreter = base, interpreter
        base.chmod(0o755)
        self.agent = RunningAgent(base)
        for uid in (CLARA, STRANGER):
            (base / str(uid)).mkdir()
            os.chown(base / str(uid), uid, uid)

    def folder(self, uid: int) -> Path:
        return self.base / str(uid)

    def put(self, uid: int, name: str, content: bytes) -> Path:
        path = self.folder(uid) / name
        path.write_bytes(content)
        os.chown(path, uid, uid)
        return path

    def serment(self, uid: int, *words: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
        read, write = os.pipe()
        try:
            os.write(write, typed.encode())
            os.close(write)
            return subprocess.run(
                [str(self.interpreter), "-m", "agent.ui.cli.main", "--lang", "en", *(str(word) for word in words),
                 "--config", str(self.agent.config)],
                user=uid, group=uid, extra_groups=[], capture_output=True, text=True, timeout=120, cwd=self.base,
                stdin=subprocess.DEVNULL, pass_fds=[read],
                env=os.environ | {"HOME": str(self.folder(uid)) if uid else "/root", "XDG_RUNTIME_DIR": ""}
                | ({"SERMENT_PHRASE_FD": str(read)} if typed else {}),
            )  # fmt: skip
        finally:
            os.close(read)

    def done(self, uid: int, *words: str | Path, typed: str = "") -> dict[str, Any]:
        answer = self.serment(uid, *words, "--json", typed=typed)
        assert answer.returncode == 0, answer.stderr
        found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
        return found

    def recipient(self, uid: int) -> str:
        self.done(
            uid, "seal", self.put(uid, "first.txt", b"x"), "-o", self.folder(uid) / f"first-{os.urandom(4).hex()}.age"
        )
        keys = {each["name"]: each["recipient"] for each in self.done(uid, "keys", "status")["keys"]}
        return keys[str(uid)]

    def said(self, what: str) -> list[dict[str, Any]]:
        return [record for record in self.agent.records("keys") if record["what"] == what]


@pytest.fixture
def laptop(python: Path) -> Iterator[Laptop]:  # noqa: F811
    base = Path(tempfile.mkdtemp(prefix="serment-keys-"))
    made = Laptop(base, python)
    try:
        made.agent.start()
        yield made
    finally:
        made.agent.kill()
        shutil.rmtree(base, ignore_errors=True)


def test_a_clinician_opens_without_a_phrase_and_nobody_else(laptop: Laptop) -> None:
    letter = laptop.put(CLARA, "letter.txt", b"Compte rendu")
    sealed = laptop.folder(CLARA) / "d.age"
    laptop.done(CLARA, "seal", letter, "-o", sealed)
    letter.unlink()
    assert laptop.done(CLARA, "open", sealed)["path"] == str(letter)
    assert letter.read_bytes() == b"Compte rendu"
    stolen = laptop.put(STRANGER, "d.age", sealed.read_bytes())
    refused = laptop.serment(STRANGER, "open", stolen)
    assert (refused.returncode, "d.age" in os.listdir(laptop.folder(STRANGER))) == (65, True)
    assert "private key" in refused.stderr or "somebody else" in refused.stderr
    assert os.listdir(laptop.folder(STRANGER)) == ["d.age"]
    for path in (laptop.agent.data / "keys").rglob("*"):
        if path.is_file() and path.suffix != ".pub":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert b"SECRET" not in path.read_bytes()
    assert laptop.serment(CLARA, "keys", "backup", "-o", "-").returncode == 65


def test_under_a_phrase_even_root_cannot_open(laptop: Laptop) -> None:
    sealed = laptop.folder(CLARA) / "d.age"
    laptop.done(CLARA, "seal", laptop.put(CLARA, "letter.txt", b"Compte rendu"), "-o", sealed)
    laptop.done(CLARA, "keys", "phrase", "--own", typed=f"{PHRASE}\n{PHRASE}\n")
    assert [record["by"] for record in laptop.said("phrase")] == ["owner"]
    key = laptop.agent.data / f"keys/clinicians/{CLARA}.age"
    assert (key.stat().st_uid, stat.S_IMODE(key.stat().st_mode)) == (CLARA, 0o600)
    laptop.done(CLARA, "keys", "lock")
    locked = laptop.serment(CLARA, "open", sealed)
    assert locked.returncode == 65
    assert "serment keys unlock" in locked.stderr
    wrong = laptop.serment(CLARA, "open", sealed, typed="un deux trois quatre cinq six\n")
    assert "this is not the phrase" in wrong.stderr
    assert laptop.done(CLARA, "open", sealed, typed="Abricot-Evasif-Zebre-Pomme\n")["path"]
    laptop.done(CLARA, "keys", "lock")
    (laptop.folder(CLARA) / "letter.txt").unlink()
    laptop.done(CLARA, "seal", laptop.put(CLARA, "again.txt", b"still seals"), "-o", laptop.folder(CLARA) / "e.age")
    assert "not under your phrase" not in laptop.serment(CLARA, "keys", "status").stdout
    for action in ("renew", "status", "ready"):  # a key that is made later lies where root opens it: that is said
        assert "not under your phrase" in laptop.serment(CLARA, "keys", action).stdout
    laptop.done(CLARA, "keys", "phrase", "--own", typed=f"{PHRASE}\n{PHRASE}\n{PHRASE}\n")
    assert "not under your phrase" not in laptop.serment(CLARA, "keys", "status").stdout
    weak = laptop.serment(CLARA, "keys", "phrase", "--own", typed=f"{PHRASE}\nmotdepasse\nmotdepasse\n")
    assert "too short" in weak.stderr
    page = laptop.serment(CLARA, "keys", "backup", "-o", laptop.folder(CLARA) / "sheet.pdf", typed=f"{PHRASE}\n")
    assert page.returncode == 0, page.stderr
    assert stat.S_IMODE((laptop.folder(CLARA) / "sheet.pdf").stat().st_mode) == 0o600


def test_two_officers_from_the_policy_to_the_drill(laptop: Laptop) -> None:
    """Clara and another are the officers; the administrator's own key is lost. Every step leaves its record."""
    officers = [f"--officer=clara={laptop.recipient(CLARA)}", f"--officer=other={laptop.recipient(STRANGER)}"]
    pairs, texts = laptop.base / "pairs", laptop.base / "texts"
    twice = laptop.serment(0, "keys", "recovery", "init", *officers, officers[0], "-o", pairs)
    assert twice.returncode == 64 and "same name" in twice.stderr
    key = laptop.done(0, "keys", "recovery", "init", *officers, "-o", pairs)["recovery"]
    for folder in (pairs, texts):
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777)
    for path in pairs.iterdir():
        path.chmod(0o644)
    restart_with(laptop, f"recipients:\n  recovery: {key}\n")
    sealed = laptop.base / "d.age"
    laptop.done(0, "seal", letter(laptop), "-o", sealed)
    for path in (laptop.agent.data / "keys/clinicians").glob("0.*"):
        path.unlink()  # the laptop forgot its key
    laptop.agent.stop()
    laptop.agent.start()
    laptop.done(0, "seal", letter(laptop), "-o", laptop.base / "makes-a-key.age")
    assert laptop.serment(0, "open", sealed, "--to", texts).returncode == 65
    case = unlocked(laptop, 0, sealed, pairs, texts)
    assert laptop.done(0, "keys", "recovery", "finish", texts / "answer", sealed)["case"] == case
    assert Path(laptop.done(0, "open", sealed, "--to", texts)["path"]).read_bytes() == b"Compte rendu"
    assert [record["case"] for record in laptop.said("recovery-unlock")] == [case, case]
    assert [record["case"] for record in laptop.said("recovery-finish")] == [case]
    notices = laptop.agent.client.call("notices")
    assert [notice["channel"] for notice in notices] == ["keys", "keys"]  # asked for, given
    assert case in notices[-1]["message"]["en"]
    assert notices[-1]["message"]["en"].startswith("root says that two officers")
    drill = laptop.done(0, "keys", "recovery", "drill", "-o", texts / "drill")["case"]
    unlock(laptop, texts / "drill", pairs, texts, "drill-")
    checked = laptop.done(0, "keys", "recovery", "drill", "--check", texts / "drill-answer", texts / "drill")
    assert checked["case"] == drill
    assert len(laptop.said("recovery-drill")) == 1
    other = laptop.serment(0, "keys", "recovery", "drill", "--check", texts / "answer", texts / "drill")
    assert "not for this file" in other.stderr


def letter(laptop: Laptop) -> Path:
    path = laptop.base / "letter.txt"
    path.write_bytes(b"Compte rendu")
    return path


def restart_with(laptop: Laptop, recipients: str) -> None:
    laptop.agent.stop()
    laptop.agent.policy = laptop.base / "policy.yaml"
    laptop.agent.policy.write_bytes(profile_bytes("monitor") + recipients.encode())
    laptop.agent.policy.chmod(0o644)
    laptop.agent.start()


def unlocked(laptop: Laptop, uid: int, sealed: Path, pairs: Path, texts: Path) -> str:
    case: str = laptop.done(uid, "keys", "recovery", "request", sealed, "-o", texts / "request")["case"]
    unlock(laptop, texts / "request", pairs, texts, "")
    return case


def unlock(laptop: Laptop, request: Path, pairs: Path, texts: Path, prefix: str) -> None:
    """Each officer on the own account; the texts go from hand to hand."""
    request.chmod(0o644)
    step, answer = texts / f"{prefix}step", texts / f"{prefix}answer"
    pair = pairs / "clara+other.json"
    refused = laptop.serment(STRANGER, "keys", "recovery", "unlock", request, "--pair", pair, "-o", step)
    assert refused.returncode == 65
    laptop.done(CLARA, "keys", "recovery", "unlock", request, "--pair", pair, "-o", step)
    step.chmod(0o644)
    assert laptop.serment(CLARA, "keys", "recovery", "unlock", step, "-o", answer).returncode == 65
    laptop.done(STRANGER, "keys", "recovery", "unlock", step, "-o", answer)


def test_a_renewed_key_and_a_colleague_who_left(laptop: Laptop) -> None:
    colleague = laptop.recipient(STRANGER)
    folder = laptop.folder(CLARA)
    for name in ("a", "b"):
        laptop.done(
            CLARA,
            "seal",
            laptop.put(CLARA, f"{name}.txt", name.encode()),
            "--to",
            colleague,
            "-o",
            folder / f"{name}.age",
        )
    (folder / "link.age").symlink_to("/etc/passwd")
    theirs = laptop.put(CLARA, "theirs.age", b"not sealed")
    before = theirs.read_bytes()
    new = laptop.done(CLARA, "keys", "renew")["recipient"]
    assert laptop.recipient(CLARA) == new
    first = laptop.done(CLARA, "keys", "rotate", folder / "a.age")
    assert first == {"rotated": 1, "ended": 0, "not-ours": 0, "failed": 0}
    copy = laptop.put(STRANGER, "a.age", (folder / "a.age").read_bytes())
    assert laptop.done(STRANGER, "open", copy)["path"].endswith("a.txt")  # others' access stays
    answer = laptop.serment(CLARA, "keys", "rotate", "--only-current", folder, "--json")
    assert json.loads(answer.stdout.splitlines()[-1])["rotated"] >= 2
    copy = laptop.put(STRANGER, "b.age", (folder / "b.age").read_bytes())
    assert laptop.serment(STRANGER, "open", copy).returncode == 65
    (folder / "b.txt").unlink()
    assert Path(laptop.done(CLARA, "open", folder / "b.age")["path"]).read_bytes() == b"b"
    assert theirs.read_bytes() == before
    assert laptop.said("rotate")[-1]["count"] >= 2


def test_nobody_fills_the_log_and_strangers_speak_for_nobody(laptop: Laptop) -> None:
    script = (
        "import sys; from pathlib import Path; from agent.daemon.control import ControlClient\n"
        "from agent.errors import SermentError\nfrom collections import Counter\nfound = Counter()\n"
        "client = ControlClient(Path(sys.argv[1]))\n"
        "client.call('keys.record', what='recovery-finish', case='cd', owner=0)\n"
        "for number in range(100):\n"
        "    try: client.call('keys.record', what='recovery-unlock', case='ab'); found['done'] += 1\n"
        "    except SermentError as error: found[error.message] += 1\n"
        "for arguments in ({}, {'what': 'x'}, {'what': 'renew', 'case': '../..'}, {'what': 'rotate', 'count': True},\n"
        "                  {'what': 'recovery-init'}, {'what': ['rotate']}, {'what': 'rotate', 'count': 10**9}):\n"
        "    try: client.call('keys.record', **arguments); found['accepted'] += 1\n"
        "    except SermentError: found['refused'] += 1\n"
        "for name, arguments in (('keys.unwrap', {'header': '!'}), ('keys.unwrap', {'header': 'YWdl'}), ('keys.unwrap', {}),\n"
        "        ('keys.restore', {'identity': 'x'}), ('keys.phrase', {'new': 'x'})):\n"
        "    try: client.call(name, **arguments); found['accepted'] += 1\n"
        "    except SermentError: found['refused'] += 1\n"
        "print(dict(found))"
    )
    done = subprocess.run(
        [str(laptop.interpreter), "-c", script, str(laptop.agent.base / "run/agent.sock")], user=STRANGER, group=STRANGER,
        extra_groups=[], capture_output=True, text=True, timeout=120, cwd=laptop.base,
    )  # fmt: skip
    assert "'done': 59" in done.stdout, done.stdout + done.stderr
    assert "'refused': 12" in done.stdout
    assert "accepted" not in done.stdout
    assert len(laptop.said("recovery-unlock")) == 59
    (told,) = laptop.agent.client.call("notices")
    assert told["message"]["en"].startswith(f"{STRANGER} says that")  # what a stranger claims is in the stranger's name
    assert laptop.agent.client.call("keys.record", what="rotate") is None
    (own,) = {record["user"] for record in laptop.said("rotate")}
    (theirs,) = {record["user"] for record in laptop.said("recovery-finish") + laptop.said("recovery-unlock")}
    assert own != theirs


def test_the_administrator_shuts_a_colleague_out_of_a_whole_tree(laptop: Laptop) -> None:
    """Each file stays open to its owner and the practice; what was done is said, and can be asked beforehand."""
    left = laptop.recipient(STRANGER)
    tree = laptop.folder(CLARA) / "dossiers"
    for name in ("a", "b/c"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        for folder in (tree, (tree / name).parent):
            os.chown(folder, CLARA, CLARA)
        source = laptop.put(CLARA, "letter.txt", name.encode())
        laptop.done(CLARA, "seal", source, "--to", left, "-o", tree / f"{name}.age")
    laptop.put(CLARA, "dossiers/notes.txt", b"not sealed")
    payload = {name: (tree / f"{name}.age").read_bytes()[-600:] for name in ("a", "b/c")}
    asked = laptop.done(0, "keys", "rotate", "--only-current", "--dry-run", tree)
    assert asked == {"rotated": 2, "ended": 2, "not-ours": 0, "failed": 0}
    copy = laptop.put(STRANGER, "copy.age", (tree / "a.age").read_bytes())
    assert laptop.done(STRANGER, "open", copy)["path"]
    assert laptop.said("rotate") == []
    done = laptop.serment(0, "keys", "rotate", "--only-current", tree)
    assert "2 sealed files have the keys of today" in done.stdout and "accesses of others ended" in done.stdout
    assert laptop.said("rotate")[-1]["count"] == 2
    for name, end in payload.items():
        path = tree / f"{name}.age"
        assert (path.read_bytes()[-600:], path.stat().st_uid) == (end, CLARA)
        assert laptop.done(CLARA, "open", path, "--to", laptop.folder(CLARA))["path"]
        stolen = laptop.put(STRANGER, f"stolen-{path.stem}.age", path.read_bytes())
        assert laptop.serment(STRANGER, "open", stolen).returncode == 65
    # a copy of the ciphertext makes nobody a reader, whoever owns that file now
    copied = laptop.put(STRANGER, "found.age", (tree / "a.age").read_bytes())
    assert laptop.done(0, "keys", "rotate", copied)["rotated"] == 1
    assert laptop.serment(STRANGER, "open", copied).returncode == 65
    assert laptop.done(0, "keys", "rotate", "--only-current", copied)["not-ours"] == 1
    assert laptop.serment(STRANGER, "open", copied).returncode == 65
    others = laptop.serment(CLARA, "keys", "ready")
    assert others.returncode == 0, others.stderr
