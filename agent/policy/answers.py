"""What a policy says to the clinician and lets the clinician answer: reasons, ways out, break-glass, texts. Values.

``answers_reader`` makes them from the file; the agent enforces the limits, the session helper shows the rest. A policy
without ``answers`` has the defaults that stand here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.errors import N_

MAX_REASONS = 12
MAX_EMERGENCY_MINUTES = 60  # minutes, not hours
MAX_EMERGENCIES = 12  # of one person in 24 hours
MAX_RELEASE_DAYS = 30
MAX_BATCH_MINUTES = 60
NOT_A_PATIENT = "not-patient"  # the reason that is always among the answers; no policy may use this id
OTHER = "other"
_Texts = tuple[tuple[str, str], ...]  # by language, as ``schema.Localised``


MAIL_PROGRAMS = ("thunderbird", "claws-mail", "sylpheed", "kmail", "xdg-email")
"""What a policy may name: each is told of attachments in its own way, and no policy holds a command line."""


class Attach(StrEnum):
    """How a document goes to the secure mail."""

    PLAIN = "plain"  # the mail itself is what keeps the secret
    SEALED = "sealed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason that a clinician may choose; ``text`` by language."""

    id: str
    text: _Texts


@dataclass(frozen=True, slots=True)
class SecureMail:
    """Where « send by secure mail » leads: a page (https), a mail program, or without either the desktop's own."""

    page: str = ""
    program: str = ""
    attach: Attach = Attach.PLAIN
    offered: bool = False  # without a word in the policy there is no such button


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """How long an emergency lasts at most, and how many a person may call in 24 hours; 0: none at all."""

    minutes: int = 15
    a_day: int = 3


@dataclass(frozen=True, slots=True)
class Answers:
    reasons: tuple[Reason, ...] = ()
    release_days: int = MAX_RELEASE_DAYS  # so long a released document may go to the same place again
    batch_minutes: int = 10  # ... and what still comes of the same batch needs no answer of its own
    emergency: BreakGlass = BreakGlass()
    mail: SecureMail = SecureMail()
    lessons: tuple[tuple[str, _Texts], ...] = ()  # by rule id ("" for all rules): what is explained the first times
    texts: tuple[tuple[str, _Texts], ...] = ()  # by word of TEXTS: the hospital's own wording

    def lesson(self, rule: str) -> _Texts:
        """What to explain about a rule; the lesson for all rules when it has none of its own."""
        table = dict(self.lessons)
        return table.get(rule, table.get("", ()))


REASONS = (
    ("urgent-care", N_("The patient needs care now")),
    ("colleague", N_("A colleague treats this patient and needs it")),
    ("patient-asked", N_("The patient asked for it")),
    ("no-other-way", N_("I have no other way today")),
)
"""The reasons when the policy names none."""

TEXTS: Mapping[str, str] = {
    "sealed-title": N_("The copy was encrypted"),
    "sealed": N_("This document is about a patient. On this computer it opens as usual."),
    "refused-title": N_("Not copied: your document is safe"),
    "refused": N_("This document is about a patient. The copy was stopped and is kept on this computer."),
    "held-title": N_("Waiting for your answer"),
    "held": N_("This document is about a patient. Say why it must go, or choose the safe way."),
    "told-title": N_("A document to check"),
    "told": N_("This document may be about a patient. Please check it."),
    "name-title": N_("This name says too much"),
    "name": N_("The name of the file tells who the patient is. Give it another name and copy it again."),
    "away-title": N_("Not sent: your document is where it was"),
    "away": N_("This program may not read a document about a patient. The document has not moved."),
    "failed-title": N_("Serment could not do this"),
    "failed": N_("The document is kept. Serment tries again."),
    "lesson": N_("Whoever finds a lost stick can read what is on it. An encrypted copy stays closed to them."),
    "later": N_("You can also answer later: click the Serment shield, or type: serment held"),
    "tour-title": N_("Serment now protects your patients' documents"),
    "tour": N_("In five minutes you can see what it does, with invented documents."),
    "button-tour": N_("Show me"),
    "month-title": N_("Your month with Serment"),
    "months-title": N_("Serment since your last visit"),
    "waiting-title": N_("Documents wait for your answer"),
    "button-seal": N_("Encrypt and copy"),
    "button-mail": N_("Send by secure mail"),
    "button-reason": N_("Give a reason"),
    "button-answer": N_("Answer"),
    "button-show": N_("Show them"),
    "done-sealed": N_("Encrypted and copied"),
    "done-released": N_("Copied, with your reason"),
    "done-mail": N_("Ready in your mail"),
    "done-again": N_("Your answer is noted: please copy again"),
    "done-failed": N_("The copy could not be finished"),
    "plug-in": N_("It is still kept. Plug the stick in again and answer again."),
    "emergency-on": N_("Emergency: copying is open until {time}"),
    "emergency-note": N_("What you copy is written down. A colleague will go through it with you later."),
    "emergency-off": N_("The emergency is over: Serment protects again"),
    "protected": N_("Protected"),
    "weaker": N_("Protected less well"),
    "off": N_("Not protected"),
}
"""Every text of the session helper that a policy may word otherwise, by its word."""

FIELDS = {"emergency-on": ("time",)}
"""Fields that a text may hold; the others may hold none."""


def length_limit(word: str) -> int:
    """Characters that a text may have: what a notice and a button have room for."""
    if word.startswith("button-"):
        return 24
    return 60 if word.endswith("-title") or word.startswith(("done-", "emergency-o")) else 160
