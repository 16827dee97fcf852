"""One audit record → one line that a person reads. Pure but for the local time zone; codes get their words here.

Records come from the log on this laptop, which may have been written by a newer version, or by somebody who should
not have: an unknown word is shown as it is, made printable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import N_
from agent.i18n import Count
from agent.ui import wording
from agent.ui.printable import printable
from agent.ui.review import words
from agent.ui.wording import Translate, word

FRAME = frozenset({"i", "t", "m", "b", "p", "k"})
"""The fields of every record: number, times, boot, link, kind."""

_PLACES = {"armed": N_("now under guard"), "gone": N_("no longer under guard")}
_POLICIES = {
    "in-force": N_("policy « {policy} », release {release}, is in force"),
    "refused": N_("the policy file cannot be used (line {line}); « {policy} », release {release}, stays in force"),
}
_LOOKS = {"unread": N_("{judged}, pictures not read yet"), "read": N_("{judged}, pictures read")}
_PATIENT_LISTS = {
    "in-force": N_("the practice's patient list is in force: {patients} {patients:patient|patients}"),
    "gone": N_("there is no patient list of the practice any more"),
}
_OF_THE_LOG = {  # docs/formats/audit-log.md, section 3
    "truncated": N_("trouble: the end of the log had been cut off"),
    "damaged": N_("trouble: a part of the log cannot be read"),
    "chain": N_("trouble: a record does not follow from the one before it"),
    "head-missing": N_("trouble: the file that says how long the log is was missing"),
    "start-key-missing": N_("trouble: the key that the log was to go on with was missing; another one signs"),
    "nearly-full": N_("trouble: the log is nearly full; transfers that go unhindered are counted together"),
}
_TROUBLES = {"begin": N_("trouble begins: {word}"), "end": N_("trouble is over: {word}")}


def line(number: int, fields: Mapping[str, Any], translate: Translate) -> str:
    """Number, local time, what happened."""
    seconds = fields.get("t", 0)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds / 1e6 if isinstance(seconds, int) else 0))
    say = _KINDS.get(str(fields.get("k")), _other)
    return f"{number:>7}  {when}  {printable(say(fields, translate), 400)}"


def _transfer(fields: Mapping[str, Any], translate: Translate) -> str:
    decision, wanted = fields.get("decision"), fields.get("wanted")
    done = word(wording.DECISIONS, decision, translate)
    if wanted not in (None, decision):
        would = word(wording.DECISIONS, wanted, translate)
        done = translate(N_("{done} (in enforcement: {would})")).format(done=done, would=would)
    if fields.get("rule"):
        done += translate(N_(", rule {rule}")).format(rule=fields["rule"])
    channel = word(wording.CHANNELS, fields.get("channel"), translate)
    judged = _judged(fields, translate)
    if look := _LOOKS.get(str(fields.get("pictures"))):
        judged = translate(look).format(judged=judged)
    text = translate(N_("{judged} → {done}")).format(judged=judged, done=done)
    return wording.labelled(channel, text, translate)


def _judged(fields: Mapping[str, Any], translate: Translate) -> str:
    judgement = fields.get("judgement")
    if judgement == "medical":
        return word(wording.KINDS, fields.get("kind"), translate)
    text = word(wording.JUDGEMENTS, judgement, translate)
    if fields.get("problem"):
        text += f" ({word(wording.PROBLEMS, fields['problem'], translate)})"
    return text


def _outcome(fields: Mapping[str, Any], translate: Translate) -> str:
    result = word(wording.RESULTS, fields.get("result"), translate)
    if fields.get("problem"):
        result += f" ({word(wording.OBSTACLES, fields['problem'], translate)})"
    if fields.get("held"):
        result += f" [{fields['held']}]"
    action = word(wording.DECISIONS, fields.get("action"), translate)
    text = translate(N_("record {of}, {action}")).format(of=fields.get("of"), action=action)
    return wording.labelled(text, result, translate)


def _place(fields: Mapping[str, Any], translate: Translate) -> str:
    text = word(_PLACES, fields.get("state"), translate)
    if fields.get("service") not in {None, "", "folder"}:  # of a folder by itself the channel has told
        text += f" ({fields['service']})"
    return wording.labelled(word(wording.CHANNELS, fields.get("channel"), translate), text, translate)


def _policy(fields: Mapping[str, Any], translate: Translate) -> str:
    said = {"policy": fields.get("policy"), "release": fields.get("release"), "line": fields.get("line", 0)}
    text = _POLICIES.get(str(fields.get("state")))
    return translate(text).format(**said) if text else _other(fields, translate)


def _trouble(fields: Mapping[str, Any], translate: Translate) -> str:
    if (text := _TROUBLES.get(str(fields.get("state")))) is not None:
        return translate(text).format(word=fields.get("word"))
    text = _OF_THE_LOG.get(str(fields.get("what")))
    return translate(text) if text else _other(fields, translate)


def _start(fields: Mapping[str, Any], translate: Translate) -> str:
    text = translate(N_("the agent starts, version {version}")).format(version=fields.get("version"))
    if fields.get("clean") is False and fields.get("i") != 0:
        text += translate(N_("; it had not been stopped in good order"))
    return text


def _stop(_fields: Mapping[str, Any], translate: Translate) -> str:
    return translate(N_("the agent stops"))


def _given_back(fields: Mapping[str, Any], translate: Translate) -> str:
    text = N_("{held} released {by}") if fields.get("k") == "release" else N_("{held} given back {by}")
    return translate(text).format(held=fields.get("held"), by=word(wording.BY, fields.get("by"), translate))


def _patients(fields: Mapping[str, Any], translate: Translate) -> str:
    text = _PATIENT_LISTS.get(str(fields.get("state")))
    count = fields.get("patients", 0)
    patients = Count(count if isinstance(count, int) else 0)
    return translate(text).format(patients=patients) if text else _other(fields, translate)


def _keys(fields: Mapping[str, Any], translate: Translate) -> str:
    text = _KEYS.get(str(fields.get("what")))
    case = str(fields.get("case") or "")
    said = translate(text) if text else _other(fields, translate)
    return f"{said} ({case})" if case and text else said


def _other(fields: Mapping[str, Any], _translate: Translate) -> str:
    rest = (f"{key}={fields[key]}" for key in sorted(set(fields) - FRAME) if not isinstance(fields[key], dict))
    return f"{fields.get('k')} {' '.join(rest)}".rstrip()


_KEYS = {
    "recovery-init": N_("a recovery key was shared among officers"),
    "recovery-request": N_("access to a sealed document was asked for"),
    "recovery-unlock": N_("an officer unlocked a request"),
    "recovery-finish": N_("two officers gave access to a sealed document"),
    "recovery-drill": N_("a drill proved that two officers can give access"),
    "renew": N_("a person has a new key"),
    "rotate": N_("sealed files were given the keys of today"),
    "phrase": N_("a person put the own key under a phrase"),
    "backup": N_("a backup sheet of a key was made"),
    "restore": N_("a key was taken back from a backup sheet"),
}
_HOLDS = {
    "held": N_("case {case}: what happened then is kept"),
    "lifted": N_("case {case}: no longer kept"),
}


def _coalesced(fields: Mapping[str, Any], translate: Translate) -> str:
    text = translate(N_("{count} {count:document|documents} recorded together, for the log is nearly full"))
    return text.format(count=Count(_number(fields.get("count"))))


def _erasure(fields: Mapping[str, Any], translate: Translate) -> str:
    text = translate(N_("the private parts of {days} {days:day|days} were destroyed: their time is over"))
    return text.format(days=Count(_number(fields.get("days"))))


def _purge(fields: Mapping[str, Any], translate: Translate) -> str:
    text = translate(N_("the records before {until} were removed: their time is over"))
    return text.format(until=fields.get("until"))


def _hold(fields: Mapping[str, Any], translate: Translate) -> str:
    text = _HOLDS.get(str(fields.get("state")))
    return translate(text).format(case=fields.get("case")) if text else _other(fields, translate)


def _dossier(fields: Mapping[str, Any], translate: Translate) -> str:
    text = translate(N_("a dossier of an incident was made {by}: {count} {count:document|documents}"))
    return text.format(by=word(wording.BY, fields.get("by"), translate), count=Count(_number(fields.get("count"))))


def _view(fields: Mapping[str, Any], translate: Translate) -> str:
    text = words.SCOPES.get(str(fields.get("scope")))
    return translate(text).format(of=fields.get("of")) if text else _other(fields, translate)


def _review(fields: Mapping[str, Any], translate: Translate) -> str:
    numbers = fields.get("records")
    listed = ", ".join(map(str, numbers[:20])) if isinstance(numbers, list) else ""
    by = word(wording.BY, fields.get("by"), translate)
    return translate(N_("reviewed {by}: {records}")).format(by=by, records=listed)


def _contest(fields: Mapping[str, Any], translate: Translate) -> str:
    why = word(words.WHY, fields.get("why"), translate)
    return translate(N_("record {of} contested: {why}")).format(of=fields.get("of"), why=why)


_EMERGENCIES = {
    "begun": N_("emergency called for {minutes} {minutes:minute|minutes}: {channel}"),
    "ended": N_("the emergency is over: {count} {count:document|documents} went"),
    "stopped": N_("the emergency was ended before its time: {count} {count:document|documents} went"),
}


def _emergency(fields: Mapping[str, Any], translate: Translate) -> str:
    text = _EMERGENCIES.get(str(fields.get("state")))
    if not text:
        return _other(fields, translate)
    return translate(text).format(
        minutes=Count(_number(fields.get("minutes"))), count=Count(_number(fields.get("count"))),
        channel=word(wording.CHANNELS, fields.get("channel"), translate),
    )  # fmt: skip


def _number(value: object) -> int:
    return value if type(value) is int else 0


_KINDS: dict[str, Callable[[Mapping[str, Any], Translate], str]] = {
    "start": _start, "stop": _stop, "transfer": _transfer, "outcome": _outcome, "policy": _policy, "place": _place,
    "trouble": _trouble, "release": _given_back, "restore": _given_back,
    "patients": _patients, "keys": _keys,
    "coalesced": _coalesced, "erasure": _erasure, "purge": _purge, "hold": _hold,
    "view": _view, "review": _review, "contest": _contest,
    "dossier": _dossier, "emergency": _emergency,
}  # fmt: skip

KINDS = (*_KINDS, "overflow")
"""What ``audit list --kind`` takes."""
