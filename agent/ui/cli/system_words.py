"""What the system answers when a file cannot be had, and what a setting should be: they arrive as fields of errors.

They are not written where they are shown, so they are marked for the catalogue here. Data only; the first ones are the
C library's, letter for letter. One that is missing is shown in English.
"""

from __future__ import annotations

from agent.errors import N_

SYSTEM_WORDS = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("No space left on device"),
    N_("Disk quota exceeded"),
    N_("Read-only file system"),
    N_("Input/output error"),
    N_("Too many open files"),
    N_("Too many levels of symbolic links"),
    N_("Invalid argument"),
    N_("No such device or address"),
    N_("No such device"),
    N_("Device or resource busy"),
    N_("Resource temporarily unavailable"),
    N_("Address already in use"),
    N_("Cannot assign requested address"),
    N_("Connection refused"),
    N_("Transport endpoint is not connected"),
    N_("Stale file handle"),
    N_("Cannot allocate memory"),
)

EXPECTED_WORDS = (
    N_("true or false"),
    N_("a whole number"),
    N_("a string"),
    N_("a list of strings"),
    N_("an absolute path"),
    N_("fr, en or empty"),
    N_("between 1 and 16"),
    N_("monitor or enforce"),
    N_("between 0 and 65535"),
    N_("embedded, off, or an https:// address"),
    N_("a file"),
    N_("a table"),
    N_("a list"),
    N_("a size"),
    N_("a day"),
    N_("a name"),
    N_("a test"),
    N_("another id"),
    N_("one device"),
    N_("printable text"),
    N_("at least one condition"),
)
"""Fields ``expected`` of agent.config and agent.policy."""
