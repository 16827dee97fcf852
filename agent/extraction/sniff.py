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
from agent.extraction.sniff_text import HEAD, PDF_LATE, is_text, text_format

__all__ = ["HEAD", "faces", "ole_format", "sniff", "zip_format"]

_PREFIXES: tuple[tuple[bytes, Format], ...] = (
    (b"%PDF-", Format.PDF),
    (b"PK\x03\x04", Format.ZIP),
    (b"PK\x05\x06", Format.ZIP),
    (b"PK\x07\x08PK", Format.ZIP),
    (b"PK00PK\x03\x04", Format.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.OLE),
    (b"\x1f\x8b\x08", Format.GZIP),
    (b"7z\xbc\xaf\x27\x1c", Format.SEVENZIP),
    (b"Rar!\x1a\x07", Format.RAR),
    (b"\xfd7zXZ\x00", Format.XZ),
    (b"age-encryption.org/v1\n", Format.AGE),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", Format.AGE),
    (b"SQLite format 3\x00", Format.SQLITE),
    (b"\x89PNG\r\n\x1a\n", Format.IMAGE),
    (b"\xff\xd8\xff", Format.IMAGE),
    (b"GIF87a", Format.IMAGE),
    (b"GIF89a", Format.IMAGE),
    (b"II*\x00", Format.IMAGE),
    (b"MM\x00*", Format.IMAGE),
    (b"II+\x00", Format.IMAGE),
    (b"8BPS\x00", Format.IMAGE),
    (b"\x00\x00\x00\x0cjP  \r\n", Format.IMAGE),
    (b"\xff\x4f\xff\x51", Format.IMAGE),
    (b"\x00\x00\x01\x00\x01\x00", Format.IMAGE),
    (b"\xd7\xcd\xc6\x9a", Format.IMAGE),
    (b"AT&TFORM", Format.IMAGE),
    (b"\xff\x0a\xfa", Format.IMAGE),
    (b"ID3", Format.AUDIO_VIDEO),
    (b"OggS\x00", Format.AUDIO_VIDEO),
    (b"fLaC\x00", Format.AUDIO_VIDEO),
    (b"\x1a\x45\xdf\xa3", Format.AUDIO_VIDEO),
    (b"FLV\x01", Format.AUDIO_VIDEO),
    (b"\x00\x00\x01\xba", Format.AUDIO_VIDEO),
    (b"\x00\x00\x01\xb3", Format.AUDIO_VIDEO),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format.AUDIO_VIDEO),
    (b"MThd\x00\x00\x00\x06", Format.AUDIO_VIDEO),
    (b"#!AMR", Format.AUDIO_VIDEO),
    (b"\x7fELF", Format.EXECUTABLE),
    (b"\xfe\xed\xfa\xce", Format.EXECUTABLE),
    (b"\xfe\xed\xfa\xcf", Format.EXECUTABLE),
    (b"\xce\xfa\xed\xfe", Format.EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", Format.EXECUTABLE),
    (b"\xca\xfe\xba\xbe", Format.EXECUTABLE),
    (b"\x00asm\x01\x00\x00\x00", Format.EXECUTABLE),
    (b"OTTO\x00", Format.FONT),
    (b"\x00\x01\x00\x00\x00", Format.FONT),
    (b"ttcf\x00", Format.FONT),
    (b"wOFF", Format.FONT),
    (b"wOF2", Format.FONT),
    (b"ISHNE1.0", Format.SIGNAL),
    (b"ANN  1.0", Format.SIGNAL),
    (b"@  MFER ", Format.SIGNAL),
    (b"@ MFR ", Format.SIGNAL),
    (b"\xffBIOSEMI", Format.SIGNAL),
    (b"GDF 1.", Format.SIGNAL),
    (b"GDF 2.", Format.SIGNAL),
    (b"Brain Vision Data Exchange", Format.SIGNAL),
    (b"NRRD000", Format.RESEARCH),
    (b"##fileformat=VCFv", Format.RESEARCH),
    (b"BAM\x01", Format.RESEARCH),
    (b"BCF\x02", Format.RESEARCH),
    (b"CRAM\x02", Format.RESEARCH),
    (b"CRAM\x03", Format.RESEARCH),
)
_EDF = re.compile(rb"\A0 {7}.{160}\d\d\.\d\d\.\d\d\d\d\.\d\d\.\d\d", re.DOTALL)
_MPEG_AUDIO = re.compile(rb"\A\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x10-\xeb]")
_BRANDS_IMAGE = frozenset({b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"jxl ", b"hevc"})
_BARE_DICOM_VR = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SQ SS ST TM UI UL UN US UT".split())


def sniff(head: bytes, extension: str = "") -> Format:
    """The format of a file that begins with ``head`` (its first ``HEAD`` bytes)."""
    if not head:
        return Format.EMPTY
    if head[128:132] == b"DICM":  # before all: the preamble may look like anything
        return Format.DICOM
    for prefix, format_ in _PREFIXES:
        if head.startswith(prefix):
            return format_
    return _binary(head) or _text(head, extension)


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
    if head.startswith((b"RIFF", b"FORM")):
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
    if head[16:22] == b"SCPECG" or _EDF.match(head):
        return Format.SIGNAL
    if _is_nifti(head):
        return Format.RESEARCH
    if _is_tar(head):
        return Format.TAR
    if _is_bare_dicom(head):
        return Format.DICOM
    if _MPEG_AUDIO.match(head) and b"\0" in head[:512]:
        return Format.AUDIO_VIDEO
    return None


def _is_nifti(head: bytes) -> bool:
    if head[4:12] == b"n+2\x00\r\n\x1a\n" or head[344:348] in {b"n+1\x00", b"ni1\x00"}:
        return True
    return head[:4] in {b"\x5c\x01\0\0", b"\0\0\x01\x5c"} and head[38:39] == b"r"  # Analyze 7.5


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
