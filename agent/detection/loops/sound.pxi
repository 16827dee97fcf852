# The wording model: tables of tokens and pairs. Part of _compiled.pyx, which says what may be done here.

cdef class Sound:
    """See ``plain.Sound``. Tokens are told apart by their bytes, pairs by the numbers of both: no two features are ever
    taken for one, whatever their hashes are.
    """

    cdef const uint8_t[::1] _pool  # the model's tokens, one after another
    cdef int32_t[::1] _place
    cdef int32_t[::1] _slots  # hash → token of the model, or EMPTY
    cdef int32_t[::1] _alone  # token of the model → feature that it is by itself, or EMPTY
    cdef int32_t[::1] _pair_slots  # hash → feature that is a pair, or EMPTY
    cdef int32_t[::1] _left  # feature → its tokens
    cdef int32_t[::1] _right
    cdef int64_t[::1] _weight
    cdef int64_t[::1] _length
    # of the page: where each distinct token stands, what it is in the model, and the tables to find it and pairs again
    cdef int32_t[::1] _row  # token after token, by number
    cdef int32_t[::1] _begin
    cdef int32_t[::1] _end
    cdef int32_t[::1] _known
    cdef uint64_t[::1] _hash
    cdef int32_t[::1] _table
    cdef uint64_t[::1] _pairs
    cdef int32_t[::1] _heard  # features of the model that were met: tokens and pairs from the front, affixes behind
    cdef int64_t[::1] _met  # feature → the page on which it was met last, as an affix
    cdef int64_t _page
    cdef Py_ssize_t _affixes
    cdef Py_ssize_t _count
    cdef Py_ssize_t _distinct

    def __cinit__(self, texts, weights, lengths):
        cdef Py_ssize_t count = len(texts)
        cdef int32_t number, token
        if not count == len(weights) == len(lengths):
            raise ValueError("one weight and one length a feature")
        numbers = {}
        self._left, self._right = array("i", [0]) * max(1, count), array("i", [EMPTY]) * max(1, count)
        for number, text in enumerate(texts):
            first, blank, second = text.partition(b" ")
            self._left[number] = numbers.setdefault(first, len(numbers))
            if blank:
                self._right[number] = numbers.setdefault(second, len(numbers))
        self._pool = b"".join(numbers) or b" "
        self._place = _places(numbers)
        self._weight, self._length = array("q", weights or [0]), array("q", lengths or [0])
        self._alone = array("i", [EMPTY]) * max(1, len(numbers))
        self._slots = array("i", [EMPTY]) * _slots_for(len(numbers))
        self._pair_slots = array("i", [EMPTY]) * _slots_for(count)
        self._met, self._page = array("q", [0]) * max(1, count), 0
        for token in range(<int32_t> len(numbers)):
            self._enter(self._slots, _hash_of(self._pool, self._place[token], self._place[token + 1]), token)
        for number in range(<int32_t> count):
            if self._right[number] == EMPTY:
                self._alone[self._left[number]] = number
            else:
                self._enter(self._pair_slots, _mixed(self._left[number], self._right[number]), number)
        self._grow(256)

    cdef void _enter(self, int32_t[::1] slots, uint64_t hashed, int32_t number) except *:
        cdef uint64_t mask = slots.shape[0] - 1
        cdef uint64_t at = _slot(hashed, mask)
        while slots[at] != EMPTY:
            at = (at + 1) & mask
        slots[at] = number

    cdef _grow(self, Py_ssize_t tokens):
        """Room for a page of so many tokens."""
        self._row, self._begin = array("i", [0]) * tokens, array("i", [0]) * tokens
        self._end, self._known = array("i", [0]) * tokens, array("i", [0]) * tokens
        self._hash = array("Q", [0]) * tokens
        self._table = array("i", [0]) * _slots_for(tokens)
        self._pairs = array("Q", [0]) * _slots_for(tokens)
        self._heard = array("i", [0]) * ((2 + 2 * AFFIX_SORTS) * tokens)

    cdef int32_t _of_model(self, const uint8_t[::1] lines, Py_ssize_t begin, Py_ssize_t end, uint64_t hashed) except? -7:
        """The model's number of a token, or EMPTY."""
        cdef uint64_t mask = self._slots.shape[0] - 1
        cdef uint64_t at = _slot(hashed, mask)
        cdef int32_t number
        while self._slots[at] != EMPTY:
            number = self._slots[at]
            if _is_token(lines, begin, end, self._pool, self._place[number], self._place[number + 1]):
                return number
            at = (at + 1) & mask
        return EMPTY

    cdef void _hear_affixes(self, const uint8_t[::1] lines, Py_ssize_t begin, Py_ssize_t end) except *:
        """Take the beginnings and ends of a word that the model knows, each once a page."""
        cdef Py_ssize_t size
        for size in range(SHORTEST_AFFIX, SHORTEST_AFFIX + AFFIX_SORTS):
            if end - begin <= size:
                return
            self._hear_affix(lines, begin, begin + size, BEGINS)
            self._hear_affix(lines, end - size, end, LEAVES)

    cdef void _hear_affix(self, const uint8_t[::1] lines, Py_ssize_t begin, Py_ssize_t end, uint8_t sign) except *:
        cdef uint64_t mask = self._slots.shape[0] - 1, hashed = (SEED ^ sign) * STEP, slot
        cdef Py_ssize_t at
        cdef int32_t number, feature
        for at in range(begin, end):
            hashed = (hashed ^ lines[at]) * STEP
        slot = _slot(hashed, mask)
        while self._slots[slot] != EMPTY:
            number = self._slots[slot]
            at = self._place[number]
            if self._pool[at] == sign and _is_token(lines, begin, end, self._pool, at + 1, self._place[number + 1]):
                feature = self._alone[number]
                if feature != EMPTY and self._met[feature] != self._page:
                    self._met[feature] = self._page
                    self._affixes += 1
                    self._heard[self._heard.shape[0] - self._affixes] = feature
                return
            slot = (slot + 1) & mask

    cdef int32_t _of_pair(self, int32_t left, int32_t right) except? -7:
        """The model's number of a pair of its tokens, or EMPTY."""
        cdef uint64_t mask = self._pair_slots.shape[0] - 1
        cdef uint64_t at = _slot(_mixed(left, right), mask)
        cdef int32_t number
        while self._pair_slots[at] != EMPTY:
            number = self._pair_slots[at]
            if self._left[number] == left and self._right[number] == right:
                return number
            at = (at + 1) & mask
        return EMPTY

    cdef void _read(self, const uint8_t[::1] lines) except *:
        """Take a page apart: its distinct tokens and pairs, and those of them that the model knows."""
        cdef Py_ssize_t size = lines.shape[0], at = 0, begin, many = 0, tokens = 0, heard = 0, distinct
        cdef uint64_t hashed, mask, slot, pair
        cdef uint8_t kind
        cdef int32_t number, feature, last = EMPTY
        cdef Py_ssize_t room = _slots_for(size // 8)
        if size >= 0x7FFFFFF0:
            raise OverflowError("a page is not that long")
        if self._row.shape[0] < size:
            self._grow(size)
        self._page += 1
        self._affixes = 0
        mask = room - 1
        self._table[:room] = EMPTY
        while at < size:
            kind = KIND[lines[at]]
            if kind == 0:
                at += 1
                continue
            begin = at
            hashed = SEED
            if kind == 1:
                while at < size and KIND[lines[at]] == 1:
                    hashed = (hashed ^ lines[at]) * STEP
                    at += 1
            elif kind == 2:
                while at < size and KIND[lines[at]] == 2:
                    hashed = (hashed ^ ZERO) * STEP
                    at += 1
            else:
                hashed = (hashed ^ lines[at]) * STEP
                at += 1
            slot = _slot(hashed, mask)
            while True:
                number = self._table[slot]
                if number == EMPTY or (
                    self._hash[number] == hashed
                    and _same(lines, begin, at, self._begin[number], self._end[number])
                ):
                    break
                slot = (slot + 1) & mask
            if number == EMPTY:
                if 2 * (tokens + 1) > room:  # pages of signs alone: more room, and everything entered again
                    room *= 2
                    mask = room - 1
                    if room > self._table.shape[0]:
                        raise IndexError("more tokens than bytes")
                    self._table[:room] = EMPTY
                    for number in range(tokens):
                        slot = _slot(self._hash[number], mask)
                        while self._table[slot] != EMPTY:
                            slot = (slot + 1) & mask
                        self._table[slot] = number
                    slot = _slot(hashed, mask)
                    while self._table[slot] != EMPTY:
                        slot = (slot + 1) & mask
                number = tokens
                tokens += 1
                self._table[slot] = number
                self._begin[number], self._end[number], self._hash[number] = begin, at, hashed
                self._known[number] = self._of_model(lines, begin, at, hashed)
                if self._known[number] != EMPTY and self._alone[self._known[number]] != EMPTY:
                    self._heard[heard] = self._alone[self._known[number]]
                    heard += 1
                if kind == 1:
                    self._hear_affixes(lines, begin, at)
            self._row[many] = number
            many += 1
        distinct = tokens
        room = _slots_for(many)
        mask = room - 1
        self._pairs[:room] = 0
        for at in range(1, many):
            last, number = self._row[at - 1], self._row[at]
            pair = (<uint64_t> (last + 1) << 32) | <uint64_t> (number + 1)  # never 0
            slot = _slot(_mixed(last, number), mask)
            while self._pairs[slot] != 0 and self._pairs[slot] != pair:
                slot = (slot + 1) & mask
            if self._pairs[slot] == pair:
                continue
            self._pairs[slot] = pair
            distinct += 1
            if self._known[last] != EMPTY and self._known[number] != EMPTY:
                feature = self._of_pair(self._known[last], self._known[number])
                if feature != EMPTY:
                    self._heard[heard] = feature
                    heard += 1
        self._count, self._distinct = heard, distinct

    def hear(self, bytes lines):
        """See ``plain.Sound.hear``."""
        cdef int64_t weight = 0, length = 0
        cdef Py_ssize_t at
        self._read(lines)
        for at in range(self._count):
            weight += self._weight[self._heard[at]]
            length += self._length[self._heard[at]]
        for at in range(self._heard.shape[0] - self._affixes, self._heard.shape[0]):
            weight += self._weight[self._heard[at]]
            length += self._length[self._heard[at]]
        return weight, length, self._count, self._distinct

    def known(self, bytes lines):
        """See ``plain.Sound.known``."""
        cdef Py_ssize_t at
        self._read(lines)
        return sorted([self._heard[at] for at in range(self._count)])


cdef inline bint _same(const uint8_t[::1] lines, Py_ssize_t begin, Py_ssize_t end, Py_ssize_t low, Py_ssize_t high):
    """The same token at two places of a page, every figure being a 0."""
    cdef uint8_t one, other
    if end - begin != high - low:
        return False
    while begin < end:
        one, other = lines[begin], lines[low]
        if one != other and not (ZERO <= one <= NINE and ZERO <= other <= NINE):
            return False
        begin += 1
        low += 1
    return True


cdef inline bint _is_token(
    const uint8_t[::1] lines, Py_ssize_t begin, Py_ssize_t end, const uint8_t[::1] pool, Py_ssize_t low, Py_ssize_t high
):
    """A page's token, every figure of it being a 0, is one of the model's."""
    cdef uint8_t letter
    if end - begin != high - low:
        return False
    while begin < end:
        letter = lines[begin]
        if (ZERO if ZERO <= letter <= NINE else letter) != pool[low]:
            return False
        begin += 1
        low += 1
    return True


cdef uint64_t _hash_of(const uint8_t[::1] text, Py_ssize_t begin, Py_ssize_t end):
    cdef uint64_t hashed = SEED
    while begin < end:
        hashed = (hashed ^ text[begin]) * STEP
        begin += 1
    return hashed


cdef inline uint64_t _mixed(int32_t left, int32_t right) noexcept:
    return ((SEED ^ <uint64_t> left) * STEP ^ <uint64_t> right) * STEP


cdef inline uint64_t _slot(uint64_t hashed, uint64_t mask) noexcept:
    hashed ^= hashed >> 32
    return ((hashed * GOLDEN) >> 32) & mask


cdef Py_ssize_t _slots_for(Py_ssize_t count) noexcept:
    """A power of two, more than twice as many as will be entered."""
    cdef Py_ssize_t room = LEAST_SLOTS
    while room <= 2 * count:
        room *= 2
    return room
