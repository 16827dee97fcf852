"""The field names that the format writes as one character, to keep a record short. Pure data; part of the format.

docs/formats/audit-log.md, section 2. The first name is « ! » (U+0021), each further one the next character. Append
only, sixty-four at most: names that are not here are written out, and begin with a small letter, which no code does.
"""

from __future__ import annotations

NAMES = [
    "channel",
    "service",
    "arrival",
    "cause",
    "strength",
    "hold",
    "judgement",
    "kind",
    "confidence",
    "identified",
    "patients",
    "test",
    "listed",
    "format",
    "problem",
    "pictures",
    "size",
    "ext",
    "decision",
    "wanted",
    "wanted_by",
    "rule",
    "policy",
    "release",
    "mode",
    "exception",
    "act",
    "engine",
    "file",
    "volume",
    "device",
    "user",
    "of",
    "result",
    "action",
    "held",
    "version",
    "clean",
    "dropped",
    "open",
    "head",
    "bus",
    "vendor_id",
    "product_id",
    "vendor",
    "product",
    "serial",
    "filesystem",
    "state",
    "what",
    "word",
    "profile",
    "source",
    "segment",
    "offset",
    "index",
    "before",
    "by",
    "root",
]
CODE_OF = {name: chr(0x21 + at) for at, name in enumerate(NAMES)}
DIGESTS = frozenset(("file", "volume", "serial", "user", "root", "head"))
"""Fields whose value, when it is an even number of 8 to 64 hexadecimal digits, is written as bytes."""
NAME_OF = {code: name for name, code in CODE_OF.items()}
