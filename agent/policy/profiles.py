"""The policies that ship with Serment: ``monitor`` (the first start) and ``enforce``; read from the package."""

from __future__ import annotations

from agent.errors import N_, PolicyError

PROFILES = ("monitor", "enforce")


def profile_bytes(name: str) -> bytes:
    """The bytes of a shipped policy file. Raises PolicyError when there is none of that name."""
    import pkgutil  # importlib.resources brings zipfile and tempfile into a process that stays

    if name not in PROFILES:
        raise PolicyError(
            N_("there is no profile {found}; choose one of {expected}"),
            file="", line=0, rule="", expected=", ".join(PROFILES), found=repr(name),
        )  # fmt: skip
    data = pkgutil.get_data("agent.policy", f"profiles/{name}.yaml")
    if data is None:
        raise FileNotFoundError(name)  # no loader of files: the package is broken
    return data
