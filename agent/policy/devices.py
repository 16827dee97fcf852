"""Which removable device a policy means: ``bus:vendor:product:serial``, with ``*`` and ``?``. Pure.

A device says of itself what it is: whoever builds a device can copy an approved one's numbers. A pattern tells sticks
apart for honest people; it is no lock (docs/formats/policy.md says so).
"""

from __future__ import annotations

import re

from agent.model import Device

_PATTERN = re.compile(r"(\*|[a-z0-9]{1,16}):(\*|[0-9a-f]{4}):(\*|[0-9a-f]{4}):([!-~]{1,128})")


def normal_pattern(text: str) -> str | None:
    """The pattern with bus, vendor and product in lower case, or None when it is none. Serials keep their case."""
    head, colon, serial = text.partition(":")
    vendor, colon2, serial = serial.partition(":")
    product, colon3, serial = serial.partition(":")
    normal = f"{head.lower()}:{vendor.lower()}:{product.lower()}:{serial}"
    return normal if colon and colon2 and colon3 and _PATTERN.fullmatch(normal) else None


def identity(device: Device) -> str:
    """What patterns are compared with. Vendor and product that a device has not are empty."""
    return f"{device.bus}:{device.vendor_id}:{device.product_id}".lower() + f":{device.serial}"


def matches(pattern: str, device: Device) -> bool:
    """Whether a normal pattern means this device. A ``*`` never crosses a colon but within the serial."""
    bus, vendor, product, serial = pattern.split(":", 3)
    return (
        bus in {"*", device.bus.lower()}
        and vendor in {"*", device.vendor_id.lower()}
        and product in {"*", device.product_id.lower()}
        and _glob(serial, device.serial)
    )


def example(pattern: str) -> Device:
    """A device that the pattern means, for tests that only say « approved »."""
    bus, vendor, product, serial = pattern.split(":", 3)
    return Device(
        bus="usb" if bus == "*" else bus,
        vendor_id="0000" if vendor == "*" else vendor,
        product_id="0000" if product == "*" else product,
        serial=serial.replace("*", "").replace("?", "0"),
    )


def _glob(pattern: str, text: str) -> bool:
    """``*`` any run, ``?`` any one character. Time is at most the product of the two lengths."""
    at = spot = 0
    star = mark = -1
    while spot < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, spot
            at += 1
        elif at < len(pattern) and pattern[at] in {"?", text[spot]}:
            at, spot = at + 1, spot + 1
        elif star >= 0:
            mark += 1
            at, spot = star + 1, mark
        else:
            return False
    return not pattern[at:].strip("*")
