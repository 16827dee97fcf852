# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""A record of the usual shape, judged in one pass over its bytes; None for any other, which ``record`` then judges.

So this may only ever say less than ``record.decode_raw``: what it accepts, that accepts too, with the same values. It
knows records of 512 bytes at most whose texts are ASCII, whose names all have a code, and whose numbers are not
negative. Every byte is hostile: each access is checked against the end first and by the compiler's own bounds check
besides; no pointer is computed, nothing is allocated by hand.
"""

from agent.audit.names import CODE_OF, DIGESTS
from agent.audit.shape import MAX_INTEGER
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    MAX_BYTES = 512  # of a record, so that no text in it is too long
    MAX_KIND = 32
    CODES = 0x80

cdef uint64_t _MAX_INTEGER = MAX_INTEGER
cdef int _CHANNEL = ord(CODE_OF["channel"])
cdef int _DECISION = ord(CODE_OF["decision"])
cdef int _OF = ord(CODE_OF["of"])
cdef bytes _NAMES = bytes(chr(code) in CODE_OF.values() for code in range(CODES))
cdef bytes _DIGESTS = bytes(chr(code) in {CODE_OF[name] for name in DIGESTS} for code in range(CODES))


cdef class _Reader:
    """Walks ``data``; ``at`` is where the next value begins. A walk that returns False has met something unusual."""

    cdef bytes data
    cdef Py_ssize_t at, size
    cdef uint64_t number  # the last that was read
    cdef Py_ssize_t begin, end  # of the last text

    cdef bint unsigned(self):
        """A number in its shortest form, of at most 2^53 - 1."""
        cdef int tag, width
        cdef Py_ssize_t end
        if self.at >= self.size:
            return False
        tag = self.data[self.at]
        self.at += 1
        if tag < 0x80:
            self.number = tag
            return True
        if not 0xCC <= tag <= 0xCF:
            return False
        width = 1 << (tag - 0xCC)
        end = self.at + width
        if end > self.size:
            return False
        self.number = 0
        while self.at < end:
            self.number = self.number << 8 | self.data[self.at]
            self.at += 1
        if width == 1:
            return self.number >= 0x80
        if width == 8 and self.number > _MAX_INTEGER:
            return False
        return self.number >> (width * 4) != 0

    cdef bint text(self):
        """An ASCII text in its shortest form."""
        cdef int tag
        cdef Py_ssize_t at
        if self.at >= self.size:
            return False
        tag = self.data[self.at]
        self.at += 1
        if 0xA0 <= tag < 0xC0:
            tag -= 0xA0
        elif tag == 0xD9 and self.at < self.size:
            tag = self.data[self.at]
            self.at += 1
            if tag < 32:
                return False
        else:
            return False
        self.begin, self.end = self.at, self.at + tag
        if self.end > self.size:
            return False
        for at in range(self.begin, self.end):
            if self.data[at] >= 0x80:
                return False
        self.at = self.end
        return True

    cdef bint raw(self, int least, int most):
        """Bytes, so many."""
        cdef int length
        if self.at + 2 > self.size or self.data[self.at] != 0xC4:
            return False
        length = self.data[self.at + 1]
        self.begin = self.at + 2
        self.end = self.begin + length
        if not least <= length <= most or self.end > self.size:
            return False
        self.at = self.end
        return True

    cdef int many(self, int few, int more):
        """How many a map (list) has, in its shortest form; -1: not one."""
        cdef int tag, count
        if self.at >= self.size:
            return -1
        tag = self.data[self.at]
        if few <= tag < few + 16:
            self.at += 1
            return tag - few
        if tag != more or self.at + 3 > self.size:
            return -1
        count = self.data[self.at + 1] << 8 | self.data[self.at + 2]
        self.at += 3
        return count if count >= 16 else -1

    cdef int code(self, int before):
        """The next name of a map, which is to come behind ``before``; -1: not one that has a code."""
        cdef int code
        if self.at + 2 > self.size or self.data[self.at] != 0xA1:
            return -1
        code = self.data[self.at + 1]
        if code <= before or code >= CODES or not _NAMES[code]:
            return -1
        self.at += 2
        return code

    cdef bint value(self, int below):
        """Any value with at most ``below`` levels under it."""
        cdef int tag
        if self.at >= self.size:
            return False
        tag = self.data[self.at]
        if 0xA0 <= tag < 0xC0 or tag == 0xD9:
            return self.text()
        if tag == 0xC0 or tag == 0xC2 or tag == 0xC3:
            self.at += 1
            return True
        if 0x80 <= tag < 0x90 or tag == 0xDE:
            return below > 0 and self.table(below - 1)
        if 0x90 <= tag < 0xA0 or tag == 0xDC:
            return below > 0 and self.row(below - 1)
        return self.unsigned()

    cdef bint table(self, int below):
        cdef int code = -1
        cdef int count = self.many(0x80, 0xDE)
        if count < 0:
            return False
        while count:
            code = self.code(code)
            if code < 0 or not self.value(below):
                return False
            count -= 1
        return True

    cdef bint row(self, int below):
        cdef int count = self.many(0x90, 0xDC)
        if count < 0:
            return False
        while count:
            if not self.value(below):
                return False
            count -= 1
        return True

    cdef bint digests(self):
        cdef int code = -1
        cdef int count = self.many(0x80, 0xDE)
        if count < 0:
            return False
        while count:
            code = self.code(code)
            if code < 0 or not _DIGESTS[code] or not self.raw(4, 32):
                return False
            count -= 1
        return True

    cdef str last(self):
        return self.data[self.begin : self.end].decode("ascii")


def quick(bytes untrusted not None):
    """(number, time_us, kind, channel, decision, of, link) of a record; None: not of the usual shape."""
    cdef _Reader reader = _Reader.__new__(_Reader)
    cdef uint64_t number, time_us
    cdef int count, tag, code = -1
    cdef Py_ssize_t begin
    channel = decision = ""
    of = None
    reader.data, reader.size, reader.at = untrusted, len(untrusted), 1
    if not 1 < reader.size <= MAX_BYTES or untrusted[0] != 0x99 or not reader.unsigned():
        return None
    number = reader.number
    if not reader.unsigned():
        return None
    time_us = reader.number
    if not reader.unsigned() or not reader.raw(4, 4) or not reader.raw(8, 8):
        return None
    link = untrusted[reader.begin : reader.end]
    if not reader.raw(16, 16) or not reader.text() or not 0 < reader.end - reader.begin <= MAX_KIND:
        return None
    kind = reader.last()
    count = reader.many(0x80, 0xDE)
    if count < 0:
        return None
    while count:
        count -= 1
        code = reader.code(code)
        if code < 0 or _DIGESTS[code]:
            return None
        begin = reader.at
        if not reader.value(2):
            return None
        tag = untrusted[begin]
        if 0xA0 <= tag < 0xC0 or tag == 0xD9:
            if code == _CHANNEL:
                channel = reader.last()
            elif code == _DECISION:
                decision = reader.last()
        elif code == _OF and (tag < 0x80 or 0xCC <= tag <= 0xCF):
            of = reader.number
    if not reader.digests() or reader.at != reader.size:
        return None
    return number, time_us, kind, channel, decision, of, link
