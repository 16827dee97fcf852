"""Bar codes and 2D codes in a page of pixels, by zxing-cpp. What they say is the detection's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.document import Code
from agent.extraction.formats.base import sound

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST = 32  # codes of one page
_MAX_BYTES = 8192  # of one code: twice what the largest of any kind holds
_WANTED = "DataMatrix,QRCode,Aztec,PDF417,Code128"  # those that stand on health documents; the rest costs time


def find_codes(page: Image) -> tuple[Code, ...]:
    """Every code that can be read on a gray page, whichever way it is turned."""
    import zxingcpp

    try:
        found = zxingcpp.read_barcodes(
            page, formats=zxingcpp.barcode_formats_from_str(_WANTED), text_mode=zxingcpp.TextMode.Plain
        )
    except (MemoryError, RecursionError):
        raise
    except Exception:
        return ()
    return tuple(
        Code(_symbology(each.format.name), bytes(each.bytes)[:_MAX_BYTES], sound(each.text)[:_MAX_BYTES])
        for each in found[:_MOST]
        if each.valid
    )


def _symbology(name: str) -> str:
    """The library's name for it, as ``Code`` has it: lower case, « qr » for all its kinds."""
    return "qr" if name.startswith("QRCode") else "aztec" if name.startswith("Aztec") else name.lower()
