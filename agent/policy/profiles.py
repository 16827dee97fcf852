"""The policies that ship with Serment: ``monitor`` (the first start) and ``enforce``; read from the package."""

from __future__ import annotations

from pathlib import Path

from agent.errors import N_, PolicyError

PROFILES = ("monitor", "enforce")


def profile_bytes(name: str) -> bytes:
    """The bytes of a shipped policy file. Raises PolicyError when there is none of that name."""
    if name not in PROFILES:
        raise PolicyError(
            N_("there is no profile {found}; choose one of {expected}"),
            file="", line=0, rule="", expected=", ".join(PROFILES), found=repr(name),
        )  # fmt: skip
    return (Path(__file__).parent / f"profiles/{name}.yaml").read_bytes()  # importlib.resources would bring zipfile
