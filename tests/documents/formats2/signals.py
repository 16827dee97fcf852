"""Binary formats of devices: DICOM in its transfer syntaxes, electrocardiograms, electroencephalograms, research images."""

from __future__ import annotations

import gzip
import io
import struct
import zlib

from containers import pdf
from people import DE2, EN, FR, US, Person, add, near

EXPLICIT, IMPLICIT, BIG, DEFLATED = (f"1.2.840.10008.1.2{tail}" for tail in (".1", "", ".2", ".1.99"))
LONG = frozenset(("OB", "OW", "SQ", "UT", "UN"))


def element(group: int, number: int, vr: str, value: bytes, order: str = "<", implicit: bool = False) -> bytes:
    if len(value) % 2:
        value += b"\0" if vr in {"UI", "OB"} else b" "
    tag = struct.pack(order + "HH", group, number)
    if implicit:
        return tag + struct.pack(order + "I", len(value)) + value
    if vr in LONG:
        return tag + vr.encode() + b"\0\0" + struct.pack(order + "I", len(value)) + value
    return tag + vr.encode() + struct.pack(order + "H", len(value)) + value


def dicom(values: list[tuple[int, int, str, bytes]], syntax: str = EXPLICIT, preamble: bytes | None = bytes(128)) -> bytes:
    """A Part 10 file; without ``preamble`` only the data set, as old archives write it."""
    order, implicit = (">" if syntax == BIG else "<"), syntax == IMPLICIT
    body = b"".join(element(g, e, vr, value, order, implicit) for g, e, vr, value in sorted(values))
    if preamble is None:
        return body
    if syntax == DEFLATED:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = packer.compress(body) + packer.flush()
    of = next((value for g, e, _, value in values if (g, e) == (8, 0x16)), b"1.2.840.10008.5.1.4.1.1.7")
    meta = element(2, 1, "OB", b"\0\1") + element(2, 2, "UI", of) + element(2, 3, "UI", b"1.2.3.4.5")
    meta += element(2, 0x10, "UI", syntax.encode())
    return preamble + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(meta))) + meta + body


def study(p: Person, sop: str, modality: str, charset: str = "latin-1", **more: str) -> list[tuple[int, int, str, bytes]]:
    values = [
        (0x8, 0x5, "CS", b"ISO_IR 100"),
        (0x8, 0x16, "UI", f"1.2.840.10008.5.1.4.1.1.{sop}".encode()),
        (0x8, 0x18, "UI", b"1.2.3.4.5"),
        (0x8, 0x20, "DA", b"20240211"),
        (0x8, 0x60, "CS", modality.encode()),
        (0x10, 0x10, "PN", f"{p.family}^{p.given}".encode(charset, "replace")),
        (0x10, 0x20, "LO", b"PAC-88121"),
        (0x10, 0x30, "DA", p.born.encode()),
        (0x10, 0x40, "CS", p.sex.encode()),
    ]
    if "description" in more:
        values.append((0x8, 0x1030, "LO", more["description"].encode("latin-1")))
    return values


PIXELS = [(0x28, 0x2, "US", b"\1\0"), (0x28, 0x10, "US", b"\x10\0"), (0x28, 0x11, "US", b"\x10\0"), (0x28, 0x100, "US", b"\x08\0"), (0x7FE0, 0x10, "OW", bytes(range(256)))]


def pictures() -> None:
    add("dicom/d01.dcm", dicom([*study(FR[0], "2", "CT", description="TDM thoracique"), *PIXELS]), "dicom", 1)
    add("dicom/d02", dicom([*study(FR[1], "4", "MR"), *PIXELS], IMPLICIT, None), "dicom", 1, note="implicit, no preamble, no extension")
    add("dicom/d03.dcm", dicom(study(US, "6.1", "US"), BIG), "dicom", 1, "en", note="big endian")
    content = [(0x40, 0xA040, "CS", b"TEXT"), (0x40, 0xA160, "UT", "Masse spiculée du quadrant supéro-externe, ACR 5".encode("latin-1"))]
    add("dicom/d04.dcm", dicom([*study(FR[11], "88.11", "SR"), *content], DEFLATED), "dicom", 1, note="structured report, deflated")
    paper = pdf([f"Compte rendu IRM - {FR[8].given} {FR[8].family}", "Hernie discale L5-S1 gauche."])
    add("dicom/d05.dcm", dicom([*study(FR[8], "104.1", "DOC"), (0x42, 0x11, "OB", paper), (0x42, 0x12, "LO", b"application/pdf")]), "dicom", 1)
    records = b""
    for p in FR[3:6]:
        item = element(4, 0x1400, "UL", bytes(4)) + element(4, 0x1430, "CS", b"PATIENT")
        item += element(0x10, 0x10, "PN", f"{p.family}^{p.given}".encode("latin-1")) + element(0x10, 0x20, "LO", p.born.encode())
        records += b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item
    add("dicom/DICOMDIR", dicom([(4, 0x1130, "CS", b"CD_PACS"), (4, 0x1220, "SQ", records), (8, 0x16, "UI", b"1.2.840.10008.1.3.10")]), "dicom", 3)
    hidden = [v for v in study(FR[2], "1.1", "DX") if v[0] != 0x10]
    hidden += [(0x10, 0x10, "PN", b"ANONYMOUS"), (0x10, 0x20, "LO", b"9f8a7c"), (0x12, 0x62, "CS", b"YES"), (0x12, 0x63, "LO", b"CTP"), (0x28, 0x301, "CS", b"NO")]
    add("dicom/d07.dcm", dicom([*hidden, *PIXELS]), "dicom", 0, medical=True, note="de-identified")
    add("dicom/d08.tif", dicom(study(DE2, "9.1.1", "ECG"), EXPLICIT, b"II*\0".ljust(128, b"\0")), "dicom", 1, "de", note="the preamble of a TIFF")
    add(
        "dicom/d09.json",
        '[{"00080060":{"vr":"CS","Value":["CT"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"%s^%s"}]},"00100020":{"vr":"LO","Value":["77123"]},"00100030":{"vr":"DA","Value":["%s"]},"0020000D":{"vr":"UI","Value":["1.2.3"]}}]' % (FR[6].family, FR[6].given, FR[6].born),
        "dicom",
        1,
        note="DICOM in JSON, a query's answer",
    )
    add(
        "dicom/d10.xml",
        '<?xml version="1.0"?><NativeDicomModel xml:space="preserve"><DicomAttribute tag="00080060" vr="CS" keyword="Modality"><Value number="1">MR</Value></DicomAttribute><DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>%s</FamilyName><GivenName>%s</GivenName></Alphabetic></PersonName></DicomAttribute><DicomAttribute tag="00100030" vr="DA" keyword="PatientBirthDate"><Value number="1">%s</Value></DicomAttribute></NativeDicomModel>'
        % (EN.family, EN.given, EN.born),
        "dicom",
        1,
        "en",
    )
    near(
        "dicom/n01.txt",
        "DICOM Conformance Statement\n\nThe AE supports C-STORE for CT Image Storage (1.2.840.10008.5.1.4.1.1.2).\nType 1 attributes: (0010,0010) PatientName, (0010,0020) PatientID, (0010,0030) PatientBirthDate.\nTransfer syntaxes: Implicit VR Little Endian, Explicit VR Little Endian.\n",
        "specification",
        "en",
    )


def traces() -> None:
    def edf(who: str, recording: str, first: bytes = b"0       ") -> bytes:
        head = first + who.encode("latin-1").ljust(80) + recording.encode().ljust(80) + b"11.02.2409.30.00" + b"512     " + b"EDF+C".ljust(44)
        head += b"1       1       1   " + b"EEG Fp1".ljust(16) + b"AgAgCl".ljust(80) + b"uV".ljust(8) + b"-500    500     -2048   2047    " + b"HP:0.1Hz".ljust(80) + b"8       ".ljust(8) + b" " * 32
        return head + bytes(16)

    p = FR[7]
    add("signals/s01.edf", edf(f"EEG-771 F 21-APR-1993 {p.given}_{p.family}", "Startdate 11-FEB-2024 EEG-771 TECH LAB"), "eeg", 1)
    add("signals/s02.bdf", edf("X F X Quervellec_Maiwenn", "Startdate X", b"\xffBIOSEMI"), "eeg", 1)
    add("signals/s03.edf", edf("X X X X", "Startdate X X X X"), "eeg", 0, medical=True, note="nobody named")

    def tag(number: int, data: bytes) -> bytes:
        return struct.pack("<BH", number, len(data)) + data

    q = FR[10]
    one = b"".join(tag(n, value.encode("latin-1") + b"\0") for n, value in [(0, q.family), (1, q.given), (2, "ECG-3311")])
    one += tag(5, struct.pack("<HBB", int(q.born[:4]), int(q.born[4:6]), int(q.born[6:]))) + tag(8, b"\1") + tag(255, b"")
    section1 = struct.pack("<HHIBB", 0, 1, 16 + len(one), 13, 13) + bytes(6) + one
    zero_length = 16 + 12 * 10
    pointers = struct.pack("<HII", 0, zero_length, 7) + struct.pack("<HII", 1, len(section1), 7 + zero_length)
    pointers += b"".join(struct.pack("<HII", n, 0, 0) for n in range(2, 12))
    zero = struct.pack("<HHIBB", 0, 0, zero_length, 13, 13) + b"SCPECG" + pointers
    body = zero + section1
    add("signals/s04.scp", struct.pack("<HI", 0, 6 + len(body)) + body, "ecg", 1)
    add(
        "signals/s05.xml",
        f'<?xml version="1.0"?><AnnotatedECG xmlns="urn:hl7-org:v3"><id root="1.2.3"/><code code="93000" codeSystem="2.16.840.1.113883.6.12"/><componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><id root="9.9" extension="SUBJ-12"/><subjectDemographicPerson><name>{EN.given} {EN.family}</name><administrativeGenderCode code="F"/><birthTime value="{EN.born}"/></subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf></AnnotatedECG>',
        "ecg",
        1,
        "en",
    )
    add(
        "signals/s06.xml",
        f'<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE RestingECG SYSTEM "restecg.dtd"><RestingECG><MuseInfo><MuseVersion>9.0</MuseVersion></MuseInfo><PatientDemographics><PatientID>770012</PatientID><PatientAge>61</PatientAge><Gender>MALE</Gender><PatientLastName>{q.family}</PatientLastName><PatientFirstName>{q.given}</PatientFirstName></PatientDemographics><Diagnosis><DiagnosisStatement><StmtText>Fibrillation auriculaire</StmtText></DiagnosisStatement></Diagnosis></RestingECG>',
        "ecg",
        1,
    )
    add("signals/s07.ecg", b"ISHNE1.0" + bytes(2) + struct.pack("<II", 0, 4) + struct.pack("<iih", 522, 522, 1) + US.given.encode().ljust(40, b"\0") + US.family.encode().ljust(40, b"\0") + b"H-771".ljust(20, b"\0") + struct.pack("<HHHHH", 1, 1, 16, 5, 1988) + bytes(400), "ecg", 1, "en")


def research() -> None:
    def nifti(description: bytes, name: bytes = b"") -> bytes:
        head = bytearray(352)
        struct.pack_into("<i", head, 0, 348)
        head[14 : 14 + len(name)] = name
        head[148 : 148 + len(description)] = description
        struct.pack_into("<8h", head, 40, 3, 2, 2, 2, 1, 1, 1, 1)
        struct.pack_into("<hh", head, 70, 2, 8)
        struct.pack_into("<f", head, 108, 352.0)
        head[344:348] = b"n+1\0"
        return bytes(head) + bytes(8)

    sink = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, sink, 0) as file:
        file.write(nifti(b"T1 MPRAGE", b"THOUVENOT_M"))
    add("research/r01.nii.gz", sink.getvalue(), "research", 0, medical=True, note="a name in db_name")
    add(
        "research/r02.vcf",
        "##fileformat=VCFv4.2\n##reference=GRCh38\n##contig=<ID=chr17>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMEYNADIER_O\nchr17\t43094464\trs80357906\tC\tT\t99\tPASS\tGENE=BRCA1\tGT:DP\t0/1:41\nchr13\t32340301\t.\tA\tAT\t88\tPASS\tGENE=BRCA2\tGT:DP\t0/1:37\n",
        "research",
        0,
        "und",
        medical=True,
    )
    near("research/n01.vcf", "##fileformat=VCFv4.1\n##source=dbSNP\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n1\t10177\trs367896724\tA\tAC\t.\t.\tRSPOS=10177\n1\t10352\trs555500075\tT\tTA\t.\t.\tRSPOS=10352\n", "catalogue of variants", "und")
    near("research/n02.fastq", "".join(f"@SRR001.{n} Saccharomyces cerevisiae\nACGTTGCAACGTAGCT\n+\nIIIIHHHHGGGGFFFF\n" for n in range(20)), "yeast", "und")
    near("research/n03.fasta", ">NC_000913.3 Escherichia coli str. K-12\nAGCTTTTCATTCTGACTGCAACGGGCAATATGTCTCTGTGTGGATTAAAAAAAGAGTGTC\n", "bacterium", "und")


def write() -> None:
    pictures()
    traces()
    research()
