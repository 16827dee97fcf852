"""What the tests of structured formats share: a document through the real reader and the real detector, in one word."""

import json

from agent.detection.detector import detect
from agent.document import Problem
from agent.extraction.limits import Budget
from agent.extraction.reader import read_bytes
from agent.findings import Findings


def judge(data: str | bytes, extension: str = "txt") -> Findings:
    """The findings about these bytes, as ``serment scan`` has them."""
    raw = data.encode() if isinstance(data, str) else data
    return detect(read_bytes(raw, extension, Budget()))


def told(data: str | bytes, extension: str = "txt") -> tuple[str, str, bool, int]:
    """(verdict, kind, identified, patients)."""
    found = judge(data, extension)
    return found.judgement.value, found.kind.value, found.identified, found.patients


def verdict(data: str | bytes, extension: str = "txt") -> str:
    """medical, not_medical, undecidable."""
    return judge(data, extension).judgement.value


def is_cut(data: str | bytes, extension: str = "txt") -> bool:
    """Undecidable, because the document breaks off."""
    return judge(data, extension).problem is Problem.CORRUPT and verdict(data, extension) == "undecidable"


def dumped(value: object) -> str:
    """JSON as software writes it."""
    return json.dumps(value, ensure_ascii=False)
