"""What routes and tasks work with, and the interfaces that other packages fill to take part in a visit."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Engine

from collector.access import Access
from collector.ingest.intake import Intake
from collector.ingest.verifiers import Verifiers
from collector.ingest.witness import Witness
from collector.ingest.writer import Writer
from collector.store.base import Laptop, Store
from collector.sync.admission import Admission
from collector.sync.bells import Bells
from collector.sync.schedule import VISITS_PER_S, Rhythm, next_visit

if TYPE_CHECKING:
    from collector.enrol.authority import Authority
    from collector.officers.directory import Directory
    from collector.tuf.following import Following
    from collector.tuf.repository import ServerRepository

BURST_S = 4


class AnswerPart(Protocol):
    """Adds to what a visit is answered: members of the JSON object, by fleet-protocol.md, section 3."""

    def __call__(self, laptop: Laptop, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """``report`` is what the laptop said in this visit ({}: nothing, or nothing that can be read); hostile."""


@dataclass(slots=True)
class Service:
    """One collector at work. ``busy`` counts requests in progress, ``last`` is when one ended (monotonic seconds).

    ``open``: whoever has the token may bring the log of a laptop that is not enrolled (the collector of one laptop).
    ``pages_url``: where officers open the pages, as they see it (https://…); passkeys are valid there.
    """

    store: Store
    writer: Writer
    access: Access
    witness: Witness
    verifiers: Verifiers
    authority: Authority | None = None
    open: bool = True
    pages_url: str = ""
    directory: Directory | None = None  # the hospital's, where officers may sign in; None: with accounts of ours alone
    busy: int = 0
    last: float = field(default_factory=time.monotonic)
    rhythm: Rhythm = Rhythm()
    admission: Admission = field(default_factory=lambda: Admission(VISITS_PER_S, VISITS_PER_S * BURST_S))
    parts: Sequence[AnswerPart] = ()
    following: Following | None = None
    policies: ServerRepository | None = None  # the signed repository; None: no fleet, or it is published elsewhere
    bells: Bells = field(default_factory=Bells)
    visiting: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        self.intake = Intake(self.store, self.writer, self.verifiers, self.witness, self.next_visit)

    @property
    def engine(self) -> Engine:
        return self.store.engine

    def next_visit(self, laptop: Laptop, now: int) -> int:
        """Seconds until this laptop is to come back."""
        rhythm = self.rhythm if laptop.device not in self.bells else replace(self.rhythm, alert_until=0)
        return next_visit(rhythm, now, laptop.visit_s, random.random())  # noqa: S311 - spreads load, hides nothing

    def boost(self, until: int) -> None:
        """Something urgent is on its way: laptops that can be called are called; others that come are told to come
        again soon, until then (seconds).
        """
        self.rhythm = replace(self.rhythm, alert_until=until)
        self.bells.ring()

    def count(self, what: str, by: int = 1) -> None:
        """For the figures at /metrics."""
        self.counts[what] = self.counts.get(what, 0) + by
