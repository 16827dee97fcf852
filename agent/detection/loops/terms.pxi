# The lexicon: a tree of letters. Part of _compiled.pyx, which says what may be done here.

cdef inline bint _is_ending(const uint8_t[::1] words, Py_ssize_t start, Py_ssize_t end):
    """s, e, x, n, es, en, er"""
    cdef uint8_t first = words[start]
    cdef uint8_t second
    if end - start == 1:
        return first == c"s" or first == c"e" or first == c"x" or first == c"n"
    second = words[start + 1]
    return first == c"e" and (second == c"s" or second == c"n" or second == c"r")


cdef inline int32_t _bits(uint64_t mask) noexcept:
    """How many bits are set."""
    mask -= (mask >> 1) & 0x5555555555555555ULL
    mask = (mask & 0x3333333333333333ULL) + ((mask >> 2) & 0x3333333333333333ULL)
    mask = (mask + (mask >> 4)) & 0x0F0F0F0F0F0F0F0FULL
    return <int32_t> ((mask * 0x0101010101010101ULL) >> 56)


cdef class Terms:
    """See ``plain.Terms``. A tree of letters in which a node with one way on is none: its letters are the label of the
    way. Nodes are numbered by distance from the root, so the ways out of one lie side by side.
    """

    cdef const uint8_t[::1] _pool  # all entries, one after another
    cdef const uint8_t[::1] _whole
    cdef const uint8_t[::1] _once
    cdef int32_t[::1] _place  # entry → where it begins in the pool
    cdef int32_t[::1] _shorter  # entry → the longest other one that it begins with, or EMPTY
    cdef int32_t[::1] _nodes  # four numbers a node, see below
    cdef uint8_t[::1] _letter  # node → first letter of the way to it
    cdef uint64_t[::1] _ways  # node → one bit for each letter with which a way out of it begins
    cdef int32_t[::1] _begun  # the first two letters → the node that is reached, or EMPTY
    cdef int32_t[::1] _one  # a first letter → the entry that it is, or EMPTY
    cdef int32_t[::1] _met  # entry → the last page on which it was met
    cdef int32_t _page

    def __cinit__(self, texts, whole, once):
        count = len(texts)
        if not count == len(whole) == len(once):
            raise ValueError("one flag an entry")
        if not all(texts) or b"".join(texts).translate(None, WORDS) or len(set(texts)) < count:
            raise ValueError("entries are different, and made of small letters, figures and blanks")
        self._whole, self._once = bytes(whole), bytes(once)
        self._pool = b"".join(texts) or b" "
        self._place = _places(texts)
        self._met = array("i", [0]) * max(1, count)
        self._page = 0
        self._shorter = array("i", [EMPTY]) * max(1, count)
        self._begun, self._one = array("i", [EMPTY]) * (SORTS * SORTS), array("i", [EMPTY]) * SORTS
        self._build(array("i", sorted(range(count), key=texts.__getitem__)))

    cdef void _build(self, int32_t[::1] order) except *:
        """Number the nodes. ``order``: the entries sorted. For each node: which of them begin with the letters that lead
        to it (from, to), how many letters these are, and the longest entry met on the way.
        """
        cdef Py_ssize_t count = order.shape[0], room = 2 * count + SORTS + 1
        cdef int32_t[::1] lows = array("i", [0]) * room, highs = array("i", [0]) * room
        cdef int32_t[::1] depths = array("i", [0]) * room, mets = array("i", [0]) * room
        cdef int32_t node = 0, nodes = 1, low, high, depth, met, entry, last, stop, same, start, end
        cdef uint8_t letter
        self._nodes, self._letter, self._ways = array("i", [0]) * (4 * room), bytearray(room), array("Q", [0]) * room
        highs[0], mets[0] = count, EMPTY
        self._nodes[ENDS] = EMPTY
        while node < nodes:
            low, high, depth, met = lows[node], highs[node], depths[node], mets[node]
            self._nodes[4 * node + CHILDREN] = nodes
            while low < high and self._place[order[low] + 1] - self._place[order[low]] == depth:
                entry = order[low]
                self._shorter[entry] = met
                met = entry
                self._nodes[4 * node + ENDS] = entry
                low += 1
            while low < high:
                start = self._place[order[low]]
                letter = self._pool[start + depth]
                stop = low + 1
                while stop < high and self._pool[self._place[order[stop]] + depth] == letter:
                    stop += 1
                last = self._place[order[stop - 1]]
                end = min(self._place[order[low] + 1] - start, self._place[order[stop - 1] + 1] - last)
                same = depth + 1
                while depth and same < end and self._pool[start + same] == self._pool[last + same]:
                    same += 1
                lows[nodes], highs[nodes], depths[nodes], mets[nodes] = low, stop, same, met
                self._letter[nodes] = letter
                self._nodes[4 * nodes + LABEL] = start + depth + 1
                self._nodes[4 * nodes + SIZES] = (same - depth - 1) << 8
                self._nodes[4 * nodes + ENDS] = EMPTY
                self._nodes[4 * node + SIZES] += 1
                self._ways[node] |= <uint64_t> 1 << SORT[letter]
                nodes += 1
                low = stop
            node += 1
        self._begin_with_two()

    cdef void _begin_with_two(self) except *:
        cdef int32_t first, second, sort
        for first in range(self._nodes[CHILDREN], self._nodes[CHILDREN] + (self._nodes[SIZES] & 0xFF)):
            sort = SORT[self._letter[first]]
            self._one[sort] = self._nodes[4 * first + ENDS]
            second = self._nodes[4 * first + CHILDREN]
            for second in range(second, second + (self._nodes[4 * first + SIZES] & 0xFF)):
                self._begun[sort * SORTS + SORT[self._letter[second]]] = second

    def find(self, bytes page):
        """See ``plain.Terms.find``. The longest entry at each blank is looked for first, whatever follows it; then, where
        it ends inside a word, what may stand there in its place.
        """
        cdef const uint8_t[::1] words = page, pool = self._pool, whole = self._whole, once = self._once
        cdef uint64_t[::1] ways = self._ways
        cdef uint64_t way, others
        cdef int32_t[::1] nodes = self._nodes, places = self._place, begun = self._begun, met = self._met
        cdef int32_t[::1] one = self._one, shorter = self._shorter
        cdef Py_ssize_t size = words.shape[0], at = 0, start, stop, end
        cdef int32_t entry, node, rest, place
        found = []
        self._page += 1
        if self._page == 0x7FFFFFFF:
            met[:] = 0
            self._page = 1
        cdef int32_t this = self._page
        while at < size:
            if words[at] != SPACE:
                at += 1
                continue
            at += 1
            start = at
            if at + 1 >= size:
                if at < size and one[SORT[words[at]]] != EMPTY:
                    raise IndexError("a page ends with a blank")
                continue
            entry = one[SORT[words[at]]]
            node = begun[SORT[words[at]] * SORTS + SORT[words[at + 1]]]
            at += 1
            while node != EMPTY:
                at += 1
                rest = nodes[4 * node + SIZES] >> 8
                if at + rest > size:
                    break
                place = nodes[4 * node + LABEL]
                while rest > 0 and words[at] == pool[place]:
                    at += 1
                    place += 1
                    rest -= 1
                if rest > 0:
                    break
                if nodes[4 * node + ENDS] != EMPTY:
                    entry = nodes[4 * node + ENDS]
                if at >= size:
                    break
                others = ways[node]
                way = <uint64_t> 1 << SORT[words[at]]
                if not others & way:
                    break
                node = nodes[4 * node + CHILDREN] + _bits(others & (way - 1))
            if entry == EMPTY:
                at = start
                continue
            at = start + places[entry + 1] - places[entry]
            if at >= size:
                raise IndexError("a page ends with a blank")
            if words[at] == SPACE:
                if not once[entry]:
                    found.append((start, at, entry))
                elif met[entry] != this:
                    met[entry] = this
                    found.append((start, at, entry))
                continue
            while entry != EMPTY:
                end = start + places[entry + 1] - places[entry]
                stop = end
                while stop <= end + LONGEST_ENDING and stop < size and words[stop] != SPACE:
                    stop += 1
                if stop < size and stop <= end + LONGEST_ENDING and (
                    stop == end or (not whole[entry] and _is_ending(words, end, stop))
                ):
                    found.append((start, stop, entry))
                    break
                entry = shorter[entry]
        return found
