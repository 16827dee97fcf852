"""Every file of the development corpus is read: no exception behind a « corrupt », and the formats are what they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.document import Format, Problem
from agent.extraction.limits import Budget, Limits
from agent.extraction.reader import read_bytes
from tests.conftest import CORPUS
from tests.unit.extraction.test_read_formats import nodes

pytestmark = pytest.mark.corpus

EXPECTED = {
    ".pdf": Format.PDF,
    ".docx": Format.DOCX,
    ".odt": Format.ODT,
    ".ods": Format.ODS,
    ".pptx": Format.PPTX,
    ".xlsx": Format.XLSX,
    ".hl7": Format.HL7V2,
    ".dcm": Format.DICOM,
    ".rtf": Format.RTF,
    ".msg": Format.MSG,
    ".json": Format.JSON,
    ".7z": Format.SEVENZIP,
}


def test_every_file_of_the_corpus_is_read():
    wrong, corrupt = [], []
    for line in (CORPUS / "manifest.jsonl").read_text().splitlines():
        path = CORPUS / json.loads(line)["path"]
        document = read_bytes(path.read_bytes(), path.suffix[1:], Budget(Limits(soft_seconds=60)))
        expected = EXPECTED.get(path.suffix.lower())
        if expected and document.format is not expected:
            wrong.append((Path(path).name, document.format))
        corrupt += [path.name for node in nodes(document) if node.problem is Problem.CORRUPT]
    assert not wrong
    assert len(corrupt) <= 8, (
        corrupt
    )  # five are: a torture file for RTF, and mails whose attachments were cut for the test
