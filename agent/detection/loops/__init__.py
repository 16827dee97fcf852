"""The innermost loops of recognition: compiled where a compiler was there, else the same in plain Python.

``COMPILED`` says which. Both give the same answers on every input (``tests/unit/detection/test_loops.py``); what the
names mean is said in ``plain``.
"""

from __future__ import annotations

__all__ = ["COMPILED", "FIGURES", "MARKED", "ROUGH", "Sound", "Terms", "Views", "lift", "survey"]

from agent.detection.loops.plain import FIGURES, MARKED, ROUGH

try:
    from agent.detection.loops._compiled import Sound, Terms, Views, lift, survey

    COMPILED = True
except ImportError:
    from agent.detection.loops.plain import Sound, Terms, Views, lift, survey  # type: ignore[assignment]  # the twin

    COMPILED = False
