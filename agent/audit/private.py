"""The private parts of records: what only the person concerned and two reviewers may read, and what can be forgotten.

Owns ``private/``: one file for each day and person, an age header that gives the day's key to that person and to the
practice, and holds nothing else. The key itself is in memory while it is that day. Once the file is gone nobody reads
the private parts of that day again, here or in any copy of the log; every proof stays valid, for the tree holds no
more than the hash of what is encrypted. docs/formats/audit-log.md, section 7.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.crypto import header, recipients
from agent.errors import N_, HostError, SealError, UntrustedInputError
from agent.fsys.atomic import private_folder, replace_file, sync_folder, write_all

FOLDER = "private"
MAX_BYTES = 16 << 10  # of one private part, before it is encrypted
_VERSION, _OLD = 2, 1
_KEY_ID = 8
_TAIL = 4  # random bytes behind the index: a record that was taken back leaves its number to another
_OLD_NONCE = 12
_INFO = b"serment audit private part"
_BINDING = b"serment-audit"
_VERSION_BYTE = bytes((_VERSION,))
_NAME = re.compile(r"(\d{8})-(\d{1,10})-([0-9a-f]{16})\.key")
_DAY_US = 86_400_000_000
_ENCODER = msgspec.msgpack.Encoder(order="sorted")


class DayKey(NamedTuple):
    """A key file: whose, of which day (days since 1970 UTC), and its id."""

    day: int
    owner: int
    key_id: bytes
    path: Path


class Vault:
    """Encrypts private parts. ``recipients_of`` says to whom the keys of a uid are sealed; it may raise SealError."""

    def __init__(self, folder: Path, recipients_of: Callable[[int], Sequence[str]]) -> None:
        self._folder = folder / FOLDER
        self._recipients_of = recipients_of
        self._keys: dict[int, tuple[bytes, Any]] = {}
        self._day = -1

    def seal(self, private: Mapping[str, Any], owner: int, index: int, time_us: int) -> bytes:
        """The private part of record ``index``. Empty when no key can be made: nothing is ever kept in clear."""
        data = _ENCODER.encode(dict(private)) if private else b""
        if not data or len(data) > MAX_BYTES:
            return b""
        try:
            key_id, cipher = self._key(owner, time_us // _DAY_US)
        except (SealError, HostError, OSError):
            return b""
        tail, number = os.urandom(_TAIL), index.to_bytes(8, "big")
        hidden: bytes = cipher.encrypt(number + tail, data, _BINDING + number)
        return _VERSION_BYTE + key_id + tail + hidden

    def _key(self, owner: int, day: int) -> tuple[bytes, Any]:
        if day != self._day:
            self._keys.clear()
            self._day = day
        if owner not in self._keys:
            self._keys[owner] = self._make(owner, day)
        return self._keys[owner]

    def _make(self, owner: int, day: int) -> tuple[bytes, Any]:
        secret, key_id = secrets.token_bytes(recipients.FILE_KEY), secrets.token_bytes(_KEY_ID)
        stanzas = [recipients.wrap(secret, each) for each in self._recipients_of(owner)]
        if not stanzas:
            raise SealError(N_("a document is sealed for somebody"))
        name = f"{_date(day)}-{max(owner, 0)}-{key_id.hex()}.key"
        replace_file(private_folder(self._folder) / name, header.build(stanzas, secret))
        return key_id, _cipher(secret, key_id)


def _cipher(secret: bytes, key_id: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(header.derive(secret, key_id, _INFO))


def _bound(index: int) -> bytes:
    return _BINDING + index.to_bytes(8, "big")


def _date(day: int) -> str:
    import datetime as dt

    return f"{dt.date(1970, 1, 1) + dt.timedelta(days=day):%Y%m%d}"


def _day_of(date: str) -> int:
    import datetime as dt

    return (dt.datetime.strptime(date, "%Y%m%d").date() - dt.date(1970, 1, 1)).days  # noqa: DTZ007


def day_keys(folder: Path) -> Iterator[DayKey]:
    """The key files of the log in ``folder``. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder / FOLDER)):
            if found := _NAME.fullmatch(name):
                with contextlib.suppress(ValueError):  # a date that is none
                    key_id = bytes.fromhex(found[3])
                    yield DayKey(_day_of(found[1]), int(found[2]), key_id, folder / FOLDER / name)


def key_id_of(private: bytes) -> bytes:
    """Which key a private part is encrypted with; empty: it is not of this form."""
    known = len(private) > 1 + _KEY_ID + _OLD_NONCE and private[0] in (_VERSION, _OLD)
    return private[1 : 1 + _KEY_ID] if known else b""


def unseal(folder: Path, private: bytes, index: int, identities: Sequence[str]) -> dict[str, Any]:
    """The private part of record ``index``, for whoever has one of ``identities``.

    Raises SealError (its time is over, it is for somebody else, damaged) and OSError.
    """
    return Opener(folder, identities).open(private, index)


def erase(folder: Path, keys: Sequence[DayKey]) -> None:
    """Destroy these keys: overwritten, removed, and the removal durable. Raises OSError."""
    for key in keys:
        if key.path.parent != folder / FOLDER:
            raise UntrustedInputError(N_("an audit key lies elsewhere"))
        fd = os.open(key.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            write_all(fd, bytes(os.fstat(fd).st_size))
            os.fsync(fd)
        finally:
            os.close(fd)
        key.path.unlink()
    if keys:
        sync_folder(folder / FOLDER)


class Opener:
    """Opens many private parts for one reader: each day's key is unwrapped once."""

    def __init__(self, folder: Path, identities: Sequence[str]) -> None:
        self._identities = identities
        self._keys = {key.key_id: key for key in day_keys(folder)}
        self._ciphers: dict[bytes, Any] = {}

    def key_of(self, private: bytes) -> DayKey | None:
        """The key file that a private part needs; None when its time is over."""
        return self._keys.get(key_id_of(private))

    def head(self, private: bytes) -> bytes:
        """The header of that key file, for whoever opens it elsewhere. Raises OSError, SealError: it is gone."""
        key = self.key_of(private)
        if key is None:
            raise SealError(N_("the private part of this record is no longer there"), hint=N_("its time is over"))
        with key.path.open("rb") as file:
            return file.read(header.MAX_HEADER)

    def open(self, private: bytes, index: int) -> dict[str, Any]:
        """Like ``unseal``."""
        key_id = key_id_of(private)
        if key_id not in self._ciphers:
            found = header.parse(self.head(private))
            self._ciphers[key_id] = recipients.unwrap(found, self._identities)
        return open_with(self._ciphers[key_id], private, index)


def open_with(secret: bytes, private: bytes, index: int) -> dict[str, Any]:
    """The private part of record ``index`` by the day's secret. Raises SealError: damaged, or of another key."""
    from cryptography.exceptions import InvalidTag

    start = 1 + _KEY_ID
    old = private[:1] == bytes((_OLD,))
    hidden = start + (_OLD_NONCE if old else _TAIL)
    nonce = private[start:hidden] if old else index.to_bytes(8, "big") + private[start:hidden]
    try:
        cipher = _cipher(secret, key_id_of(private))
        data = cipher.decrypt(nonce, private[hidden:], _bound(index))
        table = msgspec.msgpack.decode(data, type=dict[str, Any])
    except (InvalidTag, msgspec.MsgspecError, UnicodeError, ValueError) as error:
        raise SealError(N_("the private part of this record is damaged")) from error
    return dict(table)
