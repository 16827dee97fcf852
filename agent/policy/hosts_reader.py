"""``hosts`` of a policy file → the list of approved destinations, or every reason why not. Part of the parser."""

from __future__ import annotations

from agent.errors import N_
from agent.policy import values
from agent.policy.hosts import APPROVED, Host, normal_host
from agent.policy.refusal import Refusals, shown
from agent.policy.source import Items, Node, Text, describe

MAX_HOSTS = 1_000
_ENTRY = ("host", "kind", "name")


def read_hosts(out: Refusals, node: Node) -> tuple[Host, ...]:
    """The list of a policy file; what is wrong with it goes to ``out``."""
    found = values.items(out, "hosts", node)
    if found is None:
        return ()
    if not 0 < len(found.items) <= MAX_HOSTS:
        out.add(
            node.line, N_("{key} should hold 1 to {limit} entries; found {found}"),
            key="hosts", limit=MAX_HOSTS, expected=f"1 to {MAX_HOSTS}", found=str(len(found.items)),
        )  # fmt: skip
        return ()
    hosts: dict[str, Host] = {}
    for item in found.items:
        host = _host(out, item)
        if host is not None and host.pattern in hosts:
            out.add(
                host.line, N_("the host {found} stands twice; the first is on line {first}"),
                expected="another host", found=shown(host.pattern), first=hosts[host.pattern].line,
            )  # fmt: skip
        elif host is not None:
            hosts[host.pattern] = host
    return tuple(hosts.values())


def _host(out: Refusals, node: Node) -> Host | None:
    table = values.table(out, "hosts", node)
    if table is None:
        return None
    found = {key.text: value for key, value in table.entries if key.text in _ENTRY}
    for key, _ in table.entries:
        if key.text not in _ENTRY:
            out.unknown_key(key.line, key.text, _ENTRY)
    for name in _ENTRY[:2]:
        if name not in found:
            out.add(table.line, N_("{key} is missing"), key=name, expected=name, found="nothing")
    pattern = _pattern(out, found["host"]) if "host" in found else ""
    kind = values.word(out, "kind", found["kind"], APPROVED) if "kind" in found else None
    named = values.localised(out, "name", found["name"]) if "name" in found else ()
    return Host(pattern, kind, named, node.line) if pattern and kind else None


def _pattern(out: Refusals, node: Node) -> str:
    said = "" if isinstance(node, Items) or not isinstance(node, Text) else node.text
    wild = said.startswith("*.")
    name = normal_host(said[2:] if wild else said)
    if not name or (wild and "." not in name):
        out.add(
            node.line, N_("host should be a name such as cloud.hospital.example or *.hospital.example; found {found}"),
            expected="a host's name", found=describe(node),
            hint=N_("without https://, port and path; *. means whatever lies below, and at least two parts follow it"),
        )  # fmt: skip
        return ""
    return f"*.{name}" if wild else name
