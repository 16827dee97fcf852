"""A private key under a phrase: a small age file with one ``scrypt`` stanza, which any age program opens.

Bytes in, bytes out. The work factor is ours to choose when sealing and bounded when opening: whoever could put another
file in its place must not make a laptop compute for minutes. What people type is brought to one form first (case,
accents, blanks and hyphens do not matter); the page that opens files in a browser follows the same rule.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from agent.crypto.header import Stanza, damaged, decode64, encode64, parse
from agent.crypto.message import open_wrapped, seal_wrapped
from agent.crypto.recipients import FILE_KEY
from agent.errors import N_, SealError

LOG_N = 17  # scrypt with r = 8, p = 1: 128 MiB, less than half a second
MAX_LOG_N = 18  # what the age command writes: 256 MiB, about a second
MIN_LETTERS = 20  # of a phrase that somebody chooses
_LABEL = b"age-encryption.org/v1/scrypt"
_APART = re.compile(r"[\W_]+")
_NONCE = bytes(12)


def normalised(phrase: str) -> str:
    """``Abricot  Évasif-zèbre`` → ``abricot-evasif-zebre``."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", phrase) if not unicodedata.combining(char))
    return "-".join(word for word in _APART.split(plain.lower()) if word)


def require_strong(phrase: str) -> str:
    """The phrase in its one form. Raises SealError when it is shorter than 20 letters in four words."""
    text = normalised(phrase)
    if len(text) < MIN_LETTERS or text.count("-") < 3 or len(set(text)) < 8:
        raise SealError(
            N_("this phrase is too short: it protects everything that is sealed for you"),
            hint=N_("four words at least, {letters} letters; better, take the one that Serment draws"),
            letters=MIN_LETTERS,
        )  # fmt: skip
    return text


def seal_under(plain: bytes, phrase: str, log_n: int = LOG_N) -> bytes:
    """The age file that ``phrase`` opens. Raises ValueError for more than 64 KiB."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    salt = secrets.token_bytes(16)
    wrapping = ChaCha20Poly1305(_key(normalised(phrase), salt, log_n))
    args = (b"scrypt", encode64(salt), str(log_n).encode())
    return seal_wrapped(plain, lambda file_key: [Stanza(args, wrapping.encrypt(_NONCE, file_key, None))])


def open_under(sealed: bytes, phrase: str) -> bytes:
    """What ``seal_under``, or ``age -p`` with the normalised phrase, sealed.

    Raises SealError: wrong phrase, damaged, too expensive (more than 2^18), not under a phrase.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    header = parse(sealed)
    (stanza, *others) = header.stanzas
    if stanza.kind != b"scrypt" or others or len(stanza.args) != 3 or len(stanza.body) != FILE_KEY + 16:
        raise damaged()
    log_n = _work(stanza.args[2])
    wrapping = _key(normalised(phrase), decode64(stanza.args[1], 16), log_n)
    try:
        file_key = ChaCha20Poly1305(wrapping).decrypt(_NONCE, stanza.body, None)
    except InvalidTag as error:
        raise SealError(N_("this is not the phrase"), hint=N_("try again; case and accents do not matter")) from error
    return open_wrapped(sealed, header, file_key)


def _work(text: bytes) -> int:
    if not re.fullmatch(rb"[1-9][0-9]{0,2}", text):
        raise damaged()
    if int(text) > MAX_LOG_N:
        raise SealError(
            N_("opening this would cost more work than Serment does (2^{found}, at most 2^{limit})"),
            hint=N_("it was not made by Serment: ask where it comes from"), found=int(text), limit=MAX_LOG_N,
        )  # fmt: skip
    return int(text)


def _key(phrase: str, salt: bytes, log_n: int) -> bytes:
    import hashlib

    memory = (128 * 8 << log_n) + (1 << 20)  # bytes: what scrypt needs, and a little
    return hashlib.scrypt(phrase.encode(), salt=_LABEL + salt, n=1 << log_n, r=8, p=1, maxmem=memory, dklen=32)
