# The views of a page. Part of _compiled.pyx, which says what may be done here.

cdef class Views:
    """See ``plain.Views``."""

    cdef uint8_t[256] _cased
    cdef uint8_t[256] _small
    cdef uint8_t[256] _words
    cdef uint8_t[256] _sort  # what a byte of the text is, see below

    def __cinit__(self, bytes kept, bytes gone, bytes words):
        cdef int code
        if len(kept) != 256 or len(words) != 256:
            raise ValueError("tables of 256 bytes")
        small = kept.lower()
        for code in range(256):
            self._cased[code] = kept[code]
            self._small[code] = small[code]
            self._words[code] = words[small[code]]
            self._sort[code] = (GONE if code in gone else 0) | (
                A_FIGURE if 0x30 <= code <= 0x39
                else A_LETTER if code >= 0xC0 or 0x41 <= code <= 0x5A or 0x61 <= code <= 0x7A
                else A_MARK if code in ALWAYS_MARKED
                else AN_ESCAPE if code in b"&\\%"
                else 0
            )

    def of(self, bytes page):
        """See ``plain.Views.of``."""
        cdef const uint8_t[::1] text = page
        cdef Py_ssize_t size = text.shape[0], at, end = 1, run = 0, alone = 0, last = -2
        cdef uint8_t letter, sort, following, out, before = 0x0A, between = 0
        cdef int told = 0
        made, small, plain = bytearray(size + 2), bytearray(size + 2), bytearray(size + 2)
        cdef uint8_t[::1] cased = made, lines = small, words = plain
        cased[0] = lines[0] = 0x0A
        words[0] = SPACE
        for at in range(size):
            letter = text[at]
            sort = self._sort[letter]
            if sort & A_LETTER:
                run += 1
            else:
                if sort != A_FIGURE:
                    if run == 1:  # a letter by itself, and what stands behind it
                        alone = alone + 1 if letter == between and at == last + 2 else 1
                        last, between = at, letter
                        if alone == APART:
                            told |= MARKED
                    if sort & (A_MARK | AN_ESCAPE):
                        following = text[at + 1] if at + 1 < size else 0
                        if sort & A_MARK or (following == c"u" if letter == c"\\" else _may_escape(letter, following)):
                            told |= MARKED
                run = 0
            if sort & GONE:
                continue
            out = self._cased[letter]
            cased[end] = out
            lines[end] = self._small[letter]
            words[end] = self._words[letter]
            if out <= 0x29:
                if out == SPACE:
                    if before == SPACE or before == 0x0A:
                        told |= ROUGH
                elif out == 0x0A:
                    if before == SPACE or before == c"-":
                        told |= ROUGH
                elif out == c")" and end >= 2 and (before == c"e" or before == c"s") and cased[end - 2] == c"(":
                    told |= ROUGH
            elif ZERO <= out <= NINE:
                told |= FIGURES
            before = out
            end += 1
        cased[end] = lines[end] = 0x0A
        words[end] = SPACE
        if before == SPACE or before == c"-":
            told |= ROUGH
        end += 1
        return bytes(made[:end]), bytes(small[:end]), bytes(plain[:end]), told


cdef inline bint _may_escape(uint8_t letter, uint8_t following) noexcept:
    """``&#`` or ``&a``; ``%4`` or ``%a``."""
    if 0x41 <= following <= 0x5A or 0x61 <= following <= 0x7A:
        return True
    return following == c"#" if letter == c"&" else ZERO <= following <= NINE


def survey(bytes page):
    """See ``plain.survey``."""
    cdef const uint8_t[::1] text = page
    cdef Py_ssize_t size = text.shape[0], at, begin = 0, longest = 0, widest = 0
    cdef Py_ssize_t lines = page.count(b"\n") + 1, records = 0, wide = 0, gaps = 0, number = 0
    cdef int32_t[::1] widths = array("i", [0]) * lines
    cdef uint8_t letter, before = 0
    cdef bint ended = False, figures = False, blank = True
    if size >= 0x7FFFFFF0:
        raise OverflowError("a text is not that long")
    for at in range(size + 1):
        letter = text[at] if at < size else 0x0A
        if letter > SPACE:
            if ZERO <= letter <= NINE:
                figures = True
            elif letter == c"|":
                gaps += 1
            elif letter == c"?":
                figures = True
            if blank and letter != 0x85 and letter != 0xA0:
                blank = False
            before = letter
            continue
        if letter == 0x0A:
            if at < size and (before == SPACE or before == 0x09 or before == 0x0D or before == 0x0C or before == 0x1A):
                ended = True
            if at - begin > longest:
                longest = at - begin
            if not blank:
                widths[records] = <int32_t> (at - begin)
                records += 1
                if at - begin > widest:
                    widest = at - begin
            begin, blank, before, number = at + 1, True, letter, 0
            continue
        if letter == SPACE:
            number = number + 1 if before == SPACE else 1
            if number % 2 == 0:
                gaps += 1
        elif letter == 0x09:
            gaps += 1
        if blank and (letter < 0x09 or 0x0E <= letter <= 0x1B):
            blank = False
        before = letter
    for at in range(records):
        if 2 * widths[at] >= widest:
            wide += 1
    return lines, longest, ended, gaps, figures, records, widest, wide
