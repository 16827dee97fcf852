"""``answers`` of a policy → ``Answers``. Pure; complains about what is unknown, too long, or beyond a limit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from agent.errors import N_
from agent.policy import values
from agent.policy.answers import (
    FIELDS,
    MAIL_PROGRAMS,
    MAX_BATCH_MINUTES,
    MAX_EMERGENCIES,
    MAX_EMERGENCY_MINUTES,
    MAX_REASONS,
    MAX_RELEASE_DAYS,
    NOT_A_PATIENT,
    OTHER,
    TEXTS,
    Answers,
    Attach,
    BreakGlass,
    Reason,
    SecureMail,
    length_limit,
)
from agent.policy.refusal import Refusals
from agent.policy.schema import Localised
from agent.policy.source import Node, Text, describe
from agent.policy.vocabulary import LANGUAGES

_ANSWERS = ("reasons", "release_days", "batch_minutes", "emergency", "secure_mail", "lessons", "texts")
_PAGE = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?:/[A-Za-z0-9._~/?=&%-]{0,500})?")
_FIELD = re.compile(r"\{([^{}]*)\}")
_WHOLE = re.compile(r"\d{1,4}", re.ASCII)
_MAX_LESSONS = 1_000
_MAX_LESSON = 300  # characters: two sentences
_MAX_REASON = 60


def read_answers(out: Refusals, node: Node, rules: Iterable[str]) -> Answers:
    """The answers of a policy whose rules have these ids."""
    found = _entries(out, "answers", node, _ANSWERS)
    plain = Answers()
    known = {*rules, ""}
    return Answers(
        reasons=_reasons(out, found["reasons"]) if "reasons" in found else (),
        release_days=_number(out, "release_days", found, 1, MAX_RELEASE_DAYS, plain.release_days),
        batch_minutes=_number(out, "batch_minutes", found, 0, MAX_BATCH_MINUTES, plain.batch_minutes),
        emergency=_emergency(out, found["emergency"]) if "emergency" in found else plain.emergency,
        mail=_mail(out, found["secure_mail"]) if "secure_mail" in found else plain.mail,
        lessons=_lessons(out, found["lessons"], known) if "lessons" in found else (),
        texts=_texts(out, found["texts"]) if "texts" in found else (),
    )


def _entries(out: Refusals, key: str, node: Node, names: Iterable[str]) -> dict[str, Node]:
    """The entries of a table by name; complains about unknown ones."""
    table, known = values.table(out, key, node), tuple(names)
    found: dict[str, Node] = {}
    for name, value in table.entries if table is not None else ():
        if name.text in known:
            found[name.text] = value
        else:
            out.unknown_key(name.line, name.text, known)
    return found


def _number(out: Refusals, key: str, found: dict[str, Node], low: int, high: int, plain: int) -> int:
    node = found.get(key)
    if node is None:
        return plain
    if isinstance(node, Text) and _WHOLE.fullmatch(node.text) and low <= int(node.text) <= high:
        return int(node.text)
    out.add(
        node.line, N_("{key} should be a whole number from {low} to {high}; found {found}"),
        key=key, low=low, high=high, expected=f"{low} to {high}", found=describe(node),
    )  # fmt: skip
    return plain


def _emergency(out: Refusals, node: Node) -> BreakGlass:
    found, plain = _entries(out, "emergency", node, ("minutes", "a_day")), BreakGlass()
    return BreakGlass(
        _number(out, "minutes", found, 1, MAX_EMERGENCY_MINUTES, plain.minutes),
        _number(out, "a_day", found, 0, MAX_EMERGENCIES, plain.a_day),
    )


def _mail(out: Refusals, node: Node) -> SecureMail:
    found = _entries(out, "secure_mail", node, ("page", "program", "attach"))
    page = ""
    if "page" in found:
        text = values.text(out, "page", found["page"]) or ""
        if _PAGE.fullmatch(text):
            page = text
        elif text:
            out.add(
                found["page"].line, N_("{key} should be an address that begins with https://; found {found}"),
                key="page", expected="https://…", found=describe(found["page"])[:80],
            )  # fmt: skip
    word = values.word(out, "attach", found["attach"], [each.value for each in Attach]) if "attach" in found else None
    program = values.word(out, "program", found["program"], MAIL_PROGRAMS) if "program" in found else None
    return SecureMail(page, program or "", Attach(word or Attach.PLAIN), offered=True)


def _reasons(out: Refusals, node: Node) -> tuple[Reason, ...]:
    listed = values.items(out, "reasons", node)
    if listed is None:
        return ()
    if not 0 < len(listed.items) <= MAX_REASONS:
        out.add(
            node.line, N_("{key} should hold 1 to {limit} entries; found {found}"),
            key="reasons", limit=MAX_REASONS, expected=f"1 to {MAX_REASONS}", found=str(len(listed.items)),
        )  # fmt: skip
    reasons: dict[str, Reason] = {}
    for item in listed.items[:MAX_REASONS]:
        found = _entries(out, "reasons", item, ("id", *LANGUAGES))
        name = values.identifier(out, "id", found["id"]) if "id" in found else None
        if name is None or name in {*reasons, NOT_A_PATIENT, OTHER}:
            out.add(
                item.line, N_("a reason needs an id of its own; found {found}"),
                expected="an id", found=name or "nothing",
            )  # fmt: skip
            continue
        reasons[name] = Reason(name, _localised(out, name, found, _MAX_REASON))
    return tuple(reasons.values())


def _localised(out: Refusals, key: str, found: dict[str, Node], limit: int, fields: tuple[str, ...] = ()) -> Localised:
    texts = []
    for language in LANGUAGES:
        text = values.text(out, f"{key}.{language}", found[language], limit) if language in found else None
        if text is None:
            continue
        if ("{" in text or "}" in text) and sorted(_FIELD.findall(text)) != sorted(fields):
            out.add(
                found[language].line, N_("{key} may hold the fields {expected} alone; found {found}"),
                key=f"{key}.{language}", expected=", ".join(fields) or "—", found=describe(found[language])[:80],
            )  # fmt: skip
            continue
        texts.append((language, text))
    return tuple(texts)


def _lessons(out: Refusals, node: Node, rules: set[str]) -> tuple[tuple[str, Localised], ...]:
    listed = values.items(out, "lessons", node)
    lessons: dict[str, Localised] = {}
    for item in listed.items[:_MAX_LESSONS] if listed is not None else ():
        found = _entries(out, "lessons", item, ("rule", *LANGUAGES))
        rule = (values.identifier(out, "rule", found["rule"]) or "") if "rule" in found else ""
        if rule not in rules:
            out.add(
                item.line, N_("there is no rule {found}"), expected="the id of a rule", found=rule,
                hint=N_("a lesson without «rule» is for all rules"),
            )  # fmt: skip
            continue
        lessons[rule] = _localised(out, "lessons", found, _MAX_LESSON)
    return tuple(lessons.items())


def _texts(out: Refusals, node: Node) -> tuple[tuple[str, Localised], ...]:
    texts = []
    for word, value in _entries(out, "texts", node, TEXTS).items():
        by_language = _entries(out, word, value, LANGUAGES)
        texts.append((word, _localised(out, word, by_language, length_limit(word), FIELDS.get(word, ()))))
    return tuple(texts)
