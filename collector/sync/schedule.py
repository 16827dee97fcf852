"""When a laptop is to come back. Pure: numbers in, seconds out; chance comes from who asks.

The collector spreads the fleet, laptops add nothing: so nobody meets at the cap of a back-off, and after an outage the
whole fleet is back within a time that the collector can bear.
"""

from __future__ import annotations

from dataclasses import dataclass

SHORTEST_S = 5
LONGEST_S = 24 * 3600
QUIET_S = 900
ALERT_S = 45
VISITS_PER_S = 500  # what one collector on two processors bears with ease
SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often laptops come. ``laptops`` are those of the whole fleet, ``collectors`` share them. Until
    ``alert_until`` (seconds since 1970 UTC) an urgent policy is on its way; until ``recovering_until`` the fleet
    comes back from an outage.
    """

    laptops: int = 1
    collectors: int = 1
    quiet_s: int = QUIET_S
    alert_until: int = 0
    recovering_until: int = 0


def next_visit(rhythm: Rhythm, now: int, own_s: int, chance: float) -> int:
    """Seconds until the next visit. ``own_s``: an officer's wish for this laptop (0: none); ``chance``: 0 to 1."""
    bearable = rhythm.laptops / (VISITS_PER_S * max(rhythm.collectors, 1))
    if own_s:
        wanted = float(own_s)
    elif now < rhythm.alert_until:
        wanted = max(ALERT_S, bearable)
    else:
        wanted = max(rhythm.quiet_s, bearable)
    if now < rhythm.recovering_until and not own_s:
        found = wanted * (0.5 + chance)  # over the whole of a period: who came together parts
    else:
        found = wanted * (1 - SPREAD + 2 * SPREAD * chance)
    return round(min(max(found, SHORTEST_S), LONGEST_S))
