"""``when`` and the scope of ``unless``: a table of the file → conditions. Part of the parser."""

from __future__ import annotations

from agent.errors import N_
from agent.policy import values
from agent.policy.refusal import Refusals
from agent.policy.schema import Condition, Operator
from agent.policy.source import Items, Node, Table, Text, describe
from agent.policy.vocabulary import CONDITIONS, KEYS, Shape


def read_when(out: Refusals, node: Node) -> tuple[Condition, ...]:
    """The conditions of a rule; all of them must hold. At least one: a rule about everything says so in words."""
    table = values.table(out, "when", node)
    if table is None:
        return ()
    if not table.entries:
        out.add(
            node.line, N_("when is empty: the rule would match everything"), expected="at least one condition",
            found="nothing", hint=N_("write «action: [copy, sync, download]» if that is meant"),
        )  # fmt: skip
    found = (read_condition(out, key, value) for key, value in table.entries)
    return tuple(condition for condition in found if condition is not None)


def read_condition(out: Refusals, key: Text, node: Node) -> Condition | None:
    """One line of ``when``; None (and a complaint) when it is not in the vocabulary."""
    known = CONDITIONS.get(key.text)
    if known is None:
        if key.text in KEYS and KEYS[key.text].shape in {Shape.NUMBER, Shape.SIZE}:
            out.add(
                key.line, N_("{key} needs _min or _max"), key=key.text, expected=f"{key.text}_min, {key.text}_max",
                found=key.text, hint=N_("write {expected}"),
            )  # fmt: skip
        else:
            out.unknown_key(key.line, key.text, CONDITIONS)
        return None
    base, operator = known
    if operator in {Operator.MIN, Operator.MAX}:
        read = values.size if KEYS[base].shape is Shape.SIZE else values.whole
        number = read(out, key.text, node, KEYS[base].high)
        return None if number is None else Condition(base, operator, number=number, line=key.line)
    if key.text.endswith("_in") and not isinstance(node, Items):
        out.add(
            node.line, N_("{key} should be a list; found {found}"), key=key.text, expected="a list",
            found=describe(node), hint=N_("begin each line with a dash"),
        )  # fmt: skip
        return None
    words = read_words(out, base, key.text, node)
    return Condition(base, operator, words, line=key.line) if words else None


def read_words(out: Refusals, base: str, spelled: str, node: Node) -> tuple[str, ...]:
    """The words of one condition, each checked; empty when one of them is wrong."""
    parts = (node,) if KEYS[base].shape is Shape.FLAG else values.one_or_more(out, spelled, node)
    words = [_word(out, base, spelled, part) for part in parts]
    good = [word for word in words if word is not None]
    return tuple(dict.fromkeys(good)) if len(good) == len(words) else ()


def _word(out: Refusals, base: str, spelled: str, node: Node) -> str | None:
    key = KEYS[base]
    if key.shape is Shape.FLAG:
        return values.flag(out, spelled, node)
    if key.shape is Shape.DEVICE:
        return values.device(out, spelled, node)
    if key.means is not None:
        return values.word(out, spelled, node, key.means)
    return values.name(out, base, node)


def read_scope(out: Refusals, table: Table, keys: tuple[str, ...]) -> tuple[Condition, ...]:
    """The part of an exception that says whom it spares."""
    found = (read_condition(out, key, value) for key, value in table.entries if key.text in keys)
    return tuple(condition for condition in found if condition is not None)
