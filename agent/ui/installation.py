"""Whether the laptop around the agent is as the package left it, classified: pure.

``agent.ui.laptop_facts`` looks, ``serment doctor`` prints; this says what it means and what to do. What whoever asks
cannot know (None) is no finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.errors import N_
from agent.i18n import Count
from agent.ui.doctor import BROKEN, OK, WEAK, Diagnosis

UNSENT_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class Laptop:
    """What was found. None: not applicable here, or not for this user to see."""

    unit_enabled: bool | None = None  # None: no unit is installed (a checkout)
    udev_rule: bool | None = None
    fuse: bool = True
    reader_account: bool | None = None
    replaced: bool | None = None  # the agent still runs the files of before an update
    settings_changed: bool | None = None  # agent.toml is younger than the running agent, which read it when it began
    disk_encrypted: bool | None = None
    swap_clear: Sequence[str] = ()  # swap that is neither encrypted nor in memory
    clock_synchronised: bool | None = None
    patients: int | None = None  # on the practice's list; None: unknown, 0: no list
    unsent: int | None = None  # records that a collector elsewhere has not acknowledged
    fleet_key: str = ""  # of an enrolled laptop: sealed, file, shut (does not open here), missing
    bell: bool | None = None  # whether the fleet's collector can call; None: no fleet
    visits: bool | None = None  # whether the unit that visits the fleet's collector is enabled; None: no fleet, no unit
    automatic_proxy: str = ""  # a PAC file's address in the environment, which nobody here reads


def diagnose_laptop(laptop: Laptop) -> Iterator[Diagnosis]:
    """Every finding, the good ones too where they answer a question that is asked."""
    yield from _service(laptop)
    yield from _storage(laptop)
    yield from _surroundings(laptop)
    yield from _fleet(laptop)


_FLEET_KEYS = {
    "sealed": (OK, N_("the key by which the collector knows this laptop opens on this laptop alone"), ""),
    "file": (OK, N_("the key by which the collector knows this laptop is a file that only its user reads"),
             N_("with systemd and its package, serment enrol seals it to the TPM or the system")),
    "shut": (BROKEN, N_("the key by which the collector knows this laptop no longer opens: records are not sent"),
             N_("after a change of TPM or disk: ask for a token, then serment enrol TOKEN")),
    "missing": (BROKEN, N_("the key by which the collector knows this laptop is missing: records are not sent"),
                N_("ask for a token, then: serment enrol TOKEN")),
}  # fmt: skip


def _fleet(laptop: Laptop) -> Iterator[Diagnosis]:
    if laptop.fleet_key:
        yield Diagnosis("fleet-key", *_FLEET_KEYS[laptop.fleet_key])
    if laptop.visits is False:
        yield Diagnosis(
            "visits", WEAK,
            N_("visits to the collector do not start with the laptop: then no record is sent, no policy fetched"),
            N_("sudo systemctl unmask serment-sync.path serment-sync.service;"
               " sudo systemctl enable --now serment-sync.path"),
        )  # fmt: skip
    if laptop.bell is False:
        yield Diagnosis(
            "bell", WEAK, N_("the collector cannot call this laptop: what is urgent waits for its next visit"),
            N_("away from the network it is so; else a proxy or a firewall cuts silent connections"),
        )  # fmt: skip
    elif laptop.bell:
        yield Diagnosis("bell", OK, N_("the collector can call this laptop: what is urgent arrives within a minute"))
    if laptop.automatic_proxy:
        yield Diagnosis("proxy", WEAK, N_("the proxy is set by a script (PAC), which Serment does not run: {address}"),
                        N_("ask the network's administrator for the proxy's address, then set https_proxy"),
                        {"address": laptop.automatic_proxy})  # fmt: skip


def _service(laptop: Laptop) -> Iterator[Diagnosis]:
    if laptop.unit_enabled is False:
        yield Diagnosis(
            "service", WEAK, N_("the agent does not start with the laptop"),
            N_("sudo systemctl unmask serment-agent; sudo systemctl enable --now serment-agent"),
        )  # fmt: skip
    elif laptop.unit_enabled:
        yield Diagnosis("service", OK, N_("the agent starts with the laptop"))
    if laptop.replaced:
        yield Diagnosis("update", WEAK, N_("the agent still runs the version of before the update"),
                        N_("sudo systemctl restart serment-agent"))  # fmt: skip
    if laptop.settings_changed:
        yield Diagnosis(
            "settings", WEAK, N_("agent.toml was changed since the agent began: the agent does not follow it yet"),
            N_("sudo systemctl restart serment-agent"),
        )  # fmt: skip
    if laptop.udev_rule is False:
        yield Diagnosis("udev-rule", WEAK, N_("sticks are mounted for writing until the agent takes them over"),
                        N_("install 60-serment-removable.rules, then: sudo udevadm control --reload"))  # fmt: skip
    if not laptop.fuse:
        yield Diagnosis("fuse", BROKEN, N_("/dev/fuse is missing: sticks cannot be held"), N_("sudo modprobe fuse"))
    if laptop.reader_account is False:
        yield Diagnosis("reader-account", WEAK, N_("readers of documents have no account of their own"),
                        N_("sudo systemd-sysusers"))  # fmt: skip


def _storage(laptop: Laptop) -> Iterator[Diagnosis]:
    if laptop.disk_encrypted is False:
        yield Diagnosis("disk-encryption", WEAK, N_("the disk is not encrypted: who steals the laptop reads it"),
                        N_("encrypt the disk (LUKS); until then: serment keys phrase"))  # fmt: skip
    elif laptop.disk_encrypted:
        yield Diagnosis("disk-encryption", OK, N_("the disk is encrypted"))
    if laptop.swap_clear:
        yield Diagnosis("swap", WEAK, N_("memory may be written to the disk in clear: {swaps}"),
                        N_("encrypt the swap, or use zram"), {"swaps": ", ".join(laptop.swap_clear)})  # fmt: skip


def _surroundings(laptop: Laptop) -> Iterator[Diagnosis]:
    if laptop.clock_synchronised is False:
        yield Diagnosis("clock", WEAK, N_("the clock is not set by the network: times in the audit log may be wrong"),
                        N_("sudo timedatectl set-ntp true"))  # fmt: skip
    if laptop.patients == 0:
        yield Diagnosis("patients", OK, N_("the practice's patient list is not loaded"),
                        N_("it makes recognition certain: serment patients load FILE"))  # fmt: skip
    if laptop.unsent is not None and laptop.unsent > UNSENT_RECORDS:
        yield Diagnosis("collector", WEAK, N_("{count} {count:record waits|records wait} for the collector"),
                        N_("is it reachable? see: serment status"), {"count": Count(laptop.unsent)})  # fmt: skip
