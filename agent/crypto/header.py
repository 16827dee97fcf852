"""The header of an age file: version, one stanza for each recipient, a MAC (https://age-encryption.org/v1). Pure.

Reads untrusted bytes, within bounds: at most ``MAX_HEADER`` bytes and ``MAX_STANZAS`` stanzas, base64 in its one
canonical form. A header is rewritten without the payload being touched, because the payload hangs on the file key
alone: that is how keys are changed and how access is restored. What a stanza says is ``recipients``' business.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from agent.errors import N_, SealError

MAX_HEADER = 256 * 1024  # bytes: 128 hybrid recipients fit
MAX_STANZAS = 128
VERSION = b"age-encryption.org/v1\n"
_COLUMNS = 64  # characters in a line of a stanza's body
_MAC_LINE = 4 + 43 + 1  # bytes


@dataclass(frozen=True, slots=True)
class Stanza:
    """The file key, wrapped for one recipient: ``args[0]`` is the kind."""

    args: tuple[bytes, ...]
    body: bytes

    @property
    def kind(self) -> bytes:
        return self.args[0]


@dataclass(frozen=True, slots=True)
class Header:
    """``size`` bytes at the start of the file; what follows is the payload. The MAC is unproven until ``prove``."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    size: int

    def prove(self, file_key: bytes) -> None:
        """Raises SealError when the MAC is not the one that whoever knew ``file_key`` made."""
        if not hmac.compare_digest(_mac(_signed(self.stanzas), file_key), self.mac):
            raise damaged()


def damaged() -> SealError:
    """What is said when bytes are not those that were sealed."""
    return SealError(N_("this sealed file was damaged or changed"), hint=N_("copy it again from where it came from"))


def build(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """The bytes of a header with these stanzas."""
    signed = _signed(stanzas)
    return signed + b" " + encode64(_mac(signed, file_key)) + b"\n"


def parse(head: bytes) -> Header:
    """The header that ``head``, the first bytes of a file, begins with. Raises SealError: not one, or out of bounds."""
    if not head.startswith(VERSION):
        raise SealError(N_("this is not a sealed file"), hint=N_("sealed files end in .age"))
    stanzas: list[Stanza] = []
    position = len(VERSION)
    while not head.startswith(b"---", position):
        if len(stanzas) >= MAX_STANZAS:
            raise _too_large()
        stanza, position = _stanza(head, position)
        stanzas.append(stanza)
    end = position + _MAC_LINE
    line = head[position:end]
    if not stanzas or len(line) < _MAC_LINE or not line.startswith(b"--- ") or line[-1:] != b"\n":
        raise _cut(head)
    return Header(tuple(stanzas), decode64(line[4:-1], 32), end)


def _stanza(head: bytes, position: int) -> tuple[Stanza, int]:
    line, position = _line(head, position)
    args = tuple(line[3:].split(b" "))
    if not line.startswith(b"-> ") or not all(arg and all(33 <= byte <= 126 for byte in arg) for arg in args):
        raise damaged()
    body = bytearray()
    while True:
        line, position = _line(head, position)
        if len(line) > _COLUMNS:
            raise damaged()
        body += line
        if len(line) < _COLUMNS:
            return Stanza(args, decode64(bytes(body))), position


def _line(head: bytes, position: int) -> tuple[bytes, int]:
    end = head.find(b"\n", position)
    if end < 0:
        raise _cut(head)
    return head[position:end], end + 1


def _cut(head: bytes) -> SealError:
    if len(head) >= MAX_HEADER:
        return _too_large()
    return SealError(N_("this sealed file is cut short"), hint=N_("copy it again from where it came from"))


def _too_large() -> SealError:
    return SealError(
        N_("this sealed file names more recipients than Serment reads ({limit})"),
        hint=N_("open it with the age program"), limit=MAX_STANZAS,
    )  # fmt: skip


def _signed(stanzas: Sequence[Stanza]) -> bytes:
    """What the MAC is over: everything up to and with the three dashes."""
    lines = [VERSION]
    for stanza in stanzas:
        text = encode64(stanza.body)
        lines.append(b"-> " + b" ".join(stanza.args) + b"\n")
        lines += [text[start : start + _COLUMNS] + b"\n" for start in range(0, len(text) + 1, _COLUMNS)]
    return b"".join(lines) + b"---"


def _mac(signed: bytes, file_key: bytes) -> bytes:
    return hmac.digest(derive(file_key, b"", b"header"), signed, "sha256")


def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 (RFC 5869), 32 bytes."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def encode64(data: bytes) -> bytes:
    """Base64 without padding."""
    return base64.b64encode(data).rstrip(b"=")


def decode64(text: bytes, size: int | None = None) -> bytes:
    """The bytes of canonical base64 without padding. Raises SealError: another form, or not ``size`` bytes."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise damaged() from error
    if encode64(data) != text or (size is not None and len(data) != size):
        raise damaged()
    return data
