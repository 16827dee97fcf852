"""XML that no parser follows to its end, or may not because it declares entities: what a person would read of it.

Tags are blotted out; what stands in attributes and comments is kept apart, as it is where the markup is sound. Text
from entities of the document's own is not put together: « corrupt ».
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from agent.document import Area, Problem, Spot
from agent.extraction.formats.base import Job

DULL = frozenset({"http", "urn:", "xmln"})  # beginnings of values that are addresses
_TAGS = re.compile(r"<[^<>]*>")
_ENTITIES = re.compile(r"<!ENTITY\s{1,20}([\w.-]{1,60})")
_VALUE = re.compile(r"=\s{0,20}(?:\"([^\"<]{3,})\"|'([^'<]{3,})')")
_DOCTYPE_CHARS, _MAX_ENTITIES = 64 * 1024, 200


def read(job: Job, source: str) -> None:
    """Hand over the text of ``source``."""
    begin = source[:_DOCTYPE_CHARS]
    own = set(_ENTITIES.findall(begin)[:_MAX_ENTITIES])
    shown = _TAGS.sub(" ", source.replace("<![CDATA[", " ").replace("]]>", " "))
    job.budget.tick()
    beside = "\n".join([*_values(source), *comments(source)])
    job.text(html.unescape(shown))
    job.text(html.unescape(beside), Spot(Area.FIELD))
    for name in own:
        job.budget.tick()
        if f"&{name};" in shown or f"&{name};" in beside:
            job.fail(Problem.CORRUPT)
            break


def _values(source: str) -> Iterator[str]:
    for match in _VALUE.finditer(source):
        value = match[1] or match[2]
        if value[:4] not in DULL:
            yield value


def comments(source: str) -> Iterator[str]:
    """What stands in comments, also in one without an end."""
    at = source.find("<!--")
    while at >= 0:
        end = source.find("-->", at)
        end = len(source) if end < 0 else end
        yield source[at + 4 : end].strip()
        at = source.find("<!--", end)
