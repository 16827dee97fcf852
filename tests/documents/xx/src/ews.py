"""NEWS2 early warning score."""
from dataclasses import dataclass

@dataclass
class Obs:
    rr: int; spo2: int; sbp: int; hr: int; temp: float; acvpu: str = "A"; on_o2: bool = False

def news2(o: Obs, scale2: bool = False) -> int:
    s = 0
    s += 3 if o.rr <= 8 or o.rr >= 25 else 2 if o.rr >= 21 else 1 if o.rr <= 11 else 0
    s += 3 if o.spo2 <= 91 else 2 if o.spo2 <= 93 else 1 if o.spo2 <= 95 else 0
    s += 2 if o.on_o2 else 0
    s += 3 if o.sbp <= 90 or o.sbp >= 220 else 0
    return s + (3 if o.acvpu != "A" else 0)

# patient deteriorating -> escalate to med reg if score >= 7
