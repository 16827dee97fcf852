"""Which format bytes are, judged by the bytes; an extension only decides between formats that look the same.

Pure. ``sniff`` sees the head of a file and answers with a format, or with the family (``ZIP``, ``OLE``) that
``zip_format`` and ``ole_format`` then split by what is inside. Signatures stand at their offsets: nothing is searched
« somewhere », because a text about a format is not of that format.
"""

from __future__ import annotations

import re
from typing import Literal

from agent.document import Format
from agent.extraction.formats.charset import bom_of, wide_of
from agent.extraction.formats.closed import closed
from agent.extraction.marks import BY_FIRST
from agent.extraction.sniff_text import HEAD, PDF_LATE, is_text, text_format

__all__ = ["HEAD", "faces", "ole_format", "sniff", "stray_bytes", "zip_format"]

_EDF = re.compile(
    rb"\A0 {7}.{160}[\d ]\d[./:-][\d ]\d[./:-][\d ]\d[\d ]\d[.:/-][\d ]\d[.:/-][\d ]\d\d{3,7} ", re.DOTALL
)
_NIHON_KOHDEN = re.compile(rb"(?:EEG-(?:1100[A-C]|2100|1200A)|QI-403A|DAE-2100D|CTE-\d{4}) *V\d\d\.\d\d")
_MPEG_AUDIO = re.compile(rb"\A\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x10-\xeb]")
_BRANDS_IMAGE = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"hevc"})
_IFF = frozenset(
    {b"AIFF", b"AIFC", b"8SVX", b"16SV", b"MAUD", b"ILBM", b"PBM ", b"ACBM", b"ANIM"}
)  # or a « FORMULAIRE »
_FIRST_TAGS = frozenset(
    {b"\x08\0\0\0", b"\x08\0\x01\0", b"\x08\0\x05\0", b"\x08\0\x08\0", b"\x08\0\x16\0", b"\x02\0\0\0"}
)
_BARE_DICOM_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split())


def sniff(head: bytes, extension: str = "") -> Format:
    """The format of a file that begins with ``head`` (its first ``HEAD`` bytes)."""
    if not head:
        return Format.EMPTY
    if head[128:132] == b"DICM":  # before all: the preamble may look like anything
        return Format.DICOM
    for prefix, format_ in BY_FIRST.get(head[0], ()):
        if head.startswith(prefix):
            return (_is_minc(head) and Format.RESEARCH) or format_
    found = _binary(head)
    if found is None and b"\0" in head and closed(head):
        return Format.UNKNOWN  # zeros behind a short mark do not make it a text
    return found or _text(head, extension)


_NOT_ANOTHER = frozenset(
    {Format.UNKNOWN, Format.EMPTY, Format.DICOM, Format.IMAGE, Format.AUDIO_VIDEO, Format.EXECUTABLE, Format.FONT}
)  # an image of two kinds (PS3.10 7.1) begins as a TIFF, and a program holds no document


def faces(head: bytes, extension: str = "") -> list[Format]:
    """What else a file is that was taken for DICOM by its mark at 128, by what other programs look at: the beginning
    of the file, which DICOM leaves free. (What a ZIP program looks at is the end.)
    """
    for part in (head[:128] + b"    " + head[132:], head[:128]):  # the second: text before binary elements
        found = sniff(part, extension)
        if found not in _NOT_ANOTHER:
            return [found]
    return [Format.PDF] if PDF_LATE.search(head[:1024]) else []


def _binary(head: bytes) -> Format | None:
    if head.startswith(b"RIFF") or (head.startswith(b"FORM") and (head[8:12] in _IFF or b"\0" in head[4:8])):
        return Format.IMAGE if head[8:12] in {b"WEBP", b"ILBM"} else Format.AUDIO_VIDEO
    if head[4:8] == b"ftyp":
        return Format.IMAGE if head[8:12] in _BRANDS_IMAGE else Format.AUDIO_VIDEO
    if head.startswith(b"BZh") and head[4:10] in {b"1AY&SY", b"\x17rE8P\x90"}:
        return Format.BZIP2
    if head.startswith(b"MZ") and b"\0" in head[:64]:
        return Format.EXECUTABLE
    if head.startswith(b"BM") and head[6:10] == b"\0\0\0\0":
        return Format.IMAGE
    if head.startswith(b"\x01\0\0\0") and head[40:44] == b" EMF":
        return Format.IMAGE
    if head[16:22] == b"SCPECG" or _EDF.match(head) or _NIHON_KOHDEN.match(head):
        return Format.SIGNAL
    if _is_nifti(head) or _is_minc(head):
        return Format.RESEARCH
    if _is_tar(head):
        return Format.TAR
    if _is_bare_dicom(head) or stray_bytes(head):
        return Format.DICOM
    if _MPEG_AUDIO.match(head) and b"\0" in head[:512]:
        return Format.AUDIO_VIDEO
    return None


def stray_bytes(head: bytes) -> int:
    """How many bytes (0, 1 or 2: a line end) a careless copy put in front of a DICOM file; 128: a MacBinary header."""
    if head[128:132] == b"DICM":
        return 0
    for count in (1, 2, 128):
        part = head[count : count + 256]
        if part[128:132] == b"DICM" or (count == 1 and part[:4] in _FIRST_TAGS and _is_bare_dicom(part)):
            return count
    return 0


def _is_nifti(head: bytes) -> bool:
    if head[4:12] == b"n+2\x00\r\n\x1a\n" or head[344:348] in {b"n+1\x00", b"ni1\x00"}:
        return True
    return head[:4] in {b"\x5c\x01\0\0", b"\0\0\x01\x5c"} and head[38:39] == b"r"  # Analyze 7.5


def _is_minc(head: bytes) -> bool:
    """A netCDF or HDF5 file whose first names are those of a MINC volume."""
    if head.startswith((b"CDF\x01", b"CDF\x02")):
        return b"minc" in head.lower() and b"patient" in head
    return head.startswith(b"\x89HDF\r\n\x1a\n") and b"minc-2.0" in head


def _is_tar(head: bytes) -> bool:
    if len(head) < 512:
        return False
    block = head[:512]
    field = block[148:156].strip(b" \0")
    if not field or len(field) > 7 or any(digit not in b"01234567" for digit in field):
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 0x20
    return int(field, 8) == total


def _is_bare_dicom(head: bytes) -> bool:
    """A DICOM data set without preamble: a first element of group 2 or 8, and a second one that follows in order."""
    if len(head) < 24:
        return False
    orders: tuple[Literal["little", "big"], ...] = ("little", "big")
    for order in orders:
        first = _element(head, 0, order)
        if first is None or first[0] not in {2, 8} or first[1] > 0x0100:
            continue
        second = _element(head, first[2], order)
        if second is None or (first[0], first[1]) < (second[0], second[1]):
            # an end of the head within a long first element is no contradiction
            return second is not None or first[2] >= len(head)
    return False


def _element(head: bytes, at: int, end: Literal["little", "big"]) -> tuple[int, int, int] | None:
    """(group, element, position after it) of the element at ``at``, or None when there cannot be one."""
    if at + 8 > len(head):
        return None
    group, element = int.from_bytes(head[at : at + 2], end), int.from_bytes(head[at + 2 : at + 4], end)
    vr = head[at + 4 : at + 6]
    if vr in _BARE_DICOM_VR:
        if vr in {b"OB", b"OW", b"SQ", b"UN", b"UT"}:
            return group, element, at + 12 + int.from_bytes(head[at + 8 : at + 12], end)
        length = int.from_bytes(head[at + 6 : at + 8], end)
        return (group, element, at + 8 + length) if length % 2 == 0 else None
    length = int.from_bytes(head[at + 4 : at + 8], end)
    return (group, element, at + 8 + length) if length % 2 == 0 and length < 1024 else None


def _text(head: bytes, extension: str) -> Format:
    wide = bom_of(head) or wide_of(head)
    if wide and wide != "utf-8":
        head = head.decode(wide, "ignore").encode("utf-8")
    elif not is_text(head):
        return Format.PDF if PDF_LATE.search(head[:1024]) else Format.UNKNOWN
    return text_format(head.removeprefix(b"\xef\xbb\xbf"), extension)


_OFFICE_ROOTS = (
    ("word/document", Format.DOCX),
    ("xl/workbook", Format.XLSX),
    ("ppt/presentation", Format.PPTX),
    ("word/", Format.DOCX),
    ("xl/", Format.XLSX),
    ("ppt/", Format.PPTX),
)
_ODF = {
    "text": Format.ODT,
    "spreadsheet": Format.ODS,
    "presentation": Format.ODP,
    "graphics": Format.ODP,
    "formula": Format.ODT,
}


def zip_format(names: list[str], mimetype: bytes = b"") -> Format:
    """Split ZIP by its members' names (lower case, with slashes) and by the content of its ``mimetype`` member."""
    prefix = b"application/vnd.oasis.opendocument."
    if mimetype.startswith(prefix):
        family = mimetype[len(prefix) :].decode("ascii", "replace").strip().split("-")[0]
        if family == "base":
            return Format.ZIP  # a database: its tables are members, not a text
        return _ODF.get(family, Format.ODT)
    known = set(names)
    if "[content_types].xml" in known or "_rels/.rels" in known:
        for root, format_ in _OFFICE_ROOTS:
            if any(name.startswith(root) for name in names):
                return format_
    if "content.xml" in known and "meta-inf/manifest.xml" in known:
        return Format.ODT
    return Format.ZIP


def ole_format(names: frozenset[str], extension: str = "") -> Format:
    """Split OLE by the names of its streams (lower case). An encrypted new-style file says only that by its
    extension.
    """
    if "encryptedpackage" in names:
        return {"docx": Format.DOCX, "xlsx": Format.XLSX, "pptx": Format.PPTX}.get(extension, Format.OLE)
    if "worddocument" in names:
        return Format.DOC
    if "workbook" in names or "book" in names:
        return Format.XLS
    if "powerpoint document" in names or "pp97_dualstorage" in names:
        return Format.PPT
    if any(name.startswith(("__properties_version1.0", "__substg1.0_")) for name in names):
        return Format.MSG
    return Format.OLE
