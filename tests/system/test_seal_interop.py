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
BIG_MIB = int(os.environ.get("SERMENT_SEAL_MIB", "256"))  # 8192 for the full promise
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


@pytest.mark.parametrize("kind", KeyKind)
def test_a_large_document_in_flat_memory(tmp_path: Path, kind: KeyKind) -> None:
    """Sparse, so that it costs no disk to read; SERMENT_SEAL_MIB=8192 for 8 GiB."""
    size = BIG_MIB << 20
    identity = new_identity(kind)
    with (tmp_path / "plain").open("w+b") as source, (tmp_path / "sealed").open("w+b") as target:
        source.truncate(size)
        source.seek(size - 3)
        source.write(b"end")
        source.flush()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        info = seal(source.fileno(), size, b"film.dcm", TIME, [recipient_of(identity)], target.fileno())
        member = unseal(target.fileno(), [identity])
        grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        with (tmp_path / "plain").open("rb") as again:
            assert info.sha256 == hashlib.file_digest(again, "sha256").hexdigest()
        assert member.size == size
    assert grown_mib < 64
    if kind is KeyKind.X25519 and shutil.which("age"):
        (tmp_path / "key").write_text(identity)
        age = subprocess.Popen(["age", "-d", "-i", tmp_path / "key", tmp_path / "sealed"], stdout=subprocess.PIPE)
        assert age.stdout is not None
        length = sum(len(block) for block in iter(lambda: age.stdout.read(1 << 20), b""))  # type: ignore[union-attr]
        assert age.wait() == 0
        assert length >= size
