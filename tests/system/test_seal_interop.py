"""What we seal opens with Debian's age and with the JavaScript age, and the other way round: both kinds, many recipients."""

from __future__ import annotations

import hashlib
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.crypto.recipients import KeyKind, new_identity, recipient_of
from agent.crypto.sealed import open_sealed, seal, unseal

pytestmark = pytest.mark.system
HERE = Path(__file__).parent
TIME = 1_700_000_000_000_000_000
SIZES = (0, 1, 65_535 - 512, 65_536, 1 << 20, (3 << 20) + 17)
BIG_MIB = int(os.environ.get("SERMENT_SEAL_MIB", "256"))  # 8192, as in CI, for the full promise
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="the age command is not installed")


class Paper:
    """A scratch folder: documents, sealed files, what came out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "out").mkdir()

    def seal(self, content: bytes, recipients: list[str], name: bytes = "Échographie.pdf".encode()) -> Path:
        plain, sealed = self.folder / "plain", self.folder / "sealed.age"
        plain.write_bytes(content)
        with plain.open("rb") as source, sealed.open("wb") as target:
            seal(source.fileno(), len(content), name, TIME, recipients, target.fileno())
        return sealed

    def untar(self, payload: bytes) -> dict[str, bytes]:
        shutil.rmtree(self.folder / "out")
        (self.folder / "out").mkdir()
        subprocess.run(["tar", "-x", "-C", self.folder / "out"], input=payload, check=True)
        return {path.name: path.read_bytes() for path in (self.folder / "out").iterdir()}

    def tar(self, content: bytes) -> bytes:
        (self.folder / "Échographie.pdf").write_bytes(content)
        packed = subprocess.run(["tar", "-c", "-C", self.folder, "Échographie.pdf"], capture_output=True, check=True)
        return packed.stdout

    def opened(self, sealed: bytes, identity: str) -> bytes:
        (self.folder / "theirs.age").write_bytes(sealed)
        shutil.rmtree(self.folder / "out")
        (self.folder / "out").mkdir()
        fd, folder_fd = os.open(self.folder / "theirs.age", os.O_RDONLY), os.open(self.folder / "out", os.O_RDONLY)
        try:
            name = open_sealed(fd, [identity], folder_fd)
        finally:
            os.close(fd)
            os.close(folder_fd)
        assert name == "Échographie.pdf".encode()
        return (self.folder / "out" / os.fsdecode(name)).read_bytes()


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    return Paper(tmp_path)


@pytest.fixture(scope="module")
def typage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., bytes]]:
    """``typage("open", identity, data=…)``: the JavaScript age of the npm registry, at the version of the lock file."""
    folder = tmp_path_factory.mktemp("typage")
    for name in ("package.json", "package-lock.json", "age.mjs"):
        shutil.copy(HERE / "typage" / name, folder)
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    made = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, timeout=120
    )
    if made.returncode:
        pytest.skip("the JavaScript age cannot be had here (npm ci failed)")

    def run(*words: str, data: bytes) -> bytes:
        done = subprocess.run(["node", "age.mjs", *words], cwd=folder, input=data, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr[-500:]
        return done.stdout

    run.folder = folder  # type: ignore[attr-defined]
    yield run


@needs_age
@pytest.mark.parametrize("size", SIZES)
def test_debians_age_opens_ours_whoever_of_four_it_is(paper: Paper, size: int) -> None:
    content = random.Random(size).randbytes(size)
    identities = [new_identity(KeyKind.X25519) for _ in range(4)]
    sealed = paper.seal(content, [recipient_of(each) for each in identities])
    for identity in identities:
        (paper.folder / "key").write_text(identity + "\n")
        opened = subprocess.run(["age", "-d", "-i", paper.folder / "key", sealed], capture_output=True, check=True)
        assert paper.untar(opened.stdout) == {"Échographie.pdf": content}


@needs_age
@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_debians_age_seals_to_many(paper: Paper, size: int) -> None:
    content = random.Random(size).randbytes(size)
    identities = [new_identity(KeyKind.X25519) for _ in range(3)]
    words = [word for each in identities for word in ("-r", recipient_of(each))]
    sealed = subprocess.run(["age", *words], input=paper.tar(content), capture_output=True, check=True).stdout
    for identity in identities:
        assert paper.opened(sealed, identity) == content


@needs_age
def test_debians_age_says_for_somebody_else_about_a_hybrid_file(paper: Paper) -> None:
    """The age of Debian 12 (1.1) knows no hybrid keys: why X25519 is the default."""
    sealed = paper.seal(b"x", [recipient_of(new_identity(KeyKind.HYBRID))])
    (paper.folder / "key").write_text(new_identity(KeyKind.X25519))
    done = subprocess.run(["age", "-d", "-i", paper.folder / "key", sealed], capture_output=True)
    assert done.returncode == 1
    assert b"no identity matched" in done.stderr


@pytest.mark.parametrize("kind", KeyKind)
def test_the_javascript_age_both_ways(paper: Paper, typage: Callable[..., bytes], kind: KeyKind) -> None:
    identities = [new_identity(kind) for _ in range(3)]
    recipients = [recipient_of(each) for each in identities]
    for size in SIZES:
        content = random.Random(size).randbytes(size)
        ours = paper.seal(content, recipients).read_bytes()
        assert paper.untar(typage("open", identities[size % 3], data=ours)) == {"Échographie.pdf": content}
        theirs = typage("seal", *recipients, data=paper.tar(content))
        assert paper.opened(theirs, identities[-1]) == content


class Large:
    """A sparse document: it costs no disk to read."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.size = mib << 20
        self.path = folder / "film.dcm"
        with self.path.open("wb") as file:
            file.write(b"begin")
            file.seek(self.size - 3)
            file.write(b"end")
        with self.path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    made = Large(tmp_path_factory.mktemp("large"), BIG_MIB)
    yield made
    made.path.unlink()


@pytest.fixture
def smaller(tmp_path: Path) -> Large:
    """For what would be written to the disk as a whole a third time."""
    return Large(tmp_path, min(BIG_MIB, 512))


@pytest.fixture
def others(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str, str], list[str]]:
    """``others("open", identity)``: the command line of another age, from standard input to standard output."""
    if request.param == "typage":
        folder = request.getfixturevalue("typage").folder
        return lambda act, word: ["node", str(folder / "age.mjs"), f"stream-{act}", word]
    if shutil.which("age") is None:
        pytest.skip("the age command is not installed")
    key = tmp_path / "key"

    def age(act: str, word: str) -> list[str]:
        if act == "seal":
            return ["age", "-r", word]
        key.write_text(word)
        return ["age", "-d", "-i", str(key)]

    return age


BOTH = pytest.mark.parametrize("others", ["age", "typage"], indirect=True)


@BOTH
@pytest.mark.timeout(300 + BIG_MIB)
def test_another_age_opens_a_large_document_of_ours(
    large: Large, tmp_path: Path, others: Callable[[str, str], list[str]]
) -> None:
    """By pipes: the sealed file is nowhere whole."""
    identity = new_identity(KeyKind.X25519)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read_end, write_end = os.pipe()
    with (
        large.path.open("rb") as source,
        subprocess.Popen(others("open", identity), stdin=read_end, stdout=subprocess.PIPE) as opening,
        subprocess.Popen(["tar", "-xO"], stdin=opening.stdout, stdout=subprocess.PIPE) as unpacking,
        subprocess.Popen(["sha256sum"], stdin=unpacking.stdout, stdout=subprocess.PIPE) as hashing,
    ):
        os.close(read_end)
        for each in (opening.stdout, unpacking.stdout):
            assert each is not None
            each.close()
        try:
            info = seal(source.fileno(), large.size, b"film.dcm", TIME, [recipient_of(identity)], write_end)
        finally:
            os.close(write_end)
        found = hashing.communicate()[0].split()[0].decode()
        assert [opening.wait(), unpacking.wait()] == [0, 0]
    assert (info.sha256, found) == (large.sha256, large.sha256)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 64  # MiB


@pytest.mark.timeout(300 + BIG_MIB)
@pytest.mark.parametrize(("others", "document"), [("age", "large"), ("typage", "large")], indirect=["others"])
def test_we_open_a_large_document_of_another_age(
    request: pytest.FixtureRequest, tmp_path: Path, others: Callable[[str, str], list[str]], document: str
) -> None:
    large: Large = request.getfixturevalue(document)
    if shutil.disk_usage(tmp_path).free < large.size + (4 << 30):
        pytest.skip("too little room for a sealed file of this size")
    identity = new_identity(KeyKind.X25519)
    sealed = tmp_path / "sealed"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with (
            sealed.open("wb") as target,
            subprocess.Popen(
                ["tar", "-c", "-C", large.path.parent, large.path.name], stdout=subprocess.PIPE
            ) as packing,
        ):
            subprocess.run(others("seal", recipient_of(identity)), stdin=packing.stdout, stdout=target, check=True)
        assert packing.returncode == 0
        read_end, write_end = os.pipe()
        with sealed.open("rb") as source, subprocess.Popen(
            ["sha256sum"], stdin=read_end, stdout=subprocess.PIPE
        ) as hashing:  # fmt: skip
            os.close(read_end)
            try:
                member = unseal(source.fileno(), [identity], write_end)
            finally:
                os.close(write_end)
            assert hashing.communicate()[0].split()[0].decode() == large.sha256
        assert (member.name, member.size) == (b"film.dcm", large.size)
    finally:
        sealed.unlink()
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 64  # MiB


@pytest.mark.timeout(300 + BIG_MIB)
def test_a_large_document_with_hybrid_keys_in_flat_memory(smaller: Large, tmp_path: Path) -> None:
    identity = new_identity(KeyKind.HYBRID)
    sealed = tmp_path / "sealed"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        with smaller.path.open("rb") as source, sealed.open("w+b") as target:
            info = seal(source.fileno(), smaller.size, b"film.dcm", TIME, [recipient_of(identity)], target.fileno())
            member = unseal(target.fileno(), [identity])
    finally:
        sealed.unlink()
    assert (info.sha256, member.size) == (smaller.sha256, smaller.size)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 64  # MiB
