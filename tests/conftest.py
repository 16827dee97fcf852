"""What every test may use: the checkout, the development corpus, names that hurt, root."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("SERMENT_CORPUS") or CHECKOUT.parent / "shared" / "corpus")

HOSTILE_NAMES = (
    b"line\nbreak.txt",
    b"return\rand\ttab.txt",
    b"\x1b[31mred\x1b[0m\x07.txt",
    b"not-utf8-\xff\xfe\x80.txt",
    "droite\u202exslx.txt".encode(),
    "e\u0301 zéro\u200djoint.txt".encode(),
    b"-rf",
    b"--help.txt",
    b"~$lock.docx",
    b"a" * 251 + b".txt",
    b"'quote\" `back` $(touch x) ; & |.txt",
    b"%s%n{name}.txt",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need root or the corpus say so when it is missing (``--dist loadfile`` runs a file's one by one)."""
    for item in items:
        if item.get_closest_marker("system") and os.getuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root: real mounts, devices and namespaces"))
        if item.get_closest_marker("corpus") and not CORPUS.is_dir():
            item.add_marker(
                pytest.mark.skip(reason="the development corpus (../shared/corpus) is not beside this clone")
            )


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT


@pytest.fixture(scope="session")
def corpus() -> Path:
    if not CORPUS.is_dir():
        pytest.skip("the development corpus (../shared/corpus) is not beside this clone")
    return CORPUS


@pytest.fixture(params=HOSTILE_NAMES, ids=lambda name: repr(name[:24]))
def hostile_name(request: pytest.FixtureRequest) -> bytes:
    name: bytes = request.param
    return name


@pytest.fixture(autouse=True, scope="session")
def _english() -> Iterator[None]:
    """Tests read English unless they ask for French."""
    before = os.environ.get("LANGUAGE")
    os.environ["LANGUAGE"] = "en"
    yield
    if before is None:
        del os.environ["LANGUAGE"]
    else:
        os.environ["LANGUAGE"] = before


@pytest.fixture
def silent() -> Iterator[Callable[[bytes, int], Callable[[], None]]]:
    """``silent(path, uid)`` mounts a file system of a person's program that never answers, for everybody to see, and
    returns what takes it away.
    """
    with contextlib.ExitStack() as stack:

        def mount(path: bytes, uid: int) -> Callable[[], None]:
            one = stack.enter_context(contextlib.ExitStack())
            fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
            one.callback(ctypes.CDLL(None).umount2, path, 2)
            one.callback(os.close, fuse)  # first: whoever waits gets an error
            options = f"fd={fuse},rootmode=40000,user_id={uid},group_id={uid},allow_other".encode()
            if ctypes.CDLL(None, use_errno=True).mount(b"x", path, b"fuse.mine", 0, options):
                pytest.skip(f"no FUSE here: {os.strerror(ctypes.get_errno())}")
            return one.close

        yield mount
