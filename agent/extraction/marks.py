"""The bytes that files of a format begin with. Pure data, for ``sniff``; marks at other offsets stand there.

``Format.UNKNOWN`` here: a format without a word of its own, which the reader of unknown bytes knows and which must not
be taken for a text or a font.
"""

from __future__ import annotations

from agent.document import Format

_PREFIXES: tuple[tuple[bytes, Format], ...] = (
    (b"%PDF-", Format.PDF),
    (b"PK\x03\x04", Format.ZIP),
    (b"PK\x05\x06", Format.ZIP),
    (b"PK\x07\x08PK", Format.ZIP),
    (b"PK00PK\x03\x04", Format.ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format.OLE),
    (b"{\\rtf", Format.RTF),  # also where raw bytes of a picture follow
    (b"\x1f\x8b\x08", Format.GZIP),
    (b"7z\xbc\xaf\x27\x1c", Format.SEVENZIP),
    (b"Rar!\x1a\x07", Format.RAR),
    (b"\xfd7zXZ\x00", Format.XZ),
    (b"\x00\x01\x00\x00\x00\x02\x00\x01\x00\x05\x00\x02\x00\x02\xc0HBAM7", Format.UNKNOWN),  # FileMaker, not a font
    (b"-----BEGIN PGP MESSAGE-----", Format.UNKNOWN),
    (b"-----BEGIN PKCS7-----", Format.UNKNOWN),
    (b"-----BEGIN PKCS #7 SIGNED DATA-----", Format.UNKNOWN),
    (b"-----BEGIN CMS-----", Format.UNKNOWN),
    (b"$ANSIBLE_VAULT;", Format.UNKNOWN),
    (b"VimCrypt~", Format.UNKNOWN),
    (b"%!PS", Format.UNKNOWN),
    (b"\x04%!PS", Format.UNKNOWN),  # as drivers write it to a printer that may still wait
    (b"\n%!PS", Format.UNKNOWN),
    (b"\r\n%!PS", Format.UNKNOWN),
    (b"\x1b%-12345X", Format.UNKNOWN),
    (b"@PJL", Format.UNKNOWN),
    (b"\x89HDF\r\n\x1a\n", Format.UNKNOWN),
    (b"MATLAB 5.0 MAT-file", Format.UNKNOWN),
    (b"HEADER RECORD*******LIB", Format.UNKNOWN),
    (b"$FL2@(#)", Format.UNKNOWN),
    (b"$FL3@(#)", Format.UNKNOWN),
    (b"<stata_dta>", Format.UNKNOWN),
    (b"ANDROID BACKUP\n", Format.UNKNOWN),
    (b"!<arch>\n", Format.UNKNOWN),
    (b"070701", Format.UNKNOWN),
    (b"070702", Format.UNKNOWN),
    (b"070707", Format.UNKNOWN),
    (b"\x5d\0\0\x80\0", Format.XZ),  # .lzma with a dictionary of 8 MiB, and of the sizes beside
    (b"\x5d\0\0\0\x01", Format.XZ),
    (b"\x5d\0\0\0\x04", Format.XZ),
    (b"\x78\x9f\x3e\x22", Format.UNKNOWN),  # TNEF: its letters of two bytes would look like a wide text
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", Format.UNKNOWN),  # OneNote, for the same reason
    (b"\0\x01\0\0Standard ", Format.UNKNOWN),  # Access
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
    (b"* MICROMED  Brain-Quick", Format.SIGNAL),
    (b"NRRD000", Format.RESEARCH),
    (b"##fileformat=VCFv", Format.RESEARCH),
    (b"BAM\x01", Format.RESEARCH),
    (b"BCF\x02", Format.RESEARCH),
    (b"CRAM\x02", Format.RESEARCH),
    (b"CRAM\x03", Format.RESEARCH),
)
BY_FIRST = {
    first: tuple(entry for entry in _PREFIXES if entry[0][0] == first) for first in {entry[0][0] for entry in _PREFIXES}
}
