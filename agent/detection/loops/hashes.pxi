# What tells tokens and pairs apart at first sight. Part of _compiled.pyx, which says what may be done here.

cdef uint64_t _hash_of(const uint8_t[::1] text, Py_ssize_t begin, Py_ssize_t end) except? 7:
    """The hash of a feature; that of an end of words is taken from its last letter on."""
    cdef uint64_t hashed = SEED
    cdef Py_ssize_t at
    if end - begin > 1 and text[begin] == LEAVES:
        hashed = (hashed ^ LEAVES) * STEP
        for at in range(end - 1, begin, -1):
            hashed = (hashed ^ text[at]) * STEP
        return hashed
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
