from collections.abc import Mapping
from typing import Any

def quick(
    index: int,
    time_us: int,
    monotonic_ms: int,
    boot: bytes,
    link: bytes,
    nonce: bytes,
    kind: str,
    fields: Mapping[str, Any],
) -> bytes | None: ...
