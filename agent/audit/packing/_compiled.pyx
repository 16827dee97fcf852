# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""A record of the usual shape as bytes, in one pass over its fields; None for any other, which ``record`` then writes.

What it writes, ``record`` writes too, to the byte. It knows records of 512 bytes at most, whose names all have a code
and whose numbers are not negative. Every byte goes through ``_Writer.put``, which looks at the end of the buffer first.
"""

from agent.audit.names import CODE_OF, DIGESTS
from agent.audit.shape import MAX_INTEGER
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint64_t
from libc.string cimport memcpy

cdef enum:
    MAX_BYTES = 512  # so that no text in the record is too long
    MAX_KIND = 32
    CODES = 0x80

cdef uint64_t _MAX_INTEGER = MAX_INTEGER
cdef dict _CODE_OF = {name: ord(code) for name, code in CODE_OF.items()}
cdef bytes _DIGESTS = bytes(chr(code) in {CODE_OF[name] for name in DIGESTS} for code in range(CODES))


cdef int _digit(unsigned char character) noexcept:
    """Of a hexadecimal digit in its one form; -1: not one."""
    if c'0' <= character <= c'9':
        return character - c'0'
    if c'a' <= character <= c'f':
        return character - c'a' + 10
    return -1


cdef class _Writer:
    """Fills ``buffer``; what returns False has met something unusual, or the end of it."""

    cdef unsigned char buffer[MAX_BYTES]
    cdef Py_ssize_t size

    cdef bint byte(self, int value) noexcept:
        if self.size >= MAX_BYTES:
            return False
        self.buffer[self.size] = value
        self.size += 1
        return True

    cdef bint put(self, const char *data, Py_ssize_t length) noexcept:
        if length > MAX_BYTES - self.size:
            return False
        memcpy(&self.buffer[self.size], data, length)
        self.size += length
        return True

    cdef bint unsigned(self, uint64_t number) noexcept:
        """A number in its shortest form, of at most 2^53 - 1."""
        cdef int width = 1, at
        if number > _MAX_INTEGER:
            return False
        if number < 0x80:
            return self.byte(number)
        while width < 8 and number >> (width * 8):
            width *= 2
        if not self.byte(0xCC if width == 1 else 0xCD if width == 2 else 0xCE if width == 4 else 0xCF):
            return False
        for at in range(width):
            if not self.byte((number >> (8 * (width - 1 - at))) & 0xFF):
                return False
        return True

    cdef bint integer(self, object value):
        cdef long long number
        try:
            number = value
        except OverflowError:
            return False
        return number >= 0 and self.unsigned(number)

    cdef bint text(self, str value):
        """A text in its shortest form."""
        cdef Py_ssize_t length = 0
        cdef const char *data = PyUnicode_AsUTF8AndSize(value, &length)
        if length < 32:
            return self.byte(0xA0 | length) and self.put(data, length)
        if length < 256:
            return self.byte(0xD9) and self.byte(length) and self.put(data, length)
        return False  # longer forms are for longer records

    cdef bint raw(self, bytes value, Py_ssize_t length):
        """Bytes, so many and no others."""
        if len(value) != length:
            return False
        return self.byte(0xC4) and self.byte(length) and self.put(value, length)

    cdef bint many(self, Py_ssize_t count, int few, int more) noexcept:
        """How many a map (list) has, in its shortest form."""
        if count < 16:
            return self.byte(few | count)
        return self.byte(more) and self.byte(count >> 8) and self.byte(count & 0xFF)

    cdef bint value(self, object value, int below):
        """Any value with at most ``below`` levels under it."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if value is None:
            return self.byte(0xC0)
        if kind is bool:
            return self.byte(0xC3 if value else 0xC2)
        if kind is int:
            return self.integer(value)
        if kind is dict:
            return below > 0 and self.table(value, below - 1, None)
        if kind is list or kind is tuple:
            return below > 0 and self.row(value, below - 1)
        return isinstance(value, str) and self.text(str(value))  # a word of an enumeration

    cdef bint row(self, object values, int below):
        if not self.many(len(values), 0x90, 0xDC):
            return False
        for each in values:
            if not self.value(each, below):
                return False
        return True

    cdef bint table(self, dict values, int below, dict digests):
        """A map under its codes, in their order. ``digests``, where there may be some, is given those of the map."""
        cdef list slots = [None] * CODES
        cdef uint64_t seen[2]
        cdef int code, least = CODES, most = -1
        cdef Py_ssize_t count = 0
        seen[0] = seen[1] = 0
        for name, value in values.items():
            found = _CODE_OF.get(name) if type(name) is str else None
            if found is None:
                return False
            code = found
            if digests is not None and _DIGESTS[code] and type(value) is str and _is_digest(value):
                digests[name] = value
                continue
            slots[code] = value
            least, most = min(least, code), max(most, code)
            seen[code >> 6] |= <uint64_t>1 << (code & 63)
            count += 1
        if not self.many(count, 0x80, 0xDE):
            return False
        for code in range(least, most + 1):
            if seen[code >> 6] >> (code & 63) & 1:
                if not (self.byte(0xA1) and self.byte(code) and self.value(slots[code], below)):
                    return False
        return True

    cdef bint digests(self, dict found):
        cdef const char *data
        cdef Py_ssize_t length = 0, at
        if not self.many(len(found), 0x80, 0xDE):
            return False
        for name in sorted(found, key=_CODE_OF.__getitem__) if len(found) > 1 else found:
            data = PyUnicode_AsUTF8AndSize(found[name], &length)
            if not (self.byte(0xA1) and self.byte(_CODE_OF[name]) and self.byte(0xC4) and self.byte(length // 2)):
                return False
            for at in range(0, length, 2):
                if not self.byte(_digit(data[at]) << 4 | _digit(data[at + 1])):
                    return False
        return True


cdef bint _is_digest(str value):
    """An even number of 8 to 64 hexadecimal digits, small letters only."""
    cdef Py_ssize_t length = 0, at
    cdef const char *data = PyUnicode_AsUTF8AndSize(value, &length)
    if length < 8 or length > 64 or length & 1:
        return False
    for at in range(length):
        if _digit(data[at]) < 0:
            return False
    return True


def quick(index, time_us, monotonic_ms, bytes boot not None, bytes link not None, bytes nonce not None, kind, fields):
    """The bytes of a record (``record.encode``); None: not of the usual shape."""
    cdef _Writer writer = _Writer.__new__(_Writer)
    cdef dict digests = {}
    if type(fields) is not dict or not isinstance(kind, str):
        return None
    kind = str(kind)
    if not 0 < len(kind) <= MAX_KIND:
        return None
    try:
        if not (
            writer.byte(0x99) and writer.integer(index) and writer.integer(time_us) and writer.integer(monotonic_ms)
            and writer.raw(boot, 4) and writer.raw(link, 8) and writer.raw(nonce, 16) and writer.text(kind)
            and writer.table(fields, 2, digests) and writer.digests(digests)
        ):
            return None
    except UnicodeEncodeError:  # half of a pair of surrogates
        return None
    return writer.buffer[: writer.size]
