"""Every target by its name; ``python -m tests.fuzz --list`` shows what each promises."""

from __future__ import annotations

from tests.fuzz.target import Target
from tests.fuzz.targets import (
    audit,
    collector,
    containers,
    detection,
    discovery,
    extraction,
    formats,
    held,
    inside,
    settings,
    wires,
)

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (extraction, formats, inside, containers, detection, wires, audit, collector, settings, held, discovery)
    for target in module.TARGETS
}
