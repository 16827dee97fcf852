"""From a source and a question to the files of a dossier: read, prove, assemble, write down. Bytes out; writes nothing.

The steps in their order; each has its own module. Signing is the caller's: it takes the agent.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.dossier import checking, composing, drafts, proof
from agent.dossier.assembly import Known, Local, LogState, Made, assemble, moment
from agent.dossier.blocks import Block, NewPage, plain
from agent.dossier.gather import Gathered, Gatherer
from agent.dossier.model import Scope
from agent.dossier.pdf import pdf
from agent.dossier.source import Source
from agent.dossier.words import Words
from agent.errors import N_, UsageError

_SEALED_WITHIN_S = 5.0  # the agent seals a record a second after it at the latest
_FOOTER = N_("Serment, dossier of an incident; SHA-256 of dossier.json: {digest}")
FILES = {"json": checking.JSON, "pdf": checking.PDF, "signature": checking.SIGNATURE}


@dataclass(frozen=True, slots=True)
class Written:
    """The dossier as values, and its files by name."""

    dossier: dict[str, Any]
    files: dict[str, bytes]

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the files that are signed."""
        return {name: hashlib.sha256(self.files[FILES[name]]).hexdigest() for name in ("json", "pdf")}


def gather(source: Source, scope: Scope) -> Gathered:
    """What the log says about ``scope``. Raises AuditError and HostError."""
    gatherer = Gatherer(scope)
    for taken in source.records():
        gatherer.take(taken)
    return gatherer.gathered()


def make(
    source: Source, scope: Scope, made: Made, local: Local, *, named: Callable[[bytes], str] | None
) -> dict[str, Any]:
    """The dossier as plain values; with the names of documents when ``named`` says how they are shown.

    Raises AuditError, HostError and UsageError (too many records for the socket).
    """
    gathered = gather(source, scope)
    facts = gathered.facts
    state = source.state()
    proved = _proved(source, gathered, state)
    if proved is not None and not state.name:
        state = replace(state, name=proof.check(proved).log)
    cosigned = dict(state.cosigned)
    if "time_us" in cosigned:
        cosigned["time"] = moment(cosigned.pop("time_us"), local)
    releases = sorted({policy.release for policy in facts.policies if policy.during})
    names = (
        source.names({each.number: gathered.private.get(each.number, b"") for each in facts.documents}) if named else {}
    )
    known = Known(
        {release: source.sentences(release) for release in releases}, source.recipients(),
        {number: named(name) for number, name in names.items()} if named else {},
    )  # fmt: skip
    return assemble(facts, replace(state, cosigned=cosigned), made, known, local, proved)


def _proved(source: Source, gathered: Gathered, state: LogState) -> dict[str, Any] | None:
    """The proof; None when there is nothing to prove, or a log that does not verify."""
    if state.intact is False or not gathered.evidence:
        return None
    numbers = sorted(each.number for each in gathered.evidence)
    deadline = time.monotonic() + _SEALED_WITHIN_S
    while True:
        try:
            return proof.stated(source.lead(numbers), gathered.evidence)
        except UsageError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1.0)  # the last record is not sealed yet


def write(dossier: dict[str, Any], words: Words, others: Mapping[str, Words]) -> Written:
    """The files: JSON, PDF in the language of ``words``, and the drafts as text in each of ``others``."""
    content = json.dumps(dossier, ensure_ascii=True, indent=1).encode("ascii") + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    blocks: list[Block] = [
        *composing.compose(dossier, words, digest, files=FILES),
        NewPage(),
        *drafts.notification(dossier, words),
        NewPage(),
        *drafts.message(dossier, words),
    ]
    files = {FILES["json"]: content}
    files[FILES["pdf"]] = pdf(
        blocks, title=composing.title(dossier, words), language=words.language, footer=words.say(_FOOTER, digest=digest)
    )
    for language, each in others.items():
        files[f"notification-article-33.{language}.txt"] = plain(drafts.notification(dossier, each)).encode()
        files[f"message-article-34.{language}.txt"] = plain(drafts.message(dossier, each)).encode()
    return Written(dossier, files)
