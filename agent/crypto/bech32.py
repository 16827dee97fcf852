"""Bech32 (BIP 173) as age uses it: a prefix in words, bytes, a checksum; no limit on the length. Pure.

Recipients are written in lower case, identities in upper case; a text that mixes them is refused.
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_TEXT = 4096  # characters; the longest recipient there is has 1,959
_DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6  # digits


def encode(prefix: str, data: bytes) -> str:
    """``prefix``, the separator ``1``, ``data`` and the checksum, in lower case."""
    values = list(_regroup(data, 8, 5, pad=True))
    check = _polymod((*_expanded(prefix), *values, *([0] * _CHECKSUM))) ^ 1
    values += [check >> 5 * (5 - position) & 31 for position in range(_CHECKSUM)]
    return f"{prefix}1" + "".join(_DIGITS[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """Prefix (in lower case) and bytes. Raises ValueError: not Bech32, mixed case, wrong checksum, bits left over."""
    if len(text) > MAX_TEXT or not text.isascii() or text not in {text.lower(), text.upper()}:
        raise ValueError("not Bech32")
    prefix, separator, digits = text.lower().rpartition("1")
    if not separator or not prefix or len(digits) < _CHECKSUM or not set(digits) <= _VALUES.keys():
        raise ValueError("not Bech32")
    values = [_VALUES[digit] for digit in digits]
    if _polymod((*_expanded(prefix), *values)) != 1:
        raise ValueError("wrong checksum")
    return prefix, bytes(_regroup(values[:-_CHECKSUM], 5, 8, pad=False))


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, part in enumerate(_GENERATOR):
            check ^= part if top >> bit & 1 else 0
    return check


def _regroup(data: Iterable[int], size: int, wanted: int, *, pad: bool) -> Iterable[int]:
    """The same bits in groups of ``wanted``. Raises ValueError when what is left over is no padding of zeros."""
    waiting = bits = 0
    for value in data:
        waiting, bits = (waiting << size | value) & 0xFFFF, bits + size
        while bits >= wanted:
            bits -= wanted
            yield waiting >> bits & ((1 << wanted) - 1)
    rest = waiting & ((1 << bits) - 1)
    if pad and bits:
        yield rest << wanted - bits
    elif not pad and (bits >= size or rest):
        raise ValueError("bits left over")
