"""Every target by its name; ``python -m tests.fuzz --list`` shows what each promises."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    audit,
    clinical,
    collector,
    containers,
    detection,
    discovery,
    extraction,
    formats,
    held,
    hidden,
    inside,
    patients,
    pictures,
    sealing,
    settings,
    wires,
)

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (
        extraction,
        formats,
        inside,
        containers,
        detection,
        clinical,
        wires,
        audit,
        collector,
        settings,
        held,
        discovery,
        hidden,
        patients,
        pictures,
        sealing,
    )
    for target in module.TARGETS
}
