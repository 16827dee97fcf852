from __future__ import annotations

import pytest

from agent.errors import UsageError
from agent.gates.airlock.medium import checked, is_temporary
from agent.gates.airlock.options import parse
from agent.gates.airlock.process import _unescaped

NEEDED = ["--fuse-fd", "3", "--medium-fd", "4", "--socket", "/run/x", "--token", "t", "--mount-point", "/media/a b"]


def test_arguments() -> None:
    found = parse([*NEEDED, "--staging-fd=5", "--limit-mb", "100", "--disk-encrypted", "--no-passthrough"])
    assert (found.fuse_fd, found.medium_fd, found.staging_fd, found.limit_mb) == (3, 4, 5, 100)
    assert found.disk_encrypted
    assert not found.passthrough
    assert parse(NEEDED).passthrough


@pytest.mark.parametrize(
    "wrong", [NEEDED[:-2], [*NEEDED, "--else", "1"], [*NEEDED, "--limit-mb", "many"], [*NEEDED, "--limit-mb"]]
)
def test_arguments_that_are_not_understood(wrong: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(wrong)


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a/b", b"a\0b", b"x" * 256, b".serment-0123456789abcdefx.tmp"])
def test_names_that_nobody_may_make(name: bytes) -> None:
    with pytest.raises(OSError):
        checked(name)


def test_only_our_temporary_files_are_hidden() -> None:
    assert is_temporary(b".serment-0123456789abcdefx.tmp")
    assert not is_temporary(b".serment-notes.tmp")
    assert checked(b".serment-notes.tmp") == b".serment-notes.tmp"


def test_a_mount_point_as_the_kernel_writes_it() -> None:
    assert _unescaped(rb"/media/a\040b\134c") == b"/media/a b\\c"
