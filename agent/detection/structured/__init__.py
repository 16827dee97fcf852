"""Structured clinical formats: a document whose format says by itself whether it is about a patient.

The detector calls ``recognise`` on every node of a document's tree. Cheap prefix tests choose the one module that reads
further; each format has a file of its own. Pure: bytes and text in, ``Recognised`` out; hostile input never raises.
"""

from __future__ import annotations

from agent.detection.structured.base import Recognised
from agent.document import Document, Format

__all__ = ["Recognised", "recognise"]

_TEXTUAL = frozenset(
    {Format.TEXT, Format.HL7V2, Format.CSV, Format.XML, Format.HTML, Format.JSON, Format.NDJSON, Format.UNKNOWN}
)
_CONTAINERS = frozenset({Format.ZIP, Format.TAR, Format.SEVENZIP, Format.RAR})
_ROWS = frozenset({Format.TEXT, Format.CSV, Format.JSON})  # an INI file's first bracket looks like JSON
_HEAD = 65_536  # bytes: what a device writes about the person stands at the beginning
_MAIL = frozenset({Format.EML, Format.MBOX, Format.MSG})


def recognise(document: Document) -> Recognised | None:
    """What a structured clinical format says of this node (children are judged on their own); None: no such format."""
    if document.format is Format.DICOM:
        from agent.detection.structured.dicom import recognise_dicom

        return recognise_dicom(document.fields, document.tables[0] if document.tables else ())
    if document.format is Format.SIGNAL:
        from agent.detection.structured.ecg import recognise_signal

        return recognise_signal(document.raw)
    if document.format is Format.RESEARCH:
        from agent.detection.structured.research import recognise_research

        return recognise_research(document.raw)
    if document.format in _CONTAINERS:
        from agent.detection.structured.xdm import recognise_xdm

        return recognise_xdm(document)
    if document.format in _TEXTUAL or document.format in _MAIL:
        from agent.detection.structured.textual import recognise_textual

        return recognise_textual(document) or _readings(document)
    return None


def _readings(document: Document) -> Recognised | None:
    if document.format not in _ROWS or not document.raw:
        return None
    from agent.detection.structured.readings import may_be_readings, recognise_readings
    from agent.detection.structured.textual import decode

    raw = document.raw[:_HEAD]
    return recognise_readings(raw, decode(raw)) if may_be_readings(raw) else None
