"""The kernel's keyring of this login session: where an unlocked key waits, in memory that is never on a disk.

``user`` keys (keyctl(2)) in the session keyring, readable by who possesses it: the programs of this login, not another
login of the same person. Gone with the session, or after ``seconds``. Where there is no keyring (a container, an odd
architecture) nothing is kept and the phrase is asked for each time.
"""

from __future__ import annotations

import ctypes
import os

HOURS_8 = 8 * 3600  # seconds: a working day
_SESSION = -3  # KEY_SPEC_SESSION_KEYRING
_SET_PERMISSION, _UNLINK, _SEARCH, _READ, _SET_TIMEOUT = 5, 9, 10, 11, 15
_POSSESSOR = 0x3F000000  # every right, for who possesses it alone
_NUMBERS = {"x86_64": (248, 250), "aarch64": (217, 219), "riscv64": (217, 219)}  # add_key, keyctl
_MAX_SECRET = 4096  # bytes
_libc = ctypes.CDLL(None, use_errno=True)


def keep(name: str, secret: bytes, seconds: int = HOURS_8) -> bool:
    """Keep ``secret`` under ``name`` in the place of what was there; False when this system has no keyring for us."""
    number = _number(0)
    if number is None:
        return False
    key = _libc.syscall(number, b"user", name.encode(), secret, ctypes.c_size_t(len(secret)), _SESSION)
    if key < 0:
        return False
    return _keyctl(_SET_PERMISSION, key, _POSSESSOR) == 0 and _keyctl(_SET_TIMEOUT, key, seconds) == 0


def kept(name: str) -> bytes | None:
    """What is kept under ``name``, or None."""
    key = _find(name)
    if key < 0:
        return None
    buffer = ctypes.create_string_buffer(_MAX_SECRET)
    length = _keyctl(_READ, key, buffer, len(buffer))
    try:
        return buffer.raw[:length] if 0 < length <= len(buffer) else None
    finally:
        ctypes.memset(buffer, 0, len(buffer))


def forget(name: str) -> bool:
    """Lock again: False when nothing was kept."""
    key = _find(name)
    return key >= 0 and _keyctl(_UNLINK, key, _SESSION) == 0


def _find(name: str) -> int:
    return _keyctl(_SEARCH, _SESSION, b"user", name.encode(), 0)


def _keyctl(operation: int, *arguments: object) -> int:
    number = _number(1)
    if number is None:
        return -1
    plain = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return int(_libc.syscall(number, operation, *plain))


def _number(which: int) -> int | None:
    numbers = _NUMBERS.get(os.uname().machine)
    return None if numbers is None else numbers[which]
