"""Drafts, filled in from the facts as far as they go: the notification of article 33 and the message of article 34.

The fields follow the form of the CNIL. What only people know is marked « [to be completed] »; a draft never states
more than the log shows. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent.dossier import composing
from agent.dossier.blocks import Block, Heading, Paragraph, Table
from agent.dossier.words import TO_COMPLETE, Words
from agent.errors import N_

NOTIFICATION = N_("Draft: notification of a personal data breach (article 33 GDPR)")
MESSAGE = N_("Draft: message to the persons concerned (article 34 GDPR)")
_NOTE = N_("A draft from the facts of the log. Read it, correct it, complete what is marked; nothing was sent.")
_HEAD = (N_("Field of the form"), N_("Proposed"))
_KIND = N_("Kind of notification")
_KIND_TEXT = N_("initial, to be completed later if need be (article 33.4)")
_CONTROLLER = N_("Controller: name, address, SIREN, who may be contacted")
_DPO = N_("Data-protection officer: name, telephone, e-mail")
_SINCE = N_("When it began and ended")
_SINCE_TEXT = N_("documents went between {first} and {last}; loss or theft: {todo}")
_AWARE = N_("When and how the controller became aware; reason for a delay beyond 72 hours")
_AWARE_TEXT = N_("{when}; how: {todo}")
_NATURE = N_("Nature of the breach")
_NATURE_LOST = N_("loss of confidentiality: a storage medium was lost or stolen ({stick}); confirm: {todo}")
_NATURE_OTHER = N_("loss of confidentiality: documents left the laptop ({channel}); confirm: {todo}")
_DATA = N_("Categories of data")
_DATA_TEXT = N_("health data (article 9) and identity of patients: {kinds}")
_UNREAD = N_("documents that could not be judged")
_NO_DATA = N_("the log tells of no document about a patient; {todo}")
_WHO = N_("Categories of persons")
_WHO_TEXT = N_("patients; minors or other vulnerable persons: {todo}")
_PERSONS = N_("Number of persons (approximate)")
_PERSONS_TEXT = N_("in clear or unknown: {clear}; in clear for a moment: {traces}; sealed: {sealed}")
_RECORDS = N_("Number of records (approximate)")
_RECORDS_TEXT = N_(
    "in clear or unknown: {clear}; in clear for a moment: {traces}; sealed: {sealed}; refused: {refused}"
)
_EFFECTS = N_("Likely consequences")
_EFFECTS_TEXT = N_("somebody who is not entitled to may read health data; discrimination, blackmail, fraud: {todo}")
_EFFECTS_SEALED = N_("what went is encrypted: without a key it cannot be read; {todo}")
_BEFORE = N_("Measures in place before")
_BEFORE_TEXT = N_("policy « {policy} » enforced on the laptop: documents sealed or refused; tamper-evident log")
_BEFORE_NONE = N_("tamper-evident log; {todo}")
_AFTER = N_("Measures taken or proposed")
_AFTER_TEXT = N_("dossier secured with proof; loss declared to the police: {todo}; keys renewed: {todo}")
_TOLD = N_("Message to the persons")
_TOLD_TEXT = {
    "unlikely": N_("not planned: the data are encrypted (article 34.3.a); confirm: {todo}"),
    "likely": N_("planned, see the draft; date: {todo}"),
    "open": N_("to be decided: {todo}"),
}
_BORDER = N_("Other countries or authorities concerned")

_DEAR = N_("Dear Sir or Madam,")
_WHAT_LOST = N_(
    "On {todo} a storage medium of our practice was lost. According to our records it held documents about you, "
    "namely: {todo}."
)
_WHAT_LEFT = N_(
    "On {todo} documents about you left our practice by a way that was not protected, namely: {todo}. "
    "According to our records this happened between {first} and {last}."
)
_MEANS = {
    "unlikely": N_("The documents are encrypted: nobody can read them without a key, and the keys are safe: {todo}."),
    "likely": N_("At least some of these documents are not encrypted: whoever has them can read them."),
    "open": N_("We cannot exclude that somebody reads these documents."),
}
_YOU = N_(
    "What you can do: be wary of messages and calls that refer to your health; tell us if you notice anything unusual."
)
_WE = N_("What we have done: {todo}.")
_ASK = N_(
    "For any question: {todo} (data-protection officer: {todo}). You may also complain to the CNIL (www.cnil.fr)."
)
_SORRY = N_("We are sorry that this happened.")
_SIGNED = N_("Signature: {todo}")
_NOT_NEEDED = N_(
    "According to the facts of the log this message may not be necessary (article 34.3.a): the documents are encrypted."
)


def notification(dossier: Mapping[str, Any], words: Words) -> list[Block]:
    """The draft of the notification to the authority."""
    todo = words.say(TO_COMPLETE)
    facts, groups, judged = dossier["facts"], dossier["facts"]["estimate"], dossier["judgement"]["answer"]
    went = [each for each in facts["documents"] if each["fate"] != "refused" and not each["test"]]
    first, last = _times(dossier, words)
    aware = dossier["aware"]
    persons = {name: composing.persons(groups[name], words) for name in ("clear", "traces", "sealed")}
    documents = {name: groups[name]["documents"] + groups[name]["unread"] for name in (*persons, "refused")}
    enforced = any(each["fate"] in {"sealed", "refused"} for each in facts["documents"]) and facts["policies"]
    policy = words.say(_BEFORE_TEXT, policy=facts["policies"][-1]["name"]) if enforced else ""
    effects = _EFFECTS_SEALED if judged == "unlikely" else _EFFECTS_TEXT
    rows = [
        (_KIND, words.say(_KIND_TEXT)),
        (_CONTROLLER, todo),
        (_DPO, todo),
        (_SINCE, words.say(_SINCE_TEXT, first=first, last=last, todo=todo)),
        (_AWARE, words.say(_AWARE_TEXT, when=words.when(aware["since"]) if aware else todo, todo=todo)),
        (_NATURE, _nature(dossier, words, todo)),
        (_DATA, words.say(_DATA_TEXT, kinds=_kinds(went, words)) if went else words.say(_NO_DATA, todo=todo)),
        (_WHO, words.say(_WHO_TEXT, todo=todo)),
        (_PERSONS, words.say(_PERSONS_TEXT, **persons)),
        (_RECORDS, words.say(_RECORDS_TEXT, **documents)),
        (_EFFECTS, words.say(effects, todo=todo)),
        (_BEFORE, policy or words.say(_BEFORE_NONE, todo=todo)),
        (_AFTER, words.say(_AFTER_TEXT, todo=todo)),
        (_TOLD, words.say(_TOLD_TEXT[judged], todo=todo)),
        (_BORDER, todo),
    ]
    head = (words.say(_HEAD[0]), words.say(_HEAD[1]))
    table = Table(head, tuple((words.say(label), text) for label, text in rows), (0.35, 0.65))
    return [Heading(1, words.say(NOTIFICATION)), Paragraph(words.say(_NOTE)), table]


def message(dossier: Mapping[str, Any], words: Words) -> list[Block]:
    """The draft of the message to the persons."""
    todo, judged = words.say(TO_COMPLETE), dossier["judgement"]["answer"]
    first, last = _times(dossier, words)
    lost = dossier["facts"]["scope"]["kind"] == "device"
    texts = [
        words.say(_DEAR),
        words.say(_WHAT_LOST if lost else _WHAT_LEFT, todo=todo, first=first, last=last),
        words.say(_MEANS[judged], todo=todo),
        words.say(_YOU),
        words.say(_WE, todo=todo),
        words.say(_ASK, todo=todo),
        words.say(_SORRY),
        words.say(_SIGNED, todo=todo),
    ]
    blocks: list[Block] = [Heading(1, words.say(MESSAGE)), Paragraph(words.say(_NOTE))]
    if judged == "unlikely":
        blocks.append(Paragraph(words.say(_NOT_NEEDED), strong=True))
    return [*blocks, *(Paragraph(text) for text in texts)]


def _times(dossier: Mapping[str, Any], words: Words) -> tuple[str, str]:
    """When the first and the last document went; of the whole time asked about when none did."""
    moments = [each["likely_time"] or each["time"] for each in dossier["facts"]["documents"]]
    known = sorted((each for each in moments if each), key=lambda each: str(each["utc"]))
    scope = dossier["facts"]["scope"]
    return (words.when(known[0] if known else scope["since"]), words.when(known[-1] if known else scope["until"]))


def _nature(dossier: Mapping[str, Any], words: Words, todo: str) -> str:
    facts = dossier["facts"]
    if facts["scope"]["kind"] == "device":
        named = ", ".join(composing.stick_name(each, words) for each in facts["sticks"])
        return words.say(_NATURE_LOST, stick=named or todo, todo=todo)
    channels = sorted({words.word("channel", each["channel"]) for each in facts["documents"]})
    return words.say(_NATURE_OTHER, channel=", ".join(channels) or todo, todo=todo)


def _kinds(documents: list[Mapping[str, Any]], words: Words) -> str:
    medical = [each for each in documents if each["judgement"] == "medical"]
    named = sorted({words.word("kind", each["kind"]) for each in medical})
    if len(medical) < len(documents):
        named.append(words.say(_UNREAD))
    return ", ".join(named)
