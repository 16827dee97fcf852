"""Bytes → text, in the encodings of clinicians' files: Unicode with and without BOM, the 8-bit ones of old software.

Pure. Deterministic, and without a model: UTF-8 proves itself; UTF-16/32 show zero bytes at even places; of the 8-bit
encodings the one wins in which the letters inside words are letters that European languages write.
"""

from __future__ import annotations

import codecs
import encodings
from encodings.aliases import aliases

BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_EIGHT_BIT = ("cp1252", "cp850", "mac_roman", "iso8859_15")  # in order of preference when nothing tells them apart
_SAMPLE = 16 * 1024
_LEAST_EBCDIC = 64  # bytes
_LOW, _HIGH = bytes(range(128)), bytes(range(128, 256))
_EBCDIC_ZONES = (0x81, 0x91, 0xA2, 0xC1, 0xD1, 0xE2, 0xF0)  # where runs of letters and digits begin
_EBCDIC_LETTERS = bytes(code for first in _EBCDIC_ZONES for code in range(first, (first | 15) - 5))
_WORDS = bytes(code if code > 127 or chr(code).isalpha() else 32 for code in range(256))
_COMMON = frozenset("éèàçêôîûùïëâœ")
_LETTERS = frozenset("äöüßñáíóúãõæåøýłšžčćřěůğışőűąęśźżńÿ")
_TYPOGRAPHY = frozenset("\u00a0«»\u2018\u2019\u201c\u201d–—…°€•²³µ·ª½§£®©±™")
_UPPER = frozenset("ÉÈÀÇÊÔÎÛÙÏËÂŒÄÖÜÑÁÍÓÚÆÅØŠŽ")
# Codecs that a document may ask for by name, as the standard library calls their modules: all are loaded while
# warming up, and
# no other is ever looked up, because looking one up would open files.
_CODECS_WORDS = (
    "utf_8 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be utf_7 ascii latin_1 iso8859_1 iso8859_2 "
    "iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_13 iso8859_14 "
    "iso8859_15 iso8859_16 cp437 cp850 cp852 cp858 cp866 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 "
    "cp1258 cp874 cp932 cp949 cp950 mac_roman mac_latin2 koi8_r koi8_u gb2312 gbk gb18030 big5 big5hkscs "
    "shift_jis euc_jp euc_kr iso2022_jp iso2022_jp_2 iso2022_kr tis_620 cp037 cp273 cp500 cp1140"
)
CODECS = frozenset(_CODECS_WORDS.split())
_EBCDIC = frozenset({"cp037", "cp273", "cp500", "cp1140"})
_BY_HABIT = frozenset(
    {"ascii", "latin_1", "iso8859_1", "cp1252", "utf_8"}
)  # declared without thought: the bytes decide


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode the stray bytes of an almost-UTF-8 text as cp1252: mixed files come out of message gateways."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("serment-cp1252", _as_cp1252)


def bom_of(data: bytes) -> str:
    """The encoding that a byte-order mark announces, or an empty string."""
    for bom, name in BOMS:
        if data.startswith(bom):
            return name
    return ""


def wide_of(data: bytes) -> str:
    """UTF-16 or UTF-32 without a mark, told by where the zero bytes stand; an empty string when it is neither."""
    sample = data[:2048]
    sample = sample[: len(sample) & ~3]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    quarter = len(sample) // 4
    zeros = [sample[place::4].count(0) for place in range(4)]
    if zeros[2] == quarter and zeros[3] == quarter and zeros[0] == 0:
        return "utf-32-le"
    if zeros[0] == quarter and zeros[1] == quarter and zeros[3] == 0:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if odd > 1.4 * quarter and even < 0.1 * quarter:
        return "utf-16-le"
    if even > 1.4 * quarter and odd < 0.1 * quarter:
        return "utf-16-be"
    return ""


def encoding_of(data: bytes) -> str:
    """The most likely encoding of a text; always a Python codec name."""
    marked = bom_of(data) or wide_of(data)
    if marked:
        return marked
    if data.isascii() or _is_utf8(data):
        return "utf-8"
    if is_ebcdic(data):
        return "cp500"
    return _eight_bit(data[:_SAMPLE] if not data[:_SAMPLE].isascii() else data)


def is_ebcdic(data: bytes) -> bool:
    """A text as mainframes and IBM i write it: its space is 0x40, its letters are high, and nearly nothing is ASCII."""
    sample = data[:2048]
    spaces, letters = sample.count(0x40), len(sample) - len(sample.translate(None, _EBCDIC_LETTERS))
    if len(sample) < _LEAST_EBCDIC or 20 * spaces < len(sample):
        return False
    return 2 * letters > len(sample) and 50 * sample.count(b" ") < len(sample)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
        return True
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:
            return True  # a text that was cut within a letter
    sample = data[:_SAMPLE]
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = len(text) - bad - len(sample.translate(None, _HIGH))
    return good > 3 * bad


def _eight_bit(data: bytes) -> str:
    # letters next to letters tell more than lone signs: everything else becomes a space, and one-byte words fall away
    words = [word for word in data.translate(_WORDS).split() if len(word) > 1]
    high = b"".join(words).translate(None, _LOW) or data.translate(None, _LOW)
    counts = [(byte, high.count(byte)) for byte in set(high)]
    return max(_EIGHT_BIT, key=lambda name: sum(count * _VALUES[name][byte] for byte, count in counts))


def _value(char: str) -> float:
    if char in _COMMON:
        return 3.0
    if char in _LETTERS:
        return 1.0
    if char in _UPPER:
        return 0.8
    if char in _TYPOGRAPHY:
        return 0.3
    return -2.0


_VALUES = {name: tuple(_value(bytes((byte,)).decode(name, "replace")) for byte in range(256)) for name in _EIGHT_BIT}


def decode(data: bytes, declared: str = "") -> str:
    """Text of any bytes; never fails. ``declared`` is what the document says of itself, believed when it can be
    true.
    """
    encoding = bom_of(data)
    if not encoding and declared:
        encoding = _believable(data, declared)
    if not encoding and b"\0" not in data:
        try:
            return data.decode("utf-8")  # what nearly all texts are
        except UnicodeDecodeError:
            pass
    encoding = encoding or encoding_of(data)
    text = data.decode(encoding, "serment-cp1252" if encoding == "utf-8" else "replace")
    return text.removeprefix("\ufeff") if encoding != "cp500" else text.replace("\x85", "\n")


def known_codec(name: str) -> str:
    """The standard library's name of a declared encoding, or an empty string when it is none of ``CODECS``."""
    name = encodings.normalize_encoding(name.strip().strip("\"'").lower()[:40])
    name = aliases.get(name, name)
    return name if name in CODECS else ""


def _believable(data: bytes, declared: str) -> str:
    name = known_codec(declared)
    wide = name.startswith(("utf_16", "utf_32"))
    if name in _BY_HABIT or (wide and b"\0" not in data[:64]) or (name in _EBCDIC and not is_ebcdic(data)):
        return ""
    return name
