"""An event of the audit log → sentences a clinician reads: what happened, why, what now. Pure but for local time.

Everything said here comes from the record and from the rule that is still in force; nothing is guessed. Codes of a
newer version are shown as they are, made printable. State is always a word, never a colour alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from agent.errors import N_
from agent.i18n import Count
from agent.ui import records, wording
from agent.ui.printable import printable
from agent.ui.review.words import SHORT, WHY
from agent.ui.wording import Translate, word


def day_title(day: str) -> str:
    """« 22/11/2026 », as a French reader writes it; the ISO date when it is none."""
    try:
        return f"{dt.date.fromisoformat(day):%d/%m/%Y}"
    except ValueError:
        return printable(day, 10)


def moment(fields: Mapping[str, Any], form: str = "%H:%M") -> str:
    """Local time of a record."""
    try:
        return f"{dt.datetime.fromtimestamp(fields['t'] / 1e6).astimezone():{form}}"
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return "?"


def state(event: Mapping[str, Any]) -> str:
    """open, reviewed, contested or nothing."""
    if event.get("contest"):
        return "contested"
    if event.get("reviews"):
        return "reviewed"
    return "open" if event.get("needs_review") else ""


def subject(event: Mapping[str, Any], translate: Translate) -> str:
    """The document's name for whoever may know it, else what it is; the line of the log for everything else."""
    fields = event["fields"]
    if fields.get("k") != "transfer":
        return general(fields, translate)
    if event.get("name"):
        return printable(event["name"], 120)
    if fields.get("judgement") == "medical":
        return printable(word(wording.KINDS, fields.get("kind"), translate), 80)
    return printable(word(wording.JUDGEMENTS, fields.get("judgement"), translate), 80)


def general(fields: Mapping[str, Any], translate: Translate) -> str:
    """What a record says that is about no document."""
    return records.line(fields.get("i", 0), fields, translate).split(maxsplit=3)[-1]


def done(fields: Mapping[str, Any], translate: Translate) -> str:
    """What was done with the document, in a word or two."""
    return printable(word(SHORT, fields.get("decision"), translate), 40) if fields.get("k") == "transfer" else ""


def where(fields: Mapping[str, Any], translate: Translate) -> str:
    """The channel, and the device or service."""
    if not fields.get("channel"):
        return ""
    channel = printable(word(wording.CHANNELS, fields["channel"], translate), 40)
    label = device(fields)
    return f"{channel} ({label})" if label else channel


def device(fields: Mapping[str, Any]) -> str:
    """« Kingston DataTraveler #a1b2 »: what is written on it, and four digits that tell two like it apart."""
    found = fields.get("device")
    if not isinstance(found, Mapping):
        return printable(str(fields.get("service") or ""), 40)
    names = " ".join(str(found[key]) for key in ("vendor", "product") if found.get(key))
    digest = str(found.get("serial") or fields.get("volume") or "")[:4]
    return printable(f"{names} #{digest}".strip() if digest else names, 60)


def why(event: Mapping[str, Any], translate: Translate, language: str) -> list[str]:
    """The sentences of « why was this refused? »: what was recognised, by what, by which rule, what became of it."""
    fields = event["fields"]
    said = [_recognised(fields, translate)]
    said += _evidence(fields, translate)
    said += _rule(event, translate, language)
    said += _outcome(event, translate)
    said += _said_later(event, translate)
    return said


def _recognised(fields: Mapping[str, Any], t: Translate) -> str:
    confidence = fields.get("confidence", 0)
    certain = wording.certainty(confidence / 1000 if type(confidence) is int else 0, t)
    if fields.get("judgement") == "undecidable":
        problem = printable(word(wording.PROBLEMS, fields.get("problem"), t), 80)
        return t(N_("It could not be judged: {problem}. What cannot be looked at is treated with care.")).format(
            problem=problem
        )
    if fields.get("judgement") != "medical":
        return t(N_("Nothing about a particular patient was found in it ({certain}).")).format(certain=certain)
    patients = fields.get("patients", 0)
    kind = printable(word(wording.KINDS, fields.get("kind"), t), 100)
    if type(patients) is int and patients > 1:
        text = N_("It was recognised as {kind}, about {patients} persons ({certain}).")
    elif fields.get("identified"):
        text = N_("It was recognised as {kind}, about a person who can be recognised ({certain}).")
    else:
        text = N_("It was recognised as {kind}, about a patient who is not named ({certain}).")
    said = t(text).format(kind=kind, patients=patients, certain=certain)
    if fields.get("test"):
        said += " " + t(N_("It is marked as test data."))
    return said


def _evidence(fields: Mapping[str, Any], t: Translate) -> list[str]:
    found = fields.get("evidence")
    if not isinstance(found, Mapping) or not found:
        return []
    parts = [_counted(word(wording.FINDINGS, code, t), count) for code, count in found.items()]
    listed = t(N_("What spoke for it: {what}.")).format(what=", ".join(parts))
    said = [printable(listed, 600), t(N_("None of its text is kept: only these kinds and how often each was found."))]
    if fields.get("listed"):
        said.insert(1, t(N_("A person in it is in the practice's patient list.")))
    return said


def _counted(name: str, count: object) -> str:
    return f"{name} × {count}" if type(count) is int and count > 1 else name


def _rule(event: Mapping[str, Any], t: Translate, language: str) -> list[str]:
    fields, text = event["fields"], event.get("policy_text") or {}
    rule = fields.get("rule")
    if not rule:
        return [t(N_("No rule of the policy spoke about it."))]
    named = {"rule": printable(str(rule), 80), "policy": printable(str(fields.get("policy")), 80)}
    said = text.get("says", {}).get(language)
    if not said:
        named["release"] = printable(str(fields.get("release")), 20)
        words = N_("Rule {rule} of the policy {policy}, release {release}, decided; another policy is in force today.")
        return [t(words).format(**named)]
    lines = [t(N_("Rule {rule} of the policy {policy} decided: « {says} »")).format(**named, says=printable(said, 800))]
    if fields.get("exception"):
        lines.append(t(N_("An exception to this rule was in force.")))
    if fields.get("wanted") not in (None, fields.get("decision")):
        wanted = printable(word(wording.DECISIONS, fields.get("wanted"), t), 80)
        lines.append(
            t(N_("The rule is on trial: in enforcement the document would be {wanted}.")).format(wanted=wanted)
        )
    return lines


def _outcome(event: Mapping[str, Any], t: Translate) -> list[str]:
    fields, outcome = event["fields"], event.get("outcome")
    if not fields.get("act"):
        return [t(N_("The document went its way; this was recorded."))]
    if outcome is None:
        return [t(N_("How it ended is not recorded: the laptop stopped in between, and it was taken up again."))]
    result = word(wording.RESULTS, outcome.get("result"), t)
    if outcome.get("problem"):
        result += f" ({word(wording.OBSTACLES, outcome['problem'], t)})"
    action = printable(word(wording.DECISIONS, outcome.get("action"), t), 80)
    said = [t(N_("What was done: {action}; {result}.")).format(action=action, result=printable(result, 200))]
    if fields.get("hold") and fields.get("decision") in {"block", "justify"}:
        said.append(t(N_("Nothing of it has reached the place it was on the way to.")))
    if outcome.get("held") and not event.get("given"):
        held = printable(str(outcome["held"]), 16)
        said.append(t(N_("You can take it back: serment quarantine restore {held}")).format(held=held))
    if event.get("given"):
        said.append(general(event["given"], t))
    return said


def _said_later(event: Mapping[str, Any], t: Translate) -> list[str]:
    said = []
    for review in event.get("reviews") or ():
        by = t(N_("by you")) if review.get("mine") else word(wording.BY, review.get("by"), t)
        at = moment(review, "%d/%m/%Y %H:%M")
        said.append(t(N_("Reviewed {by}, {at}.")).format(by=printable(by, 40), at=at))
    contest = event.get("contest")
    if contest:
        reason, at = word(WHY, contest.get("why"), t), moment(contest, "%d/%m/%Y %H:%M")
        words = N_(
            "Contested on {at}: {reason}. The request stands in the log for the officer; the document was not sent."
        )
        said.append(t(words).format(at=at, reason=printable(reason, 80)))
    return said


def total(day: Mapping[str, Any], translate: Translate) -> str:
    """« 3 to review », or how many things were done; a word, for a screen reader too."""
    if day["open"]:
        return translate(N_("{count} to review")).format(count=Count(day["open"]))
    if day["acted"]:
        return translate(N_("{count} reviewed")).format(count=Count(day["acted"]))
    return ""
