"""``detect``: one document in, one answer out.

Owns the walk through the tree of a document and the order of questions at each node: is it a structured format, a list
of patients, a text about a patient; what could not be looked at; and, over the whole tree, the one answer. Takes the
``Document`` that extraction built, returns ``Findings``: counts, places, weights and masked samples. Pure: reads
nothing but its own lexicon, keeps nothing, never raises on any document.

A part that could not be read makes the whole undecidable unless the rest is already medical.
"""

from __future__ import annotations

from agent.detection.judged import Judged
from agent.detection.nodes import judge_node
from agent.detection.roster.lookup import Roster
from agent.detection.roster.search import Search
from agent.detection.verdicts import conclude
from agent.document import Document
from agent.findings import Findings

MAX_DEPTH = 40
MAX_NODES = 50_000


def detect(document: Document, roster: Roster | None = None) -> Findings:
    """The judgement about a whole file with everything that is in it. ``roster`` is the practice's patient list.

    Time is linear in the text. Depth and number of parts are bounded here too, whatever extraction allowed; what lies
    beyond makes the answer « undecidable » unless it is already medical.
    """
    judged: list[Judged] = []
    complete = _walk(document, judged, Search(roster) if roster is not None else None)
    return conclude(document, judged, complete=complete)


def _walk(document: Document, judged: list[Judged], search: Search | None) -> bool:
    """Judge every node, parents first; False when a bound was met. No recursion: depth is the sender's choice."""
    waiting: list[tuple[Document, Document | None, int]] = [(document, None, 0)]
    complete = True
    while waiting:
        node, parent, depth = waiting.pop()
        if len(judged) >= MAX_NODES:
            return False
        judged.append(judge_node(node, parent, search))
        if depth >= MAX_DEPTH and node.children:
            complete = False
            continue
        waiting.extend((child, node, depth + 1) for child in reversed(node.children))
    return complete


def warm_up() -> None:
    """Build the matcher and import what detection needs, before a sandbox forbids opening files."""
    from agent.document import Format, Part

    sample = "Mme DUPONT Jeanne, née le 12/03/1961, IPP 123456. Compte rendu : dyspnée, TA 12/7.\nNé(e) le : ____"
    detect(
        Document(Format.TEXT, parts=[Part(sample)], tables=[[("nom", "ddn"), ("A", "01/01/1950"), ("B", "02/02/1960")]])
    )
