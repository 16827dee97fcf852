"""A file descriptor that closes itself with its last user, so that no thread reads a number that was given away.

One thread may read a file while another replaces it; who holds the object holds the descriptor.
"""

from __future__ import annotations

import os


class Number(int):
    """The number of a descriptor that stays open for as long as this object lives: for calls that take a number."""

    held: Descriptor

    @classmethod
    def of(cls, descriptor: Descriptor) -> Number:
        number = cls(descriptor.fd)
        number.held = descriptor
        return number


class Descriptor:
    """Owns ``fd``."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __del__(self) -> None:
        try:
            os.close(self.fd)
        except OSError:
            pass  # a device that is gone: there is nothing left to lose
