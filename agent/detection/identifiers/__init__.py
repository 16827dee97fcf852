"""Identifiers with a check or a label: one file each, run together over a text in one pass.

The detector calls ``find_identifiers`` on each part of a document and ``mask`` for samples. An identifier alone never
makes a document medical; it says that a particular person, professional or establishment is named.
"""

from __future__ import annotations

from agent.detection.identifiers.base import Hit, mask
from agent.detection.identifiers.scan import find_identifiers

__all__ = ["Hit", "find_identifiers", "mask"]
