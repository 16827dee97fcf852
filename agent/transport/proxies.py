"""Which address is a proxy's, and which is a script's (PAC). Pure.

A PAC file is a program in JavaScript that the network sends: to run it would put an engine of that language, and what
the network wants it to do, beside the audit log. It is told apart and refused with what to do instead.
docs/decisions/0035-no-pac.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

_NAMES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_AUTOMATIC = ("auto_proxy", "AUTO_PROXY")
_MAX = 2048


def is_script(address: str) -> bool:
    """Whether what stands where a proxy's address should is the address of a script."""
    try:
        path = urlsplit(address[:_MAX]).path.lower()
    except ValueError:
        return False
    return address.lower().startswith("pac+") or path.endswith((".pac", "/wpad.dat"))


def script_in(environment: Mapping[str, str]) -> str:
    """The script's address that the environment gives in a proxy's place; "": none."""
    said = [environment[name] for name in _AUTOMATIC if environment.get(name)]
    said += [environment[name] for name in _NAMES if is_script(environment.get(name, ""))]
    return said[0][:100] if said else ""
