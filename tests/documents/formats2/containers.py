"""Archives, OLE files and small PDF files written byte by byte, so that they are the same each time."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib

WHEN = (2024, 3, 5, 9, 30, 0)


def archive(members: dict[str, bytes | str], stored: tuple[str, ...] = ()) -> bytes:
    """A ZIP; ``stored`` members come uncompressed, as an EPUB's or OpenDocument's first one."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, WHEN)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return sink.getvalue()


def tape(members: dict[str, bytes]) -> bytes:
    """A plain tar."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as file:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def zip_crypto(name: str, data: bytes, password: bytes) -> bytes:
    """A ZIP of one member under the old ZIP cipher (APPNOTE 6.1)."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def turn(byte: int) -> None:
        keys[0] = zlib.crc32(bytes([byte]), keys[0] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
        keys[0] &= 0xFFFFFFFF
        keys[1] = ((keys[1] + (keys[0] & 255)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = (zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xFFFFFFFF) ^ 0xFFFFFFFF) & 0xFFFFFFFF

    def seal(plain: bytes) -> bytes:
        out = bytearray()
        for byte in plain:
            mix = keys[2] | 2
            out.append(byte ^ ((mix * (mix ^ 1)) >> 8 & 255))
            turn(byte)
        return bytes(out)

    for byte in password:
        turn(byte)
    check = zlib.crc32(data)
    body = seal(bytes(range(11)) + bytes([check >> 24]) + data)
    common = struct.pack("<HHHHHIIIHH", 20, 1, 0, 0x4BC0, 0x5865, check, len(body), len(data), len(name), 0)
    local = b"PK\3\4" + common + name.encode() + body
    entry = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    return local + entry + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB, version 3); a slash in a name makes a storage. Every stream is at least 4,096 long."""
    free, end = 0xFFFFFFFF, 0xFFFFFFFE
    nodes: list[tuple[str, int, bytes]] = [("Root Entry", 5, b"")]
    children: dict[int, list[int]] = {0: []}
    storages: dict[str, int] = {"": 0}
    for path, data in streams.items():
        folder, _, name = path.rpartition("/")
        if folder not in storages:
            storages[folder] = len(nodes)
            nodes.append((folder, 1, b""))
            children[0].append(storages[folder])
            children[storages[folder]] = []
        children[storages[folder]].append(len(nodes))
        nodes.append((name, 2, data.ljust(4096, b"\0")))
    fat: list[int] = []
    body = b""
    starts: dict[int, int] = {}
    for number, (_, sort, data) in enumerate(nodes):
        if sort == 2:
            starts[number] = len(fat)
            count = -(-len(data) // 512)
            fat += [*range(len(fat) + 1, len(fat) + count), end]
            body += data.ljust(count * 512, b"\0")
    first = len(fat)
    right = [free] * len(nodes)
    child = [free] * len(nodes)
    for parent, members in children.items():
        ordered = sorted(members, key=lambda n: (len(nodes[n][0]), nodes[n][0].upper()))
        if ordered:
            child[parent] = ordered[0]
        for here, following in zip(ordered, ordered[1:], strict=False):
            right[here] = following
    table = b""
    for number, (name, sort, data) in enumerate(nodes):
        label = name.encode("utf-16-le")[:62]
        place = starts.get(number, end if sort == 5 else 0)
        table += label.ljust(64, b"\0") + struct.pack("<HBB", len(label) + 2, sort, 1)
        table += struct.pack("<III", free, right[number], child[number]) + bytes(36) + struct.pack("<IQ", place, len(data))
    table = table.ljust(-(-len(table) // 512) * 512, b"\0")
    count = len(table) // 512
    fat += [*range(first + 1, first + count), end]
    sectors = 1
    while (len(fat) + sectors) > sectors * 128:
        sectors += 1
    at = len(fat)
    fat += [0xFFFFFFFD] * sectors
    packed = b"".join(struct.pack("<I", item) for item in fat).ljust(sectors * 512, b"\xff")
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, sectors, first, 0, 4096, end, 0, end, 0)
    head += b"".join(struct.pack("<I", at + n) for n in range(sectors))
    return head.ljust(512, b"\xff") + body + table + packed


def pdf_objects(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out = b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for number, item in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + item + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<</Size %d/Root 1 0 R%s>>\n" % (len(objects) + 1, trailer)
    return out + b"startxref\n%d\n%%%%EOF\n" % table


def stream(data: bytes, head: bytes = b"", packed: bool = True) -> bytes:
    """A stream object."""
    if packed:
        data, head = zlib.compress(data), head + b"/Filter/FlateDecode"
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(data), data)


def shown(lines: list[str]) -> bytes:
    """A page's content: each line in WinAnsi."""
    out = b"BT /F1 11 Tf 60 780 Td 15 TL\n"
    for line in lines:
        raw = line.encode("cp1252", "replace").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        out += b"(" + raw + b") Tj T*\n"
    return out + b"ET"


def pdf(lines: list[str], extra: bytes = b"", more: list[bytes] | None = None, trailer: bytes = b"", page: bytes = b"") -> bytes:
    """A page of text. ``extra`` goes into the catalogue, ``more`` are objects from 6 on."""
    return pdf_objects(
        [b"<</Type/Catalog/Pages 2 0 R%s>>" % extra, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>%s>>" % page, stream(shown(lines)), b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>", *(more or [])],
        trailer,
    )


def rc4(key: bytes, data: bytes) -> bytes:
    """RC4, for the old PDF protection."""
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) & 255
        box[i], box[j] = box[j], box[i]
    out, i, j = bytearray(), 0, 0
    for byte in data:
        i = (i + 1) & 255
        j = (j + box[i]) & 255
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) & 255])
    return bytes(out)
