"""Edits of an opened document go back into its sealed file: the same header, a fresh payload.

Nobody can tell from a header who its recipients are, so the header is kept as it is: whoever could open the file still
can, and nobody else. The payload key comes from the file key and a fresh nonce, so the two payloads have nothing in
common (docs/decisions/0012 says why). pyrage takes no file key, hence the few lines here; the format is C2SP's age,
section « Payload ».
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable

from agent.crypto.header import damaged, derive
from agent.crypto.parcel import Member, Packer
from agent.crypto.sealed import CHUNK, SealedInfo, read_header
from agent.fsys.atomic import write_all

_PIECE = 64 * 1024  # bytes of a chunk of payload
_NONCE = 16  # bytes


def reseal(sealed_fd: int, file_key: bytes, source_fd: int, member: Member, write_fd: int) -> SealedInfo:
    """Write to ``write_fd`` a sealed file with the header of ``sealed_fd`` around the document in ``source_fd``.

    Raises SealError: not the file's key, the document became shorter; OSError.
    """
    found = read_header(sealed_fd)
    found.prove(file_key)
    head = os.pread(sealed_fd, found.size, 0)
    if len(head) != found.size:
        raise damaged()
    digest = hashlib.sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        write_all(write_fd, data)

    put(head)
    packer = Packer(member, lambda offset, length: os.pread(source_fd, length, offset), CHUNK)
    _payload(packer, file_key, put)
    return SealedInfo(packer.sha256, member.size, digest.hexdigest())


def _payload(packer: Packer, file_key: bytes, put: Callable[[bytes], None]) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(_NONCE)
    cipher = ChaCha20Poly1305(derive(file_key, nonce, b"payload"))
    put(nonce)
    waiting, number = bytearray(), 0
    while True:
        block = packer.read()
        waiting += block
        while len(waiting) > _PIECE or (not block and waiting):  # the last chunk is only known to be last at the end
            piece = bytes(waiting[:_PIECE])
            del waiting[:_PIECE]
            last = not block and not waiting
            put(cipher.encrypt(number.to_bytes(11, "big") + bytes([last]), piece, None))
            number += 1
        if not block:
            return
