"""Small documents made in the test, with invented text: what the readers are tried on."""

from __future__ import annotations

import io
import sqlite3
import struct
import tarfile
import zipfile
import zlib

LETTER = "Compte rendu de consultation : Mme TESTEUR Éloïse, née le 12/03/1950, HTA équilibrée."
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def zipped(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(body: str = LETTER, **parts: bytes | str) -> bytes:
    paragraph = f"<w:p><w:r><w:t>{body}</w:t></w:r></w:p>"
    members: dict[str, bytes | str] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f"<w:document {W}><w:body>{paragraph}</w:body></w:document>",
    }
    members.update({name.replace("__", "/").replace("_xml", ".xml"): data for name, data in parts.items()})
    return zipped(members)


def word_part(text: str, root: str = "hdr") -> str:
    return f"<w:{root} {W}><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:{root}>"


def xlsx(sheet: str, strings: str = "", styles: str = "", workbook: str = "") -> bytes:
    members = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": workbook or '<workbook><sheets><sheet name="Patients" sheetId="1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
    }
    if strings:
        members["xl/sharedStrings.xml"] = f"<sst>{strings}</sst>"
    if styles:
        members["xl/styles.xml"] = styles
    return zipped(members)


def xlsb_record(kind: int, body: bytes = b"") -> bytes:
    """One record of a binary workbook; its body has less than 16,384 bytes."""
    number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return number + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body


def xlsb(rows: list[list[str]], **parts: bytes) -> bytes:
    """A binary workbook of one sheet; its cells are strings with formats of their own."""
    sheet = xlsb_record(129)
    for row in rows:
        sheet += xlsb_record(0, bytes(17))
        sheet += b"".join(xlsb_record(62, bytes(9) + xlsb_string(value)) for value in row)
    members = {"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"", "xl/worksheets/sheet1.bin": sheet}
    return zipped(members | {f"xl/{name}.bin": data for name, data in parts.items()})


def xlsb_string(value: str) -> bytes:
    return struct.pack("<L", len(value)) + value.encode("utf-16-le")


def odf(kind: str, content: str, **parts: str) -> bytes:
    members = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"<office:document-content xmlns:office='o' xmlns:text='t' xmlns:table='b'><office:body>{content}"
        "</office:body></office:document-content>",
    }
    members.update({name.replace("__", "/").replace("_xml", ".xml"): data for name, data in parts.items()})
    return zipped(members)


def pdf(
    pages: list[bytes],
    *,
    extra: dict[int, bytes] | None = None,
    resources: bytes = b"",
    trailer: bytes = b"",
    root: bytes = b"",
    page: bytes = b"",
) -> bytes:
    """Pages by their content streams; ``extra`` adds whole objects from number 900 on."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (10 + 2 * index) for index in range(count))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R" + root + b">>",
        2: b"<</Type/Pages/Kids[" + kids + b"]/Count %d>>" % count,
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    }
    for index, content in enumerate(pages):
        number = 10 + 2 * index
        head = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents %d 0 R" % (number + 1)
        objects[number] = head + b"/Resources<</Font<</F1 3 0 R>>" + resources + b">>" + page + b">>"
        objects[number + 1] = b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)
    objects |= extra or {}
    out, places = bytearray(b"%PDF-1.7\n"), {}
    for number, body in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(out), max(objects) + 1
    out += b"xref\n0 %d\n" % size
    free = b"0000000000 65535 f \n"
    out += b"".join(b"%010d 00000 n \n" % places[n] if n in places else free for n in range(size))
    return bytes(out + b"trailer<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def shown(text: str) -> bytes:
    body = text.encode("cp1252").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"BT /F1 12 Tf 40 700 Td (" + body + b") Tj ET"


def compound(streams: dict[tuple[str, ...], bytes], clsid: bytes = bytes(16)) -> bytes:
    """A compound file (MS-CFB, version 3) with the given streams; the storages on their way are made."""
    names: list[tuple[str, ...]] = []
    for path in streams:
        for depth in range(1, len(path) + 1):
            if path[:depth] not in names:
                names.append(path[:depth])
    small = {path: data for path, data in streams.items() if len(data) < 4096}
    mini, mini_fat, mini_start = bytearray(), [], {}
    for path, data in small.items():
        mini_start[path] = len(mini_fat) if data else 0xFFFFFFFE
        blocks = -(-len(data) // 64)
        mini_fat += [len(mini_fat) + place + 1 for place in range(blocks - 1)] + ([0xFFFFFFFE] if blocks else [])
        mini += data.ljust(blocks * 64, b"\0")
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        blocks = max(1, -(-len(data) // 512))
        first = len(sectors)
        sectors.extend(data[at * 512 : at * 512 + 512].ljust(512, b"\0") for at in range(blocks))
        fat.extend(first + place + 1 for place in range(blocks - 1))
        fat.append(0xFFFFFFFE)
        return first

    starts = {path: store(data) for path, data in streams.items() if path not in small}
    mini_at = store(bytes(mini)) if mini else 0xFFFFFFFE
    table_at = store(b"".join(struct.pack("<L", entry) for entry in mini_fat)) if mini_fat else 0xFFFFFFFE
    directory = _directory(names, streams, starts | mini_start, mini_at, len(mini), clsid)
    directory_at = store(directory)
    fat_sectors = -(-(len(fat) + 4) // 128)
    fat_at = list(range(len(sectors), len(sectors) + fat_sectors))
    fat += [0xFFFFFFFD] * fat_sectors
    fat += [0xFFFFFFFF] * (fat_sectors * 128 - len(fat))
    sectors.append(b"".join(struct.pack("<L", entry) for entry in fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9L", 0, fat_sectors, directory_at, 0, 4096, table_at, 1 if mini_fat else 0, 0xFFFFFFFE, 0)
    difat = fat_at + [0xFFFFFFFF] * (109 - len(fat_at))
    return header + struct.pack("<109L", *difat) + b"".join(sectors)


def _directory(
    names: list[tuple[str, ...]],
    streams: dict[tuple[str, ...], bytes],
    starts: dict[tuple[str, ...], int],
    mini_at: int,
    mini_size: int,
    clsid: bytes,
) -> bytes:
    """Siblings are linked to the right only: a valid tree, if an unbalanced one."""

    def children(parent: tuple[str, ...]) -> list[int]:
        return [index + 1 for index, path in enumerate(names) if path[:-1] == parent]

    def record(name: str, kind: int, right: int, child: int, start: int, size: int) -> bytes:
        raw = name.encode("utf-16-le") + b"\0\0"
        head = raw.ljust(64, b"\0") + struct.pack("<HBB3L", len(raw), kind, 1, 0xFFFFFFFF, right, child)
        return head + (clsid if kind == 5 else bytes(16)) + bytes(20) + struct.pack("<LQ", start, size)

    first = children(())
    out = record("Root Entry", 5, 0xFFFFFFFF, first[0] if first else 0xFFFFFFFF, mini_at, mini_size)
    for index, path in enumerate(names, 1):
        brothers = children(path[:-1])
        place = brothers.index(index)
        right = brothers[place + 1] if place + 1 < len(brothers) else 0xFFFFFFFF
        inside = children(path)
        if path in streams:
            out += record(path[-1], 2, right, 0xFFFFFFFF, starts[path], len(streams[path]))
        else:
            out += record(path[-1], 1, right, inside[0] if inside else 0xFFFFFFFF, 0, 0)
    return out


def doc(text: str, *, flags: int = 0x0200, narrow: bool = True, data: bytes = b"") -> bytes:
    """A Word 97 document whose text is one piece."""
    body = text.encode("cp1252" if narrow else "utf-16-le", "replace")
    place = 0x40000000 | (1024 * 2) if narrow else 1024
    pieces = struct.pack("<2L", 0, len(text)) + struct.pack("<HLH", 0, place, 0)
    clx = b"\x02" + struct.pack("<L", len(pieces)) + pieces
    main = bytearray(1024)
    main[0:2] = b"\xec\xa5"
    main[10:12] = flags.to_bytes(2, "little")
    main[0x1A2:0x1AA] = struct.pack("<2L", 0, len(clx))
    pictures = {("Data",): data} if data else {}
    return compound({("WordDocument",): bytes(main) + body, ("1Table",): clx} | pictures)


def ppt(stored: bytes) -> bytes:
    """Slides with a packed object in their own stream."""
    packed = struct.pack("<L", len(stored)) + zlib.compress(stored)
    record = struct.pack("<HHL", 0x10, 0x1011, len(packed)) + packed
    slides = record + struct.pack("<HHL", 0, 0xFA8, 20) + b"Liste de fournitures"
    return compound({("PowerPoint Document",): slides, ("Current User",): bytes(40)})


def rtf(text: str, group: bytes = b"") -> bytes:
    """A line of text and one group, whose end is added."""
    body = "".join(char if char.isascii() else f"\\u{ord(char)}?" for char in text)
    return b"{\\rtf1\\ansi " + body.encode() + b"\\par " + group + b"}}"


def blip(picture: bytes) -> bytes:
    """A JPEG as a DOC or PPT keeps it, with one checksum (MS-ODRAW 2.2.27)."""
    return struct.pack("<HHL", 0x46A << 4, 0xF01D, 17 + len(picture)) + bytes(17) + picture


def biff(*records: tuple[int, bytes]) -> bytes:
    return b"".join(struct.pack("<2H", kind, len(body)) + body for kind, body in records)


def xls(rows: list[list[str]], *, encrypted: bool = False) -> bytes:
    start = (0x0809, struct.pack("<4H2L", 0x0600, 0x0005, 0, 0, 0, 0))
    locked = [(0x2F, bytes(54))] if encrypted else []
    cells = []
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            body = value.encode("utf-16-le")
            cells.append((0x0204, struct.pack("<3HHB", row, column, 0, len(value), 1) + body))
    name = b"Feuil1"
    head = biff(start, *locked)
    sheet_at = len(head) + 4 + 8 + len(name) + 4
    head += biff((0x0085, struct.pack("<LBBBB", sheet_at, 0, 0, len(name), 0) + name), (0x000A, b""))
    sheet = biff((0x0809, struct.pack("<4H2L", 0x0600, 0x0010, 0, 0, 0, 0)), *cells, (0x000A, b""))
    return compound({("Workbook",): (head + sheet).ljust(4096, b"\0")})


def msg(subject: str, body: str, attachment: tuple[str, bytes] | None = None, *, html: bytes = b"") -> bytes:
    def wide(text: str) -> bytes:
        return text.encode("utf-16-le")

    streams: dict[tuple[str, ...], bytes] = {
        ("__properties_version1.0",): bytes(32),
        ("__substg1.0_0037001F",): wide(subject),
        ("__substg1.0_1000001F",): wide(body),
        ("__substg1.0_0C1A001F",): wide("Dr Alix Exemple"),
    }
    if html:
        streams[("__substg1.0_10130102",)] = html
    if attachment:
        storage = "__attach_version1.0_#00000000"
        streams[(storage, "__substg1.0_3707001F")] = wide(attachment[0])
        streams[(storage, "__substg1.0_37010102")] = attachment[1]
    return compound(streams)


def tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def seven_zip(members: dict[str, bytes]) -> bytes:
    import libarchive

    blocks: list[bytes] = []
    with libarchive.custom_writer(lambda data: blocks.append(bytes(data)) or len(data), "7zip") as archive:
        for name, data in members.items():
            archive.add_file_from_memory(name, len(data), data)
    return b"".join(blocks)


def program(behind: bytes = b"", *, signature: bytes = b"") -> bytes:
    """A Windows program (PE32+) of one section, what was put behind it, and its signature."""
    code = bytes(range(256)) * 24
    place = (2048 + len(code) + len(behind), len(signature)) if signature else (0, 0)
    options = struct.pack("<H142x2L88x", 0x20B, *place)
    section = b".text\0\0\0" + struct.pack("<4L16x", len(code), 4096, len(code), 2048)
    head = b"MZ" + bytes(58) + struct.pack("<L", 64) + b"PE\0\0" + struct.pack("<2H12x2H", 0x8664, 1, len(options), 2)
    return (head + options + section).ljust(2048, b"\0") + code + behind + signature


def rar(name: bytes, data: bytes, *, flags: int = 0) -> bytes:
    """A RAR 4 archive with one stored file."""

    def block(kind: int, bits: int, body: bytes) -> bytes:
        rest = struct.pack("<BHH", kind, bits, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(rest) & 0xFFFF) + rest

    body = struct.pack(
        "<2LBLLBBHL", len(data), len(data), 3, zlib.crc32(data), 0x5A21_6000, 20, 0x30, len(name), 0o100644
    )
    return b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6)) + block(0x74, 0x8000 | flags, body + name) + data


def sqlite(rows: list[list[str]], blob: bytes = b"") -> bytes:
    """A database with one table, the first row being its columns; ``blob`` goes into a second table."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"create table patients({','.join(rows[0])})")  # noqa: S608
    marks = ",".join("?" * len(rows[0]))
    connection.executemany(f"insert into patients values({marks})", rows[1:])  # noqa: S608
    if blob:
        connection.execute("create table documents(content blob)")
        connection.execute("insert into documents values(?)", (blob,))
    connection.commit()
    return connection.serialize()


def dbase(
    columns: list[tuple[str, str, int]], rows: list[list[str]], encoding: str = "cp850", version: int = 3
) -> bytes:
    """A dBase table; columns are (name, type, length)."""
    head = bytes([version, 126, 2, 1])
    head += struct.pack("<LHH", len(rows), 32 + 32 * len(columns) + 1, 1 + sum(size for _, _, size in columns)) + bytes(
        20
    )
    for name, kind, size in columns:
        head += name.encode().ljust(11, b"\0") + kind.encode() + bytes(4) + bytes([size, 0]) + bytes(14)
    body = b"".join(
        b" "
        + b"".join(cell.encode(encoding)[:size].ljust(size) for cell, (_, _, size) in zip(row, columns, strict=True))
        for row in rows
    )
    return head + b"\r" + body + b"\x1a"


def _attribute(level: int, number: int, data: bytes) -> bytes:
    return struct.pack("<BHHL", level, number, 0, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def _property(kind: int, tag: int, data: bytes) -> bytes:
    apart = struct.pack("<LL", 1, len(data)) if kind in {0x0D, 0x1E, 0x1F, 0x102} else b""
    return struct.pack("<HH", kind, tag) + apart + data + bytes(-len(data) % 4)


def tnef(body: str = "", attachment: bytes = b"", html: str = "") -> bytes:
    """A winmail.dat with a subject, a named property, and what is asked for."""
    wide = "Compte rendu\0".encode("utf-16-le")
    named = struct.pack("<HH", 3, 0x8001) + bytes(16) + struct.pack("<LL", 0, 7) + bytes(4)
    properties = [named, _property(0x1F, 0x37, wide), _property(0x0B, 0x0E1B, b"\1\0\0\0")]
    if body:
        properties.append(_property(0x1F, 0x1000, (body + "\0").encode("utf-16-le")))
    if html:
        properties.append(_property(0x102, 0x1013, html.encode()))
    out = b"\x78\x9f\x3e\x22\1\0" + _attribute(1, 0x8008, b"IPM.Microsoft Mail.Note\0")
    out += _attribute(1, 0x9003, struct.pack("<L", len(properties)) + b"".join(properties))
    if attachment:
        name = struct.pack("<L", 1) + _property(0x1F, 0x3707, "compte rendu.docx\0".encode("utf-16-le"))
        out += (
            _attribute(2, 0x9002, bytes(14)) + _attribute(2, 0x8010, b"CR~1.DOC\0") + _attribute(2, 0x800F, attachment)
        )
        out += _attribute(2, 0x9005, name)
    return out


def der(tag: int, content: bytes) -> bytes:
    """One element in DER."""
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = len(content).to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + content


def cms(kind: bytes, content: bytes | None, *, pieces: int = 0) -> bytes:
    """A CMS message of a kind (the last bytes of its number); ``pieces``: lengths left open, content in pieces of so
    many bytes.
    """
    data_kind = der(6, bytes.fromhex("2a864886f70d010701"))
    inner = b""
    if content is not None and pieces:
        strings = b"".join(der(4, content[at : at + pieces]) for at in range(0, len(content), pieces))
        inner = b"\xa0\x80\x24\x80" + strings + bytes(4)
        return (
            b"\x30\x80" + der(6, bytes.fromhex("2a864886f70d01") + kind) + b"\xa0\x80\x30\x80" + der(2, b"\1") + der(0x31, b"")
            + b"\x30\x80" + data_kind + inner + bytes(2) + bytes(6)
        )  # fmt: skip
    if content is not None:
        inner = der(0xA0, der(4, content))
    message = der(0x30, der(2, b"\1") + der(0x31, b"") + der(0x30, data_kind + inner))
    return der(0x30, der(6, bytes.fromhex("2a864886f70d01") + kind) + der(0xA0, message))


def iwa(text: str) -> bytes:
    """An iWork part: one block, Snappy literals and one copy."""
    plain = b"\x0a\x05\x08\x12" + text.encode()
    out, size = b"", len(plain) + 8
    while size >= 0x80:
        out += bytes([size & 0x7F | 0x80])
        size >>= 7
    out += bytes([size])
    for at in range(0, len(plain), 60):
        piece = plain[at : at + 60]
        out += bytes([(len(piece) - 1) << 2]) + piece
    out += bytes([(8 - 1) << 2 | 2]) + (3).to_bytes(2, "little")  # eight bytes from three back
    return b"\0" + len(out).to_bytes(3, "little") + out
