"""Whose folders are guarded: the persons of this laptop, from the password database.

Owns the answer to «who is a person here»; opens no file of theirs. Homes are bytes.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FIRST_UID = 1000
_NOBODIES = frozenset({0xFFFE, 0xFFFF, 0xFFFF_FFFE, 0xFFFF_FFFF})  # nobody and « none », of 16 bits and of 32
_NO_SHELL = (b"nologin", b"false", b"sync")


@dataclass(frozen=True, slots=True)
class Person:
    """One login: numeric ids, login name, absolute home."""

    uid: int
    gid: int
    name: str
    home: bytes


def people(names: Sequence[str] = ()) -> list[Person]:
    """The persons whose folders are to be guarded, by uid.

    With ``names``: those logins, whatever their ids. Without: every login from 1000 on (those of a directory have large
    numbers) with a real shell and a home that is there, the persons who are logged in, and the one who started this
    process (SUDO_UID or its own uid). Root counts only when nobody else does. A name that is not known is left out.
    """
    if names:
        found = [entry for name in names if (entry := _by_name(name)) is not None]
    else:
        found = [entry for entry in (*pwd.getpwall(), *_by_uid(_present())) if _is_person(entry)]
        found += [entry for entry in _by_uid(_invoker()) if entry.pw_uid != 0]
        found = found or list(_by_uid([0] if os.getuid() == 0 else []))
    unique = {entry.pw_uid: entry for entry in found}
    return [
        Person(uid, entry.pw_gid, entry.pw_name, os.fsencode(entry.pw_dir))
        for uid, entry in sorted(unique.items())
        if _is_folder(os.fsencode(entry.pw_dir))
    ]


def uid_of(name: str) -> int | None:
    """The uid of a login name, or None."""
    entry = _by_name(name)
    return None if entry is None else entry.pw_uid


def _by_name(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except (KeyError, ValueError):
        return None


def _by_uid(uids: Iterable[int]) -> Iterator[pwd.struct_passwd]:
    for uid in uids:
        try:
            yield pwd.getpwuid(uid)
        except (KeyError, OverflowError):
            continue


def _is_person(entry: pwd.struct_passwd) -> bool:
    shell = os.fsencode(entry.pw_shell)
    return entry.pw_uid >= FIRST_UID and entry.pw_uid not in _NOBODIES and not shell.endswith(_NO_SHELL)


def _present() -> list[int]:
    """Who is logged in: directory services do not list everybody, but systemd makes a folder for each."""
    try:
        return [int(name) for name in os.listdir("/run/user") if name.isdecimal()]
    except OSError:
        return []


def _invoker() -> list[int]:
    if os.getuid() != 0:
        return [os.getuid()]
    value = os.environ.get("SUDO_UID", "")
    return [int(value)] if value.isascii() and value.isdecimal() else []


def _is_folder(path: bytes) -> bool:
    """Whether there is a folder, or something that is not ours to look at: a home that a program of its owner has
    mounted (an encrypted one) shows itself to nobody else, and is nevertheless there.
    """
    if not path.startswith(b"/") or path == b"/":
        return False
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        return error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
    except ValueError:
        return False
