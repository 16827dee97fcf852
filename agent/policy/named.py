"""``recipients`` of a policy: to whom documents are sealed besides their clinician. Pure.

They stand in the policy because it is what the laptop trusts: whoever can change it can change everything, and nobody
else can put a key of the own into the sealing.
"""

from __future__ import annotations

from agent.crypto.recipients import Named, NamedRecipient, one_kind
from agent.errors import N_, SealError
from agent.policy import values
from agent.policy.refusal import Refusals
from agent.policy.source import Node, Table, Text, describe

MAX_OTHERS = 50
_KEYS = ("recovery", "others")
_OTHER = ("name", "key", "always")


def read_recipients(out: Refusals, node: Node) -> Named:
    """The recipients of a policy; complains about what is no key, about names that stand twice, and mixed kinds."""
    table = values.table(out, "recipients", node)
    if table is None:
        return Named()
    found = _entries(out, table, _KEYS)
    recovery = _key(out, "recovery", found["recovery"]) if "recovery" in found else ""
    others = _others(out, found["others"]) if "others" in found else ()
    keys = [key for key in (recovery, *(each.key for each in others)) if key]
    try:
        if keys:
            one_kind(keys)
    except SealError:
        out.add(
            node.line, N_("recipients of two kinds cannot be in one file: age1pq1… keys alone, or age1… keys alone"),
            expected="one kind", found="two kinds", hint=N_("make new keys of one kind"),
        )  # fmt: skip
    return Named(recovery, others)


def _entries(out: Refusals, table: Table, names: tuple[str, ...]) -> dict[str, Node]:
    found = {}
    for key, value in table.entries:
        if key.text in names:
            found[key.text] = value
        else:
            out.unknown_key(key.line, key.text, names)
    return found


def _others(out: Refusals, node: Node) -> tuple[NamedRecipient, ...]:
    listed = values.items(out, "others", node)
    if listed is None:
        return ()
    if not 0 < len(listed.items) <= MAX_OTHERS:
        out.add(
            node.line, N_("{key} should hold 1 to {limit} entries; found {found}"),
            key="others", limit=MAX_OTHERS, expected=f"1 to {MAX_OTHERS}", found=str(len(listed.items)),
        )  # fmt: skip
        return ()
    others: dict[str, NamedRecipient] = {}
    for item in listed.items:
        other = _other(out, item)
        if other is not None and other.name in others:
            out.add(item.line, N_("{found} stands twice in recipients"), expected="another name", found=other.name)
        elif other is not None:
            others[other.name] = other
    return tuple(others.values())


def _other(out: Refusals, node: Node) -> NamedRecipient | None:
    table = values.table(out, "others", node)
    if table is None:
        return None
    found = _entries(out, table, _OTHER)
    for key in ("name", "key"):
        if key not in found:
            out.add(table.line, N_("{key} is missing"), key=key, expected=key, found="nothing")
            return None
    name = values.identifier(out, "name", found["name"])
    key = _key(out, "key", found["key"])
    always = values.flag(out, "always", found["always"]) == "yes" if "always" in found else False
    return NamedRecipient(name, key, always) if name and key else None


def _key(out: Refusals, name: str, node: Node) -> str:
    text = node.text.strip() if isinstance(node, Text) else ""
    try:
        one_kind([text])
    except SealError:
        out.add(
            node.line, N_("{key} should be an age recipient (age1…); found {found}"),
            key=name, expected="age1…", found=_shown(node, text), hint=N_("copy it whole: serment keys status"),
        )  # fmt: skip
        return ""
    return text


def _shown(node: Node, text: str) -> str:
    """What stands there; a private key that was pasted by mistake is not repeated in messages and logs."""
    return "AGE-SECRET-KEY-…" if text.upper().startswith("AGE-SECRET-KEY") else describe(node)[:80]
