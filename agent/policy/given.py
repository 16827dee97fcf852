"""Facts in the words of a policy: the ``given`` of a test, ``serment policy explain``, and back to words. Pure.

What a test leaves out has a stated default, so that a test is one readable line: a medical clinical note about one
person that can be recognised, certain, 100 kB, no extension, new, on a device that is not approved.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.document import Problem
from agent.errors import N_
from agent.findings import Finding, Findings, FindingType, Judgement, Kind
from agent.model import ChannelKind, Device, Facts
from agent.policy import values
from agent.policy.devices import example, matches
from agent.policy.hosts import UNKNOWN, Host, example_host
from agent.policy.refusal import Refusals
from agent.policy.source import Items, Node, Table, Text
from agent.policy.vocabulary import ACTIONS, FAMILIES, KEYS, REMOVABLE, Shape

GIVEN = (*KEYS, "day")
_DESTINATIONS = {
    ChannelKind.REMOVABLE: REMOVABLE,
    ChannelKind.CLOUD_SYNC: ("cloud",),
    ChannelKind.DOWNLOADS: ("laptop",),
}
_DEFAULT_SIZE = 100_000  # bytes


def facts_from_words(
    words: Mapping[str, str], devices: tuple[str, ...] = (), hosts: tuple[Host, ...] = ()
) -> Facts:  # fmt: skip
    """Facts from ``key → word`` (groups separated by commas), with the defaults of a test.

    Raises PolicyError: a key or a word that the vocabulary does not have, or a contradiction.
    """
    entries = []
    for key, word in words.items():
        node: Node = Text(word, 0)
        if key == "group" and "," in word:
            node = Items(tuple(Text(part.strip(), 0) for part in word.split(",")), 0)
        entries.append((Text(key, 0), node))
    out = Refusals("facts")
    facts = read_given(out, Table(tuple(entries), 0), devices, hosts)
    if facts is None:
        raise out.errors[0]
    return facts


def read_given(
    out: Refusals, node: Node, devices: tuple[str, ...], hosts: tuple[Host, ...] = ()
) -> Facts | None:  # fmt: skip
    """The facts of a test; None (and complaints) when they cannot be."""
    table = values.table(out, "given", node)
    if table is None:
        return None
    before = len(out.errors)
    said: dict[str, str] = {}
    groups: tuple[str, ...] = ()
    numbers: dict[str, int] = {}
    for key, value in table.entries:
        if key.text == "group":
            parts = values.one_or_more(out, "group", value)
            groups = tuple(name for part in parts if (name := values.name(out, "group", part)))
        elif key.text in KEYS and KEYS[key.text].shape in {Shape.NUMBER, Shape.SIZE}:
            read = values.size if KEYS[key.text].shape is Shape.SIZE else values.whole
            numbers[key.text] = read(out, key.text, value, KEYS[key.text].high) or 0
        else:
            said[key.text] = _word(out, key, value) or ""
    channel = _channel(out, table.line, said)
    device = _device(out, table.line, said, channel, devices)
    host = _host(out, table.line, said, channel, hosts)
    if channel is None or len(out.errors) > before:
        return None
    return _facts(channel, said, numbers, groups, device, host)


def _word(out: Refusals, key: Text, value: Node) -> str | None:
    if key.text not in GIVEN:
        out.unknown_key(key.line, key.text, GIVEN)
        return None
    if key.text == "day":
        return values.day(out, "day", value)
    spec = KEYS[key.text]
    if spec.shape is Shape.FLAG:
        return values.flag(out, key.text, value)
    if spec.shape is Shape.DEVICE:
        pattern = values.device(out, key.text, value)
        if pattern is not None and any(sign in pattern for sign in "*?"):
            out.add(
                value.line, N_("given names one device: no * or ?; found {found}"),
                expected="one device", found=pattern,
            )  # fmt: skip
        return pattern
    if spec.means is not None:
        allowed = [word for word in spec.means if word not in {"any", "removable", "approved"}]
        return values.word(out, key.text, value, allowed)
    return values.name(out, key.text, value)


def _channel(out: Refusals, line: int, said: dict[str, str]) -> ChannelKind | None:
    action, destination = said.get("action", ""), said.get("destination", "")
    by_destination = {word: channel for channel, words in _DESTINATIONS.items() for word in words}
    channel = ACTIONS.get(action) or by_destination.get(destination)
    if channel is None:
        out.add(line, N_("given should say the action or the destination"), expected="action", found="nothing")
    elif destination and by_destination[destination] is not channel:
        out.add(
            line, N_("given contradicts itself: {found}"),
            expected=", ".join(_DESTINATIONS[channel]), found=f"{action}, {destination}",
        )  # fmt: skip
    return channel


def _device(
    out: Refusals, line: int, said: dict[str, str], channel: ChannelKind | None, devices: tuple[str, ...]
) -> Device | None:
    if channel is not ChannelKind.REMOVABLE:
        return None
    approved, device = said.get("device_approved", ""), Device()
    if named := said.get("device", ""):
        device = example(named)
    elif approved == "yes" and devices:
        device = example(devices[0])
    if approved and (approved == "yes") != any(matches(pattern, device) for pattern in devices):
        out.add(
            line, N_("given says device_approved: {found}, but the list of devices says otherwise"),
            expected="yes" if approved == "no" else "no", found=approved, hint=N_("see «devices» of this policy"),
        )  # fmt: skip
    return device


def _host(
    out: Refusals, line: int, said: dict[str, str], channel: ChannelKind | None, hosts: tuple[Host, ...]
) -> str:  # fmt: skip
    """A host of the class that is said; "" when it is not known, and where there is none."""
    wanted = said.get("host", UNKNOWN)
    if channel is not ChannelKind.CLOUD_SYNC:
        if "host" in said:
            out.add(
                line, N_("given says a host, but only sync folders have one"), expected="action: sync", found=wanted
            )  # fmt: skip
        return ""
    found = example_host(wanted, hosts)
    if found is None:
        out.add(
            line, N_("given says host: {found}, but the policy's list has none of that kind"),
            expected="a host of that kind", found=wanted, hint=N_("see «hosts» of this policy"),
        )  # fmt: skip
    return found or ""


def _facts(
    channel: ChannelKind, said: dict[str, str], numbers: dict[str, int], groups: tuple[str, ...],
    device: Device | None, host: str,
) -> Facts:  # fmt: skip
    problem = said.get("problem", "")
    judgement = Judgement(said.get("judgement") or (Judgement.UNDECIDABLE if problem else Judgement.MEDICAL))
    medical = judgement is Judgement.MEDICAL
    identified = said.get("identified", "yes" if medical else "no") == "yes"
    service = said.get("destination", "usb") if channel is ChannelKind.REMOVABLE else ""
    findings = Findings(
        judgement=judgement,
        kind=_kind(said.get("document", ""), medical=medical),
        confidence=numbers.get("confidence", 100) / 100,
        identified=identified,
        patients=numbers.get("patients", 1 if identified else 0),
        test_data=said.get("test_data", "no") == "yes",
        problem=Problem(problem) if problem else None,
        items=(Finding(FindingType.ROSTER),) if said.get("patient_list") == "yes" else (),
    )
    return Facts(
        channel=channel, arrival=said.get("arrival", "new"), findings=findings,
        size=numbers.get("size", _DEFAULT_SIZE), extension=said.get("extension", ""),
        service=said.get("service", service), device=device, user=said.get("user", ""), groups=groups,
        day=said.get("day", ""), host=host,
    )  # fmt: skip


def _kind(word: str, *, medical: bool) -> Kind:
    if word in FAMILIES:
        return FAMILIES[word][0]
    if word:
        return Kind(word)
    return Kind.CLINICAL_NOTE if medical else Kind.OTHER
