"""Files that were damaged on the way: cut, a sector lost, a bit flipped. Real bytes through readers and detector.

A container that was about a patient is afterwards still about a patient, or « could not look »; never « not medical »:
a broken stick is not a way out. One that was about nobody never becomes medical by it. Needs no root.
"""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path

import pytest

from agent.detection.detector import detect
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes, warm_up
from agent.findings import Judgement
from tests import invented
from tests.fuzz import seeds
from tests.fuzz.damage import DAMAGES
from tests.unit.extraction import made_documents as made

TIMES = 6  # each damage at as many places
WRITTEN = {"json", "xml", "hl7", "eml", "html"}  # no checksum: a flipped letter is a letter
UNSEEN = {"a bit", "thirty bits", "a sector lost", "a sector of ones"}  # in those
LARGEST = 300_000  # bytes, of the corpus


def _fragile() -> list[tuple[str, bytes]]:
    whole = [(extension, data) for extension, data, _text in seeds.containers()]
    return [
        *whole, ("dcm", invented.dicom()), ("json", invented.fhir()), ("xml", invented.CDA.encode()),
        ("hl7", invented.HL7.encode()), ("eml", invented.mail()),
    ]  # fmt: skip


def _judge(data: bytes, extension: str) -> Judgement:
    return detect(read_bytes(data, extension, Budget())).judgement


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("extension", "whole"), _fragile(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_broken_document_of_a_patient_is_never_clean(extension: str, whole: bytes, damage: str) -> None:
    assert _judge(whole, extension) is Judgement.MEDICAL
    if extension in WRITTEN and damage in UNSEEN:
        pytest.skip("a text that is still well formed cannot be told from another")
    for number in range(TIMES):
        broken = DAMAGES[damage](whole, random.Random(zlib.crc32(f"{extension} {damage} {number}".encode())))
        if broken is not None and broken != whole:
            assert _judge(broken, extension) is not Judgement.NOT_MEDICAL, number


@pytest.mark.parametrize(
    ("extension", "whole"),
    [
        ("docx", invented.docx(invented.MENU)),
        ("pdf", invented.pdf(invented.MENU)),
        ("zip", made.zipped({"a": invented.MENU})),
    ],
    ids=["docx", "pdf", "zip"],
)
def test_a_broken_menu_is_not_about_a_patient(extension: str, whole: bytes) -> None:
    assert _judge(whole, extension) is Judgement.NOT_MEDICAL
    for name, damage in DAMAGES.items():
        broken = damage(whole, random.Random(name))
        assert broken is None or _judge(broken, extension) is not Judgement.MEDICAL, name


@pytest.mark.corpus
@pytest.mark.parametrize("extension", ["docx", "odt", "xlsx", "ods", "pdf", "zip", "7z", "dcm", "doc", "xls"])
def test_broken_documents_of_the_corpus_are_never_clean(extension: str, corpus: Path) -> None:
    rows = map(json.loads, (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    paths = [corpus / row["path"] for row in rows if row["label"] == "medical" and row["bytes"] <= LARGEST]
    clean = []
    for path in [path for path in paths if path.suffix == f".{extension}"][:12]:
        whole = path.read_bytes()
        if _judge(whole, extension) is not Judgement.MEDICAL:
            continue
        for name, damage in DAMAGES.items():
            broken = damage(whole, random.Random(f"{path.name} {name}"))
            if broken is not None and _judge(broken, extension) is Judgement.NOT_MEDICAL:
                clean.append((path.name, name))
    assert not clean
