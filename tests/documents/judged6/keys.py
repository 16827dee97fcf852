"""Keys of invented numbers: a number is valid by its key only, and belongs to nobody."""

from __future__ import annotations

import re


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _luhn(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def luhn(text: str) -> str:
    return text + _luhn(_digits(text))


def nir(text: str) -> str:
    """Thirteen digits of a French number, spaced as wanted, and its key of two."""
    body = int(text.replace(" ", "").replace("2A", "19").replace("2B", "18"))
    return f"{text}{' ' if ' ' in text else ''}{97 - body % 97:02}"


def nhs(text: str) -> str:
    digits = _digits(text)
    check = 11 - sum(int(d) * (10 - n) for n, d in enumerate(digits)) % 11
    if check == 10:
        raise ValueError(f"no NHS number begins with {digits}")
    return text + str(check % 11)


def rib(text: str) -> str:
    """Bank, branch and account of a French IBAN, with both keys, in groups of four."""
    bank, branch, account = text.split()
    key = 97 - (89 * int(bank) + 15 * int(branch) + 3 * int(account)) % 97
    return iban(f"FR {bank}{branch}{account}{key:02}")


def iban(text: str) -> str:
    country, body = text.split(" ", 1)
    body = body.replace(" ", "")
    value = int("".join(str(int(c, 36)) for c in body + country + "00"))
    whole = f"{country}{98 - value % 97:02}{body}"
    return " ".join(whole[n : n + 4] for n in range(0, len(whole), 4))


def bsn(text: str) -> str:
    check = sum(int(d) * (9 - n) for n, d in enumerate(_digits(text))) % 11
    if check == 10:
        raise ValueError(f"no BSN begins with {text}")
    return text + str(check)


def cf(text: str) -> str:
    odd = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23], strict=True))
    total = sum(odd[c] if n % 2 == 0 else int(c, 36) - (10 if c.isalpha() else 0) for n, c in enumerate(text))
    return text + chr(65 + total % 26)


def dni(text: str) -> str:
    return text + "TRWAGMYFPDXBNJZSQVHLCKE"[int(_digits(text)) % 23]


def kvnr(text: str) -> str:
    digits = f"{ord(text[0]) - 64:02}{text[1:]}"
    total = sum(sum(divmod(int(d) * (2 if n % 2 else 1), 10)) for n, d in enumerate(digits))
    return text + str(total % 10)


def ean(text: str) -> str:
    """Twelve digits and the thirteenth: the Swiss insured number, spaced by points as wanted."""
    total = sum(int(d) * (3 if n % 2 else 1) for n, d in enumerate(_digits(text)))
    return text + str(-total % 10)


def niss(text: str) -> str:
    """Nine digits of a Belgian number, written YY.MM.DD-NNN, and its key."""
    digits = _digits(text)
    return f"{text}.{97 - int(digits) % 97:02}"


FUNCTIONS = {f.__name__: f for f in (luhn, nir, nhs, rib, iban, bsn, cf, dni, kvnr, ean, niss)}


def filled(text: str) -> str:
    """The text with each ``{{function digits}}`` in it replaced by the number and its key."""
    return re.sub(r"\{\{(\w+) ([^}]*)\}\}", lambda m: FUNCTIONS[m[1]](m[2]), text)
