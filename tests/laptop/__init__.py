"""The test laptop: a Debian machine with USB ports, and the same disk as a container. See README.md."""

from tests.laptop.container import Container
from tests.laptop.machine import Laptop
from tests.laptop.places import CommandFailed, LaptopError, Result
from tests.laptop.sticks import FILE_SYSTEMS, find_in_image, make_partitioned, make_stick
from tests.laptop.usb import Stick

__all__ = [
    "FILE_SYSTEMS", "CommandFailed", "Container", "Laptop", "LaptopError", "Result", "Stick", "find_in_image",
    "make_partitioned", "make_stick",
]  # fmt: skip
