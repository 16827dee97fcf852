"""A rule as one plain sentence, for the people who answer for it and have never seen YAML. Pure.

The language is the caller's: ``translate`` maps the English keys of ``phrases`` to another language (gettext). What
the sentence says is made from the rule alone, never written by hand beside it, so it cannot promise anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from agent.i18n import Count
from agent.model import Mode
from agent.policy import phrases
from agent.policy.schema import Condition, Exception_, Operator, Policy, Rule
from agent.policy.vocabulary import ACTIONS, KEYS, REMOVABLE

Translate = Callable[[str], str]
_PLACES = {"copy": ("removable",), "sync": ("cloud",), "download": ("laptop",)}
_MAX_HOSTS = 50  # in one sentence
_IN_WHAT = frozenset({"action", "destination", "document", "judgement", "device_approved", "service"})


def policy_sentences(policy: Policy, translate: Translate) -> tuple[tuple[str, str], ...]:
    """(rule id, sentence) for every rule, in the order of the file; then, as « hosts », the approved destinations."""
    rules = tuple((rule.id, sentence(rule, translate)) for rule in policy.rules)
    names = ", ".join(each.pattern for each in policy.hosts[:_MAX_HOSTS])
    more = ", …" if len(policy.hosts) > _MAX_HOSTS else ""
    return (*rules, ("hosts", translate(phrases.HOSTS).format(names=names + more))) if names else rules


def sentence(rule: Rule, translate: Translate) -> str:
    """The whole rule: when, what is done, what is offered, who is spared, whether it is on trial."""
    t = translate
    actions = _actions(rule)
    leaves = "several" if "download" in actions else "copy"
    move = phrases.MOVES[actions[0] if len(actions) == 1 else leaves]
    then = t(phrases.THEN[rule.then])
    if rule.offer is not None:
        then = t(phrases.OFFER[rule.offer]).format(then=then)
    parts = [t(move).format(what=_what(rule, t), where=_where(rule, actions, t), then=then)]
    parts.extend(_exception(exception, t) for exception in rule.unless)
    if rule.mode is Mode.OBSERVE:
        parts.append(t(phrases.TRIAL))
    return " ".join(parts)


def _positive(rule: Rule, key: str) -> Condition | None:
    """The only condition on ``key``, when it says « is »; the others become details.

    « Not » of a short closed list is said as what is left of the list.
    """
    found = [condition for condition in rule.when if condition.key == key]
    if len(found) != 1:
        return None
    only = found[0]
    if only.operator is Operator.NOT and key in {"action", "judgement"}:
        left = tuple(word for word in KEYS[key].means or () if word not in only.words)
        return replace(only, operator=Operator.IS, words=left) if left else None
    return only if only.operator is Operator.IS else None


def _actions(rule: Rule) -> tuple[str, ...]:
    said = _positive(rule, "action")
    actions = said.words if said else tuple(ACTIONS)
    places = _positive(rule, "destination")
    if places:
        wanted = {"removable" if word in REMOVABLE else word for word in places.words}
        actions = tuple(action for action in actions if wanted & set(_PLACES[action]))
    return actions or tuple(ACTIONS)


def _what(rule: Rule, t: Translate) -> str:
    kinds, judged = _positive(rule, "document"), _positive(rule, "judgement")
    words = kinds.words if kinds else ("any",)
    named = words != ("any",)
    if not named and judged:
        what = _join([t(phrases.JUDGED[word]) for word in judged.words], t, phrases.LIST_OR)
    else:
        what = _join([t(phrases.DOCUMENT[word]) for word in words], t, phrases.LIST_OR)
    details = [t(phrases.JUDGED_SO[word]) for word in judged.words] if judged and named else []
    details += [_detail(condition, t) for condition in rule.when if not _told(rule, condition)]
    return t(phrases.WITH_DETAILS).format(what=what, details=", ".join(details)) if details else what


def _told(rule: Rule, condition: Condition) -> bool:
    """Whether a condition is already said by the rest of the sentence."""
    if condition.key not in _IN_WHAT or _positive(rule, condition.key) is None:
        return False
    if condition.key == "device_approved":
        return _actions(rule) == ("copy",)
    return condition.key != "service" or _actions(rule) in {("sync",), ("download",)}


def _where(rule: Rule, actions: Sequence[str], t: Translate) -> str:
    said, service = _positive(rule, "destination"), _positive(rule, "service")
    words = said.words if said else tuple(place for action in actions for place in _PLACES[action])
    if service and tuple(actions) in {("sync",), ("download",)}:
        template = phrases.SERVICE_FOLDER if actions[0] == "sync" else phrases.SERVICE_DOWNLOADS
        return _join([t(template).format(service=name.capitalize()) for name in service.words], t, phrases.LIST_OR)
    approval = _positive(rule, "device_approved")
    table = phrases.PLACE
    if approval and tuple(actions) == ("copy",):
        table = phrases.APPROVED if approval.words == ("yes",) else phrases.UNAPPROVED
    return _join([t(table.get(word, phrases.PLACE[word])) for word in words], t, phrases.LIST_OR)


def _detail(condition: Condition, t: Translate) -> str:
    """One condition as a few words in brackets."""
    if condition.operator in {Operator.MIN, Operator.MAX}:
        table = phrases.LEAST if condition.operator is Operator.MIN else phrases.MOST
        number = _size(condition.number, t) if condition.key == "size" else Count(condition.number)
        return t(table[condition.key]).format(number=number)
    words = [_word(condition, word, t) for word in condition.words]
    joined = _join(words, t, phrases.LIST_OR)
    if condition.key in phrases.NAMED:
        joined = t(phrases.NAMED[condition.key]).format(words=joined)
    return joined if condition.operator is Operator.IS else t(phrases.NOT).format(words=joined)


def _word(condition: Condition, word: str, t: Translate) -> str:
    tables = {
        "document": phrases.DOCUMENT,
        "judgement": phrases.JUDGED,
        "problem": phrases.PROBLEM,
        "destination": phrases.PLACE,
        "host": phrases.HOST,
        "arrival": phrases.ARRIVAL,
        "action": {action: phrases.PLACE[places[0]] for action, places in _PLACES.items()},
    }
    if condition.key in tables:
        return t(tables[condition.key][word])
    return t(phrases.FLAG[condition.key, word]) if (condition.key, word) in phrases.FLAG else word


def _size(number: int, t: Translate) -> str:
    for unit, key in phrases.SIZE:
        if number >= unit or unit == 1:
            return t(key).format(number=f"{number / unit:.4g}")
    return str(number)


def _exception(exception: Exception_, t: Translate) -> str:
    who = _join([_detail(condition, t) for condition in exception.scope], t, phrases.LIST_AND)
    end = date.fromisoformat(exception.until)
    day = t(phrases.DAYS[end.month - 1]).format(day=t(phrases.FIRST_DAY) if end.day == 1 else end.day, year=end.year)
    return t(phrases.EXCEPTION).format(who=who, day=day, by=exception.by, why=exception.why)


def _join(words: Sequence[str], t: Translate, last: str) -> str:
    """« a, b or c », in the order and with the signs of the language."""
    if len(words) == 1:
        return words[0]
    head = words[0]
    for word in words[1:-1]:
        head = t(phrases.LIST_COMMA).format(first=head, rest=word)
    return t(last).format(first=head, last=words[-1])
