"""What a new policy changes, for the people who answer for it: removals first, changes only, in sentences. Pure.

Terminal and page show the same value. It promises nothing that was not computed: what is milder and cannot be told for
certain is called milder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from agent.errors import N_
from agent.model import Decision, Mode
from agent.policy.answers import TEXTS
from agent.policy.load import everything_wrong
from agent.policy.parser import parse_policy
from agent.policy.precedence import MAX_TOLD, goes_before, hosts_moved, least, turned
from agent.policy.reach import reach
from agent.policy.schema import Policy, Rule
from agent.policy.sentences import sentence

Translate = Callable[[str], str]
LANGUAGES = ("fr", "en")
_WORDS = {Decision.ENCRYPT: "sealed", Decision.BLOCK: "refused", Decision.JUSTIFY: "held", Decision.INFORM: "told"}
_TITLES = {
    "defaults": N_("what applies when no rule speaks"),
    "recipients": N_("for whom documents are encrypted"),
    "names": N_("who sees names of documents"),
    "answers": N_("what clinicians may answer"),
    "devices": N_("approved devices"),
    "hosts": N_("approved destinations"),
    "order": N_("which of two rules that are as strict speaks first"),
}
_ORDER = ("removed", "changed", "setting", "added")


def plan(
    new: bytes, old: bytes | None, file: str, translates: Mapping[str, Translate], language: str
) -> dict[str, Any]:
    """The plan of ``new`` against ``old`` (None: there was none). ``translates`` are catalogues by language.

    Raises PolicyError when a file cannot be read as a policy; what else is wrong with the new one stands in ``wrong``.
    """
    t = translates[language]
    after = parse_policy(new, file)
    before = None if old is None else parse_policy(old, file)
    changes = _changes(before, after, t)
    weaker = any(change["milder"] for change in changes)
    return {
        "policy": after.name, "release": after.release, "against": before.release if before else "",
        "changes": changes, "unchanged": _unchanged(before, after), "weaker": weaker,
        "previews": _previews(before, after, translates),
        "wrong": [error.render(t) for error in everything_wrong(new, file)],
        "sign": {"role": "approvers", "emergency": _emergency(changes)},
    }  # fmt: skip


def _changes(before: Policy | None, after: Policy, t: Translate) -> list[dict[str, Any]]:
    old = {rule.id: rule for rule in before.rules} if before else {}
    new = {rule.id for rule in after.rules}
    unspoken = before.defaults.nothing_matches if before else Decision.OBSERVE
    found = [_change("removed", rule, None, t, unspoken) for rule in old.values() if rule.id not in new]
    for rule in after.rules:
        earlier = old.get(rule.id)
        if earlier is None:
            found.append(_change("added", None, rule, t, unspoken))
        elif _essence(earlier) != _essence(rule):
            found.append(_change("changed", earlier, rule, t, unspoken))
        if before is not None and (earlier is None or _speaks(earlier) != _speaks(rule)):
            found[-1]["milder"] = found[-1]["milder"] or goes_before(rule, before, after)
    if before is not None:
        found += _settings(before, after, t)
    return sorted(found, key=lambda change: (_ORDER.index(change["what"]), not change["milder"]))


def _essence(rule: Rule) -> object:
    """A rule without the places where it stands in the file."""
    when = tuple((each.key, each.operator, each.words, each.number) for each in rule.when)
    unless = tuple(
        (tuple((each.key, each.operator, each.words) for each in one.scope), one.until, one.by, one.why)
        for one in rule.unless
    )
    return when, unless, rule.then, rule.mode, rule.offer, rule.title, rule.message


def _speaks(rule: Rule) -> object:
    """What it comes to for whom: all that counts where another rule is as strict."""
    return _scope(rule.when), rule.then, rule.mode, rule.offer


def _change(
    what: str, before: Rule | None, after: Rule | None, t: Translate, unspoken: Decision
) -> dict[str, Any]:  # fmt: skip
    rule = after or before
    return {
        "what": what, "rule": rule.id if rule else "",
        "before": sentence(before, t) if before else "", "after": sentence(after, t) if after else "",
        "milder": _is_milder(before, after, unspoken), "emergency": _may_be_emergency(before, after),
    }  # fmt: skip


def _is_milder(before: Rule | None, after: Rule | None, unspoken: Decision) -> bool:
    """Whether something that was held, or might have been, no longer is. ``unspoken``: what no rule spoke of so far."""
    if after is None:
        return True
    if before is None:
        return _goes_past(after, unspoken)
    return (
        after.then.severity < before.then.severity
        or least(after).severity < least(before).severity
        or (before.mode is Mode.ENFORCE and after.mode is Mode.OBSERVE)
        or not {(_scope(each.scope), each.until) for each in after.unless}
        <= {(_scope(each.scope), each.until) for each in before.unless}
        or (
            _scope(before.when) != _scope(after.when)
            and (_goes_past(after, unspoken) or not reach(after).covers(reach(before)))
        )
    )


def _goes_past(rule: Rule, unspoken: Decision) -> bool:
    """Whether a rule may let go what ``nothing_matches`` holds: also on trial and by its exceptions it is a rule that
    speaks.
    """
    found = Decision.OBSERVE if rule.mode is Mode.OBSERVE or rule.unless else least(rule)
    return found.severity < unspoken.severity


def _scope(conditions: Any) -> frozenset[object]:
    return frozenset((each.key, each.operator, each.words, each.number) for each in conditions)


def _may_be_emergency(before: Rule | None, after: Rule | None) -> bool:
    """An emergency release may lift a rule or put it on trial, and nothing else."""
    if before is None or after is None:
        return after is None
    return _essence(before)[:3] == _essence(after)[:3] and after.mode is Mode.OBSERVE  # type: ignore[index]


def _settings(before: Policy, after: Policy, t: Translate) -> list[dict[str, Any]]:
    found = []
    gone, come = set(before.devices) - set(after.devices), set(after.devices) - set(before.devices)
    if gone or come:
        found.append(_setting("devices", _told(gone), _told(come), bool(come), t))
    left, new, more = hosts_moved(before.hosts, after.hosts)
    if left or new:
        found.append(_setting("hosts", _told(left), _told(new), more, t))
    pairs, sooner = turned(before, after)
    if pairs:
        were, are = ("; ".join(", ".join(pair[::way]) for pair in pairs[:MAX_TOLD]) for way in (1, -1))
        found.append(_setting("order", were, are, sooner, t))
    for name, told, milder in (
        ("defaults", _defaults, _defaults_milder),
        ("recipients", _recipients, lambda _old, _new: True),  # whoever is added can open what is sealed
        ("names", lambda policy: policy.names, lambda _old, new: new.names != "owner"),
        ("answers", _answers, _answers_milder),
    ):
        if getattr(before, name) != getattr(after, name):
            found.append(_setting(name, told(before), told(after), milder(before, after), t))
    return found


def _told(words: set[str]) -> str:
    return ", ".join(sorted(words)[:MAX_TOLD])


def _setting(name: str, before: str, after: str, milder: bool, t: Translate) -> dict[str, Any]:
    return {"what": "setting", "rule": name, "title": t(_TITLES[name]), "before": before, "after": after,
            "milder": milder, "emergency": False}  # fmt: skip


def _defaults(policy: Policy) -> str:
    said = policy.defaults
    return f"existing: {said.existing}, arriving: {said.arriving}, nothing_matches: {said.nothing_matches}"


def _defaults_milder(before: Policy, after: Policy) -> bool:
    old, new = before.defaults, after.defaults
    lifted = any(
        was is Mode.ENFORCE and now is Mode.OBSERVE
        for was, now in ((old.existing, new.existing), (old.arriving, new.arriving))
    )
    return lifted or new.nothing_matches.severity < old.nothing_matches.severity


def _recipients(policy: Policy) -> str:
    named = [each.name for each in policy.recipients.others]
    return ", ".join([*(["recovery"] if policy.recipients.recovery else []), *named])


def _answers(policy: Policy) -> str:
    said = policy.answers
    return (
        f"release_days: {said.release_days}, batch_minutes: {said.batch_minutes}, emergency: "
        f"{said.emergency.a_day} × {said.emergency.minutes} min, mail: "
        f"{said.mail.page or said.mail.program or said.mail.offered} {said.mail.attach}, reasons: {len(said.reasons)}"
    )


def _answers_milder(before: Policy, after: Policy) -> bool:
    """Texts and lessons may be worded otherwise; everything else may open a way out."""
    old, new = before.answers, after.answers
    return (
        old.mail != new.mail
        or new.release_days > old.release_days
        or new.batch_minutes > old.batch_minutes
        or new.emergency.minutes > old.emergency.minutes
        or new.emergency.a_day > old.emergency.a_day
    )


def _unchanged(before: Policy | None, after: Policy) -> int:
    old = {rule.id: _essence(rule) for rule in before.rules} if before else {}
    return sum(old.get(rule.id) == _essence(rule) for rule in after.rules)


def _emergency(changes: list[dict[str, Any]]) -> bool:
    return bool(changes) and all(change["emergency"] for change in changes)


# ---- what clinicians will see


def _previews(before: Policy | None, after: Policy, translates: Mapping[str, Translate]) -> list[dict[str, Any]]:
    """The notice of each rule that is new or changed, in both languages."""
    old = {rule.id: _essence(rule) for rule in before.rules} if before else {}
    return [
        _preview(after, rule, language, translates[language])
        for rule in after.rules
        if old.get(rule.id) != _essence(rule) and rule.then in _WORDS
        for language in LANGUAGES
    ]


def _preview(policy: Policy, rule: Rule, language: str, t: Translate) -> dict[str, Any]:
    own = {word: dict(texts) for word, texts in policy.answers.texts}

    def text(word: str) -> str:
        return own.get(word, {}).get(language) or t(TEXTS[word])

    word, message = _WORDS[rule.then], dict(rule.message)
    buttons = ["button-seal"] if rule.offer is Decision.ENCRYPT else []
    buttons += ["button-reason"] if Decision.JUSTIFY in {rule.then, rule.offer} else []
    buttons += ["button-mail"] if policy.answers.mail.offered and rule.then is not Decision.INFORM else []
    return {
        "rule": rule.id, "language": language, "trial": rule.mode is Mode.OBSERVE, "title": text(f"{word}-title"),
        "text": message.get(language) or next(iter(message.values()), "") or text(word),
        "buttons": [text(button) for button in buttons],
    }  # fmt: skip
