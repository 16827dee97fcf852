# The wording model: tables of tokens and pairs. Part of _compiled.pyx, which says what may be done here.

cdef class Sound:
    """See ``plain.Sound``. Tokens are told apart by their bytes, pairs by the numbers of both: no two features are ever
    taken for one, whatever their hashes are.
    """

    cdef const uint8_t[::1] _pool  # the model's tokens, one after another
    cdef int32_t[::1] _place
    cdef uint64_t[::1] _slots  # hash → the upper half of a token's hash and, plus one, its number; 0: none
    cdef int32_t[::1] _alone  # token of the model → feature that it is by itself, or EMPTY
    cdef uint64_t[::1] _pair_slots  # the same for features that are pairs
    cdef int32_t[::1] _left  # feature → its tokens
    cdef int32_t[::1] _right
    cdef int64_t[::1] _worth  # feature → its weight and its length, side by side
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
        self._worth = array("q", [each for pair in zip(weights, lengths) for each in pair] or [0])
        self._alone = array("i", [EMPTY]) * max(1, len(numbers))
        self._slots = array("Q", [0]) * _slots_for(len(numbers))
        self._pair_slots = array("Q", [0]) * _slots_for(count)
        self._met, self._page = array("q", [0]) * max(1, count), 0
        for token in range(<int32_t> len(numbers)):
            self._enter(self._slots, _hash_of(self._pool, self._place[token], self._place[token + 1]), token)
        for number in range(<int32_t> count):
            if self._right[number] == EMPTY:
                self._alone[self._left[number]] = number
            else:
                self._enter(self._pair_slots, _mixed(self._left[number], self._right[number]), number)
        self._grow(256)

    cdef void _enter(self, uint64_t[::1] slots, uint64_t hashed, int32_t number) except *:
        cdef uint64_t mask = slots.shape[0] - 1
        cdef uint64_t at = _slot(hashed, mask)
        while slots[at] != 0:
            at = (at + 1) & mask
        slots[at] = (hashed & UPPER) | <uint64_t> (number + 1)

    cdef _grow(self, Py_ssize_t tokens):
        """Room for a page of so many tokens."""
        self._row, self._begin = array("i", [0]) * tokens, array("i", [0]) * tokens
        self._end, self._known = array("i", [0]) * tokens, array("i", [0]) * tokens
        self._hash = array("Q", [0]) * tokens
        self._table = array("i", [0]) * _slots_for(tokens)
        self._pairs = array("Q", [0]) * _slots_for(tokens)
        self._heard = array("i", [0]) * ((2 + 2 * AFFIX_SORTS) * tokens)

    cdef void _read(self, const uint8_t[::1] lines) except *:
        """Take a page apart: its distinct tokens and pairs, and those of them that the model knows. One function, with
        the views at hand: asking for a view of ``self`` at each byte costs more than all that is done with it.
        """
        cdef Py_ssize_t size = lines.shape[0], at = 0, begin, many = 0, tokens = 0, heard = 0, affixes = 0, distinct
        cdef Py_ssize_t place, letter, length, room = _slots_for(size // 8)
        cdef uint64_t hashed, mask, slot, pair, other
        cdef uint64_t of_model = self._slots.shape[0] - 1, of_pairs = self._pair_slots.shape[0] - 1
        cdef uint8_t kind, sign
        cdef int side
        cdef int32_t number, feature, left, right, last, known
        cdef bint same
        if size >= 0x7FFFFFF0:
            raise OverflowError("a page is not that long")
        if self._row.shape[0] < size:
            self._grow(size)
        self._page += 1
        cdef int64_t page = self._page
        cdef const uint8_t[::1] pool = self._pool
        cdef uint64_t[::1] slots = self._slots, pair_slots = self._pair_slots
        cdef uint64_t entry
        cdef int32_t[::1] places = self._place, alone = self._alone
        cdef int32_t[::1] lefts = self._left, rights = self._right, row = self._row, begins = self._begin
        cdef int32_t[::1] ends = self._end, knowns = self._known, table = self._table, found = self._heard
        cdef uint64_t[::1] hashes = self._hash, pairs = self._pairs
        cdef int64_t[::1] met = self._met
        cdef Py_ssize_t last_found = found.shape[0]
        mask = room - 1
        table[:room] = EMPTY
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
            while True:  # the same token, seen on this page before
                number = table[slot]
                if number == EMPTY:
                    break
                if hashes[number] == hashed and ends[number] - begins[number] == at - begin:
                    same = True
                    place = begins[number]
                    for letter in range(begin, at):
                        if lines[letter] != lines[place] and not (
                            ZERO <= lines[letter] <= NINE and ZERO <= lines[place] <= NINE
                        ):
                            same = False
                            break
                        place += 1
                    if same:
                        break
                slot = (slot + 1) & mask
            if number == EMPTY:
                if 2 * (tokens + 1) > room:  # pages of signs alone: more room, and everything entered again
                    room *= 2
                    mask = room - 1
                    if room > table.shape[0]:
                        raise IndexError("more tokens than bytes")
                    table[:room] = EMPTY
                    for number in range(tokens):
                        slot = _slot(hashes[number], mask)
                        while table[slot] != EMPTY:
                            slot = (slot + 1) & mask
                        table[slot] = number
                    slot = _slot(hashed, mask)
                    while table[slot] != EMPTY:
                        slot = (slot + 1) & mask
                number = tokens
                tokens += 1
                table[slot] = number
                begins[number], ends[number], hashes[number] = begin, at, hashed
                slot = _slot(hashed, of_model)
                known = EMPTY
                entry = slots[slot]
                while entry != 0:  # what it is in the model
                    if (entry ^ hashed) & UPPER == 0:
                        known = <int32_t> (entry & LOWER) - 1
                        place = places[known]
                        if places[known + 1] - place == at - begin:
                            same = True
                            for letter in range(begin, at):
                                if (ZERO if kind == 2 else lines[letter]) != pool[place]:
                                    same = False
                                    break
                                place += 1
                            if same:
                                break
                        known = EMPTY
                    slot = (slot + 1) & of_model
                    entry = slots[slot]
                knowns[number] = known
                if known != EMPTY and alone[known] != EMPTY:
                    found[heard] = alone[known]
                    heard += 1
                if kind == 1 and at - begin > SHORTEST_AFFIX:  # beginnings and ends, each once a page
                    for side in range(2):
                        sign = LEAVES if side else BEGINS
                        hashed = (SEED ^ sign) * STEP
                        for length in range(1, SHORTEST_AFFIX + AFFIX_SORTS):
                            if length >= at - begin:
                                break
                            hashed = (hashed ^ lines[at - length if side else begin + length - 1]) * STEP
                            if length < SHORTEST_AFFIX:
                                continue
                            slot = _slot(hashed, of_model)
                            known = EMPTY
                            entry = slots[slot]
                            while entry != 0:
                                if (entry ^ hashed) & UPPER == 0:
                                    known = <int32_t> (entry & LOWER) - 1
                                    place = places[known]
                                    if places[known + 1] - place == length + 1 and pool[place] == sign:
                                        same = True
                                        letter = at - length if side else begin
                                        for letter in range(letter, letter + length):
                                            place += 1
                                            if lines[letter] != pool[place]:
                                                same = False
                                                break
                                        if same:
                                            break
                                    known = EMPTY
                                slot = (slot + 1) & of_model
                                entry = slots[slot]
                            if known == EMPTY:
                                continue
                            feature = alone[known]
                            if feature != EMPTY and met[feature] != page:
                                met[feature] = page
                                affixes += 1
                                found[last_found - affixes] = feature
            row[many] = number
            many += 1
        distinct = tokens
        room = _slots_for(many)
        mask = room - 1
        pairs[:room] = 0
        for at in range(1, many):
            last, number = row[at - 1], row[at]
            pair = (<uint64_t> (last + 1) << 32) | <uint64_t> (number + 1)  # never 0
            slot = _slot(_mixed(last, number), mask)
            while True:
                other = pairs[slot]
                if other == 0 or other == pair:
                    break
                slot = (slot + 1) & mask
            if other == pair:
                continue
            pairs[slot] = pair
            distinct += 1
            left, right = knowns[last], knowns[number]
            if left == EMPTY or right == EMPTY:
                continue
            hashed = _mixed(left, right)
            slot = _slot(hashed, of_pairs)
            feature = EMPTY
            entry = pair_slots[slot]
            while entry != 0:
                if (entry ^ hashed) & UPPER == 0:
                    feature = <int32_t> (entry & LOWER) - 1
                    if lefts[feature] == left and rights[feature] == right:
                        break
                    feature = EMPTY
                slot = (slot + 1) & of_pairs
                entry = pair_slots[slot]
            if feature != EMPTY:
                found[heard] = feature
                heard += 1
        self._count, self._distinct, self._affixes = heard, distinct, affixes

    def hear(self, bytes lines):
        """See ``plain.Sound.hear``."""
        cdef int64_t weight = 0, length = 0
        cdef Py_ssize_t at
        self._read(lines)
        cdef int32_t[::1] heard = self._heard
        cdef int64_t[::1] worth = self._worth
        for at in range(self._count):
            weight += worth[2 * heard[at]]
            length += worth[2 * heard[at] + 1]
        for at in range(heard.shape[0] - self._affixes, heard.shape[0]):
            weight += worth[2 * heard[at]]
            length += worth[2 * heard[at] + 1]
        numbers = bytearray(4 * self._count)
        cdef uint8_t[::1] told = numbers
        for at in range(self._count):
            told[4 * at] = heard[at] & 0xFF
            told[4 * at + 1] = (heard[at] >> 8) & 0xFF
            told[4 * at + 2] = (heard[at] >> 16) & 0xFF
            told[4 * at + 3] = (heard[at] >> 24) & 0xFF
        return weight, length, self._count, self._distinct, bytes(numbers)
