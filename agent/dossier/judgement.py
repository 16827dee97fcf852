"""Help for judging the risk (articles 33.1 and 34.3.a of the GDPR): the facts for and against, as codes. Pure.

It never decides: who answers for the practice does. « Unlikely » is proposed only when nothing the log knows speaks
against it, and always under conditions that no log knows (the keys, another computer), which are told with it.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.dossier.model import Facts, Fate

UNLIKELY, LIKELY, OPEN = "unlikely", "likely", "open"
_WEAKENING = frozenset(("trouble", "off", "off-unclean", "overflow", "coalesced", "purge", "log"))


@dataclass(frozen=True, slots=True)
class Judgement:
    """``answer`` is what the facts suggest; the others are codes, which ``composing`` has words for."""

    answer: str
    favourable: tuple[str, ...]
    adverse: tuple[str, ...]
    conditions: tuple[str, ...]  # what only people can know


def judge(facts: Facts, *, intact: bool, whole_view: bool) -> Judgement:
    """What the facts suggest. ``intact``: the log was verified; ``whole_view``: nobody's records were left out."""
    real = [document for document in facts.documents if not document.test]
    fates = {document.fate for document in real}
    medical = [document for document in real if document.judgement == "medical"]
    clear = {document.judgement for document in real if document.fate is Fate.CLEAR}
    good = [
        ("sealed", Fate.SEALED in fates),
        ("refused", Fate.REFUSED in fates),
        ("none-in-clear", bool(medical) and not fates & {Fate.CLEAR, Fate.UNKNOWN, *_TRACES}),
        ("nothing-medical", not real and facts.not_medical > 0),
        ("recipients-known", Fate.SEALED in fates and all(d.sealed_to for d in real if d.fate is Fate.SEALED)),
        ("intact", intact),
    ]
    bad = [
        ("clear", "medical" in clear),
        ("clear-unread", "undecidable" in clear),
        ("unknown", Fate.UNKNOWN in fates),
        ("traces", bool(fates & _TRACES)),
        ("sealed-before", facts.sealed_before),
        ("existing", any(document.arrival == "existing" for document in real)),
        ("recipients-unknown", any(d.fate is Fate.SEALED and not d.sealed_to for d in real)),
        ("not-held", any(not stick.strengths <= {"hold", ""} for stick in facts.sticks)),
        ("gaps", any(span.what in _WEAKENING for span in facts.gaps)),
        ("not-intact", not intact),
        ("part-view", not whole_view),
        ("no-record", not facts.documents and not facts.not_medical and not facts.sealed_files),
    ]
    favourable = tuple(code for code, holds in good if holds)
    adverse = tuple(code for code, holds in bad if holds)
    nothing = not {"none-in-clear", "nothing-medical"}.isdisjoint(favourable)
    answer = LIKELY if "clear" in adverse else UNLIKELY if nothing and not adverse else OPEN
    return Judgement(answer, favourable, adverse, _CONDITIONS.get(facts.scope.kind, ("keys",)))


_TRACES = frozenset((Fate.SEALED_AFTER, Fate.REMOVED_AFTER))
_CONDITIONS = {"device": ("elsewhere", "keys", "phrase")}
