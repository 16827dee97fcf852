# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""The loops of ``plain.py``, compiled: the same names, the same answers on every input (tests hold both together).

Every byte looked at here is hostile. All memory is read and written through typed views whose bounds are checked at
each access; nothing is allocated by hand, no pointer is computed, no Python code is called back while a page is walked.
What a page needs is as large as the page, and grows with nothing else.
"""

from array import array

from libc.math cimport exp, log
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    SPACE = 0x20
    ZERO = 0x30
    NINE = 0x39
    LONGEST_ENDING = 2
    BEGINS = 0x3E  # the sign before a beginning of words in the model, and before an end
    LEAVES = 0x3C
    SHORTEST_AFFIX = 3
    AFFIX_SORTS = 3
    EMPTY = -1
    # what a page's views tell of it, and what a byte of its text is to them
    ROUGH = 1
    FIGURES = 2
    MARKED = 4
    APART = 4  # letters that stand by themselves, one behind another
    A_LETTER = 1
    A_FIGURE = 2
    A_MARK = 4
    AN_ESCAPE = 8
    GONE = 16
    LEAST_SLOTS = 64
    SORTS = 38  # of letters in the view ``words``: blank, 0 to 9, a to z, and whatever does not stand there
    # of a node: its first child; where in the pool the rest of the way to it stands; how many letters that rest has
    # (times 256) and how many children the node; the entry that ends there, or EMPTY
    CHILDREN = 0
    LABEL = 1
    SIZES = 2
    ENDS = 3

ALWAYS_MARKED = bytes([*range(1, 7), 8, *range(0x0E, 0x1B), 0x7F, 0xAD])
WORDS = b" 0123456789abcdefghijklmnopqrstuvwxyz"  # in the order in which entries are sorted
cdef uint64_t GOLDEN = 0x9E3779B97F4A7C15
cdef uint64_t SEED = (<uint64_t> (hash(b"serment") & 0x7FFFFFFFFFFFFFFF)) * 2 + 1  # another one in each process
cdef uint64_t STEP = (SEED * GOLDEN) | 1
cdef uint64_t UPPER = 0xFFFFFFFF00000000ULL
cdef uint64_t LOWER = 0xFFFFFFFFULL

# of each byte; one of 256 bytes indexes an array of 256
cdef uint8_t[256] KIND  # what it begins: 0 blank (\s), 1 a run of letters, 2 a run of figures, 3 a sign of its own
cdef uint8_t[256] SORT  # its place in WORDS


def _fill():
    cdef int code
    for code in range(256):
        KIND[code] = 0 if code in b" \t\n\r\f\v" else 1 if 0x61 <= code <= 0x7A else 2 if 0x30 <= code <= 0x39 else 3
        SORT[code] = max(0, WORDS.find(code)) if code in WORDS else SORTS - 1


_fill()


def _places(texts):
    """Where each of these texts begins when they stand one after another, and where the last one ends."""
    places = array("i", [0])
    end = 0
    for text in texts:
        end += len(text)
        places.append(end)
    return places


include "views.pxi"
include "terms.pxi"
include "hashes.pxi"
include "sound.pxi"


cdef inline double _sigmoid(double nats) noexcept:
    return 1.0 / (1.0 + exp(-max(-40.0, min(40.0, nats))))


def lift(double clinical, double person, double wanted, double slope):
    """See ``plain.lift``."""
    cdef double low = -40.0, high = 40.0, middle, product
    while high - low > 1e-3:
        middle = (low + high) / 2
        product = _sigmoid(clinical + middle) * _sigmoid(person + middle)
        product = min(max(product, 1e-12), 1 - 1e-12)
        if _sigmoid(slope * log(product / (1 - product))) < wanted:
            low = middle
        else:
            high = middle
    return high
