"""What the 2D codes of a document say: the INS datamatrix, 2D-Doc, health certificates and cards, prescriptions.

The detector hands over a node whose ``codes`` the reader of pictures filled, and what it thinks of the node's text; it
gets the same answer back with the codes in it. A code that stands as text in a file says the same as one in a picture.
Each kind of code has a file of its own. Pure: no signature is checked, because a forged certificate tells as much of a
patient as a genuine one. Nothing here raises, whatever a code holds.
"""

from __future__ import annotations

from agent.detection.codes.judge import spoken, with_codes

__all__ = ["spoken", "with_codes"]
