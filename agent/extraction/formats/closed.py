"""Formats that hold documents and that nothing here can open: named as such, so that they never pass as « clean ».

Pure. Ciphertext with a mark of its own, ciphertext without any (every byte value as frequent as every other), stores of
mail, databases, statistics, disk images, word processors of old. Each mark stands at its offset. What is only harmless
(programs, fonts, sounds) is not here.
"""

from __future__ import annotations

from agent.document import Problem

_LOCKED: tuple[tuple[int, bytes], ...] = (
    (0, b"Salted__"),  # openssl enc
    (0, b"\x03\xd9\xa2\x9a"),  # KeePass
    (0, b"LUKS\xba\xbe"),
    (0, b"AES\x01"), (0, b"AES\x02"), (0, b"AES\x03"),  # AES Crypt
    (0, b"\xc0\xb9\x07\x2e\x4f\x93\xf1\x46"),  # AxCrypt
    (0, b"VimCrypt~"),
    (0, b"$ANSIBLE_VAULT;"),
    (0, b"encrcdsa"), (0, b"cdsaencr"),  # disk images of macOS
    (3, b"-FVE-FS-"),  # BitLocker
    (0, b"-----BEGIN PGP MESSAGE-----"),
)  # fmt: skip
_CLOSED: tuple[tuple[int, bytes], ...] = (
    (0, b"%!PS"), (0, b"\x04%!PS"), (0, b"\n%!PS"), (0, b"\r\n%!PS"),  # a printed page as a program
    (0, b"\xc5\xd0\xd3\xc6"),  # the same with a preview
    (0, b"\x1b%-12345X"), (0, b"@PJL"), (0, b"\x1bE\x1b"),  # what is sent to a printer
    (0, b"!BDN"),  # Outlook store
    (0, b"\xffWPC"),  # WordPerfect
    (0, b"\x01\xfe\x32\0"), (0, b"\x31\xbe\0\0"), (0, b"\x32\xbe\0\0"),  # Works, Write, Word for DOS
    (0, b"\xdb\xa5"), (0, b"\x7f\xfe\x34\x0a"),  # Word 2
    (0, b"\0\0\x1a\0\0\x10\x04\0"), (0, b"\0\0\x02\0\x06\x04"), (0, b"\xff\0\x02\0\x04\x04"),  # 1-2-3, Works tables
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"),  # OneNote
    (0, b"ITSF"), (60, b"BOOKMOBI"), (60, b"TEXtREAd"),  # help and electronic books
    (0, b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5"), (2, b"MMXPR3"), (2, b"IIXPR3"),  # InDesign, QuarkXPress
    (0, b"\0\x01\0\0Standard Jet DB"), (0, b"\0\x01\0\0Standard ACE DB"),  # Access
    (0, b"\0\x01\0\0\0\x02\0\x01\0\x05\0\x02\0\x02\xc0HBAM7"),  # FileMaker
    (8, b"DUCK"), (0, b"-- H2 0.5/B --"), (0, b"H:2,block"), (0, b"PGDMP"),  # other databases
    (0, b"\x89HDF\r\n\x1a\n"), (0, b"\x0e\x03\x13\x01"), (0, b"CDF\x01"), (0, b"CDF\x02"),
    (0, b"MATLAB 5.0 MAT-file"), (0, b"PAR1"), (0, b"PARE"), (0, b"ARROW1"), (0, b"FEA1"), (0, b"ORC\x0a"),
    (0, b"Obj\x01"), (0, b"RDX2\n"), (0, b"RDX3\n"),
    (0, b"$FL2@(#)"), (0, b"$FL3@(#)"), (0, b"<stata_dta>"), (0, b"HEADER RECORD*******LIB"),  # statistics
    (12, b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\0\x09\xc7\x31\x8c"),  # SAS
    (0, b"KDMV"), (0, b"QFI\xfb"), (0, b"conectix"), (0, b"vhdxfile"), (64, b"\x7f\x10\xda\xbe"), (0, b"hsqs"),
    (3, b"NTFS    "), (3, b"EXFAT   "), (54, b"FAT1"), (82, b"FAT32   "), (512, b"EFI PART"), (32, b"NXSB"),
    (1080, b"\x53\xef"), (1024, b"H+\0\x04"),  # disks
    (0, b"MSWIM\0\0\0"), (0, b"ANDROID BACKUP\n"), (0, b"TAPE\0\0\x03\0"), (0, b"ISc("),  # backups
    (7, b"**ACE**"), (0, b"\x60\xea"), (20, b"\xdc\xa7\xc4\xfd"), (0, b"SIT!"), (0, b"StuffIt"), (0, b"\x89LZO\0"),
    (0, b"LRZI"), (0, b"zPQ"), (0, b"7kSt"),  # archives
)  # fmt: skip
_ENCRYPTED_EXTENSIONS = frozenset({"apz", "gpg", "pgp", "p7m", "p7e", "aes", "axx", "hc", "tc", "zed", "zc", "zdm"})
_OPENPGP = {0x84: 3, 0x85: 3, 0xC1: 3, 0x8C: 4, 0xC3: 4}  # session keys, by public key or password (RFC 4880, 5.1, 5.3)
_ALGORITHMS = frozenset(bytes([number]) for number in (1, 3, 17, 19, 22, 25, 26, 27, 28))  # those of keys that sign
_AFTER_KEY = frozenset(bytes([tag]) for tag in (0x88, 0x89, 0xB4, 0xB8, 0xB9, 0xC2, 0xCD, 0xCE, 0xD1))
"""A signature, a name, a subkey or a picture of who it belongs to."""
_NOISE = 4096  # bytes needed to tell
_SPREAD = (142.0, 368.0)  # χ² over 256 values of even noise: 255 ± 23; more even than that is a pattern


def closed(head: bytes, extension: str = "") -> Problem | None:
    """Why the file that begins with ``head`` cannot be opened, or None when nothing says so."""
    if any(head.startswith(mark, place) for place, mark in _LOCKED) or _is_openpgp(head, extension):
        return Problem.ENCRYPTED
    if _is_openpgp_key(head):
        return None  # a ring of keys, as each system has them
    if extension in _ENCRYPTED_EXTENSIONS and len(set(head)) > min(200, len(head) // 3):
        return Problem.ENCRYPTED
    if any(head.startswith(mark, place) for place, mark in _CLOSED) or _is_boot_sector(head):
        return Problem.UNSUPPORTED
    return None


def is_even_noise(data: bytes) -> bool:
    """Whether every byte value is as frequent as in random bytes: a cipher, or a piece of something well compressed."""
    if len(data) < _NOISE:
        return False
    each = len(data) / 256
    spread = sum((data.count(value) - each) ** 2 for value in range(256)) / each
    return _SPREAD[0] < spread < _SPREAD[1]


def _is_openpgp(head: bytes, extension: str) -> bool:
    """A packet that holds a session key; without an extension to go by, its version has to be right as well."""
    version = _OPENPGP.get(head[0]) if head else None
    if version is None:
        return False
    at = 3 if head[0] == 0x85 or (head[0] >= 0xC0 and head[1:2] >= b"\xc0") else 2
    if extension in {"gpg", "pgp", "asc"}:
        return True
    room = head[1] if at == 2 else int.from_bytes(head[1:3], "big") & 0x1FFF
    return head[at : at + 1] == bytes([version]) and 8 <= room <= 1100 and len(head) > at + room - 1 >= at


def _is_openpgp_key(head: bytes) -> bool:
    """A public key of version 4 with its algorithm, then another packet (RFC 9580, 5.5.2 and 9.1)."""
    if len(head) < 16 or head[0] not in {0x98, 0x99, 0xC6}:
        return False
    if head[0] == 0xC6 and head[1:2] >= b"\xc0":
        at, room = 3, _two(head[1:3])
    elif head[0] == 0x99:
        at, room = 3, int.from_bytes(head[1:3], "big")
    else:
        at, room = 2, head[1]
    signs = head[at : at + 1] == b"\x04" and head[at + 5 : at + 6] in _ALGORITHMS
    return signs and head[at + room : at + room + 1] in _AFTER_KEY


def _two(length: bytes) -> int:
    """A length of two octets of the newer format (RFC 9580, 4.2.1.2)."""
    return (length[0] - 192 << 8) + length[1] + 192


def _is_boot_sector(head: bytes) -> bool:
    return (
        head[510:512] == b"\x55\xaa" and head[:1] in {b"\xeb", b"\xe9", b"\x33", b"\xfa", b"\0"} and len(head) >= 1024
    )
