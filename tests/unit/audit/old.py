"""A log of version 1, as the first agents wrote it: made here from its description, nothing writes it any more."""

import json
from hashlib import sha256

from agent.audit import frames


def write_old_log(folder, count=20, stopped=True):
    """``count`` records; returns their public parts."""
    folder.mkdir(parents=True)
    head = before = bytes(32)
    publics, data = [], b""
    for index in range(count):
        fields = {"b": "0badcafe", "i": index, "m": 42, "p": head.hex()[:16], "t": 1_795_289_000_000_000 + index}
        if index == 0:
            fields |= {"k": "start", "clean": True, "head": head.hex(), "version": "0.1.0"}
        elif index == count - 1 and stopped:
            fields |= {"k": "stop"}
        elif index == 3:
            fields |= {"k": "transfer", "act": True, "n": index}
        else:
            fields |= {"k": "transfer", "n": index, "channel": "removable"}
        public = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        leaf = sha256(b"\0" + sha256(public).digest() + sha256(b"").digest()).digest()
        before, head = head, sha256(b"\2" + head + leaf).digest()
        publics.append(public)
        data += frames.pack_leaf(public)
    (folder / "00000000.slog").write_bytes(data)
    promise = {"size": count, "head": head.hex(), "before": before.hex(), "segment": 0, "offset": len(data)}
    (folder / "head.json").write_text(json.dumps({**promise, "open": [3], "clean": stopped}) + "\n")
    return publics
