"""Tampers with logs in every way that is known here, and says which verification shows: the tamper campaign.

    .venv/bin/python -m bench.tamper [--cases N] [--seed S] [--json]

Every case is an honest log of several sessions (written by the real writer), of which one copy is changed as by
somebody who may write the folder, knows the format and mends checksums, numbers, links and head.json afterwards, but
has no key that was gone by then. Both verifiers judge it: Serment's and the independent one. The table says for each
kind of tampering how many were shown; the kinds that no log on a laptop can show stand in it too, with why.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from agent.audit import chain, checkpoint, frames, record, start_key, tree
from agent.audit.checkpoint import Cosigned, Seal, Why
from agent.audit.frames import Frame, FrameType
from agent.audit.head import Head, read_head, write_head
from agent.audit.log import AuditLog
from agent.audit.segments import items, segment_path, verify_folder
from agent.crypto.signing import FileKey
from agent.errors import AuditError, TamperError

sys.path.insert(0, str(Path(__file__).parent.parent / "verifier"))
import serment_verify

DEFAULT_CASES = 400


class Clock:
    boot = "0badcafe"

    def __init__(self) -> None:
        self.time = 1_795_289_704_000_000

    def now(self) -> tuple[int, int]:
        self.time += 1_000_000
        return self.time, 42


class Log(NamedTuple):
    """An honest log: its frames in order, its head, and what a collector signed of it in the middle and at the end."""

    frames: list[tuple[int, bytes]]
    head: Head
    middle: Cosigned
    whole: Cosigned
    start: bytes  # the start.key of the end
    witness: FileKey


def make(seed: int, witness: FileKey) -> Log:
    """A log of three sessions, some of them killed."""
    chance = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="serment-tamper-"))
    said = []
    try:
        clock = Clock()
        for session in range(3):
            log = AuditLog.open(folder / "audit", clock=clock, flush_after_s=3600)
            log.start(version="1", device=f"dev{seed}")
            for number in range(chance.randrange(4, 12)):
                log.append(
                    "transfer", {"n": number, "seed": seed, "user": "0badcafe0bad"}, durable=chance.random() < 0.4
                )
            if session == 2:
                log.append("transfer", {"n": 99, "seed": seed})
            log.flush()
            head = read_head(folder / "audit")
            assert head is not None
            root = tree.root(head.subtrees())
            name = checkpoint.origin(bytes.fromhex(head.identity))
            signature = witness.sign(checkpoint.cosigned_text(name, head.size, root, 7))
            said.append(Cosigned(head.size, root, 7, witness.public, signature, "serment-collector"))
            if session == 1 and chance.random() < 0.5:
                log.cosigned(said[-1])
            if session < 2 and chance.random() < 0.5:
                log.close()
            else:
                log._let_go()
        whole = [(item.kind, item.body) for _, item in items(folder / "audit") if isinstance(item, Frame)]
        return Log(whole, head, said[1], said[2], (folder / "audit" / start_key.FILE_NAME).read_bytes(), witness)
    finally:
        shutil.rmtree(folder)


# ruff: noqa: ARG001 - every kind of tampering is called alike
# ---- what somebody does. Each gets the frames (to change in place) and what is needed to mend.

Frames = list[tuple[int, bytes]]


def leaves(found: Frames) -> list[int]:
    return [at for at, (kind, _) in enumerate(found) if kind == FrameType.LEAF]


def seals(found: Frames) -> list[int]:
    return [at for at, (kind, _) in enumerate(found) if kind == FrameType.CHECKPOINT]


def sealed_leaves(found: Frames) -> list[int]:
    last = seals(found)[-1]
    return [at for at in leaves(found) if at < last]


def public_of(body: bytes) -> dict[str, Any]:
    return record.decode(frames.unpack_leaf(body)[0])


def with_fields(body: bytes, **changes: Any) -> bytes:
    public, private = frames.unpack_leaf(body)
    fields = {**record.decode(public), **changes}
    reserved = [fields.pop(key) for key in ("i", "t", "m", "b", "k", "p")]
    again = record.encode(*reserved, fields, record.decode_raw(public).nonce)
    return len(again).to_bytes(2, "big") + again + private


def relink(found: Frames) -> None:
    """Number every record anew and mend every link, as somebody who knows the format does."""
    head, index = chain.EMPTY_HEAD, 0
    for at in leaves(found):
        body = with_fields(found[at][1], i=index, p=chain.link(head))
        found[at] = (FrameType.LEAF, body)
        public, private = frames.unpack_leaf(body)
        head, index = chain.leaf(public, chain.private_hash(private)), index + 1


def reroot(found: Frames, sign: Callable[[Seal, bytes], Seal] | None = None) -> None:
    """Put the right sizes and roots into the seals; signed anew by ``sign``, or with the old signature."""
    frontier: tree.Frontier = []
    size, identity = 0, b""
    for at, (kind, body) in enumerate(found):
        if kind == FrameType.LEAF:
            public, private = frames.unpack_leaf(body)
            tree.extend(frontier, [chain.leaf(public, chain.private_hash(private))])
            size += 1
        elif kind == FrameType.CHECKPOINT:
            seal = checkpoint.unpack(body)
            identity = identity or seal.identity
            seal = seal._replace(size=size, root=tree.root(frontier))
            found[at] = (kind, checkpoint.pack(sign(seal, identity) if sign else seal))


def edit(found: Frames, chance: random.Random, log: Log) -> None:
    at = chance.choice(sealed_leaves(found))
    found[at] = (FrameType.LEAF, with_fields(found[at][1], n=1000))


def edit_mended(found: Frames, chance: random.Random, log: Log) -> None:
    edit(found, chance, log)
    relink(found)


def edit_rerooted(found: Frames, chance: random.Random, log: Log) -> None:
    edit_mended(found, chance, log)
    reroot(found)


def edit_private(found: Frames, chance: random.Random, log: Log) -> None:
    at = chance.choice(sealed_leaves(found))
    found[at] = (FrameType.LEAF, found[at][1] + b"x")


def edit_time_of_seal(found: Frames, chance: random.Random, log: Log) -> None:
    at = chance.choice(seals(found))
    seal = checkpoint.unpack(found[at][1])
    found[at] = (FrameType.CHECKPOINT, checkpoint.pack(seal._replace(time_us=seal.time_us + 1)))


def insert(found: Frames, chance: random.Random, log: Log) -> None:
    at = chance.choice(sealed_leaves(found))
    found.insert(at, (FrameType.LEAF, with_fields(found[at][1], n=1000)))
    if chance.random() < 0.7:
        relink(found)
    if chance.random() < 0.5:
        reroot(found)


def delete(found: Frames, chance: random.Random, log: Log) -> None:
    del found[chance.choice(sealed_leaves(found))]
    if chance.random() < 0.7:
        relink(found)
    if chance.random() < 0.5:
        reroot(found)


def reorder(found: Frames, chance: random.Random, log: Log) -> None:
    places = sealed_leaves(found)
    at = chance.randrange(len(places) - 1)
    one, other = places[at], places[at + 1]
    found[one], found[other] = found[other], found[one]
    if chance.random() < 0.7:
        relink(found)
    if chance.random() < 0.5:
        reroot(found)


def truncate_below_seal(found: Frames, chance: random.Random, log: Log) -> None:
    """Records before a seal go, the seal stays."""
    places = [at for at in seals(found) if at and found[at - 1][0] == FrameType.LEAF]
    at = chance.choice(places)
    del found[at - 1]


def reseal_later_key(found: Frames, chance: random.Random, log: Log) -> None:
    """Somebody who got a key of the last session (or made one) edits a record of before, and seals everything anew."""
    edit_mended(found, chance, log)
    key = FileKey()

    def sign(seal: Seal, identity: bytes) -> Seal:
        return seal._replace(signature=key.sign(checkpoint.text(seal, checkpoint.origin(identity))))

    reroot(found, sign)


def reseal_announced(found: Frames, chance: random.Random, log: Log) -> None:
    """As before, and the keys that sign are announced by the false seals themselves, from one seal on."""
    first = chance.randrange(len(seals(found)) - 1)
    edit_mended(found, chance, log)
    keys = [FileKey() for _ in range(len(seals(found)) + 1)]
    count = iter(range(len(keys)))

    def sign(seal: Seal, identity: bytes) -> Seal:
        number = next(count)
        if number < first:
            return seal
        seal = seal._replace(next_key=keys[number + 1].public)
        return seal._replace(signature=keys[number].sign(checkpoint.text(seal, checkpoint.origin(identity))))

    reroot(found, sign)


def open_with_later_start(found: Frames, chance: random.Random, log: Log) -> None:
    """An earlier session is opened anew with the start key that lies on the disk now."""
    key = FileKey(log.start[-32:])
    places = [at for at in seals(found) if checkpoint.unpack(found[at][1]).why is Why.OPEN]
    at = chance.choice(places[:-1])
    del found[at + 1 :]
    seal = checkpoint.unpack(found[at][1])._replace(by=key.public, next_start=FileKey().public)
    name = checkpoint.origin(seal.identity)
    found[at] = (FrameType.CHECKPOINT, checkpoint.pack(seal._replace(signature=key.sign(checkpoint.text(seal, name)))))


def remove_seals(found: Frames, chance: random.Random, log: Log) -> None:
    """Every seal, or one, or those of one session apart from its opening."""
    places = seals(found)
    chosen = chance.choice(("all", "one", "openings"))
    if chosen == "one":
        # the one before an opening hides nothing: the opening vouches for the same records
        follows = itertools.pairwise(places)
        gone = {chance.choice([at for at, after in follows if checkpoint.unpack(found[after][1]).why is not Why.OPEN])}
    elif chosen == "all":
        gone = set(places)
    else:
        gone = {at for at in places if checkpoint.unpack(found[at][1]).why is Why.OPEN}
    found[:] = [frame for at, frame in enumerate(found) if at not in gone]


def roll_back_session(found: Frames, chance: random.Random, log: Log) -> None:
    """A whole session between two others goes, and what follows is numbered anew."""
    places = [at for at in seals(found) if checkpoint.unpack(found[at][1]).why is Why.OPEN]
    first = chance.randrange(len(places) - 1)
    del found[places[first] : places[first + 1]]
    relink(found)
    if chance.random() < 0.5:
        reroot(found)


def splice(found: Frames, chance: random.Random, log: Log) -> None:
    """The sessions of another laptop take the place of the last ones."""
    other = make(chance.randrange(1 << 30), log.witness)
    places = [at for at in seals(found) if checkpoint.unpack(found[at][1]).why is Why.OPEN]
    theirs = [at for at in seals(other.frames) if checkpoint.unpack(other.frames[at][1]).why is Why.OPEN]
    found[places[-1] :] = other.frames[theirs[chance.randrange(len(theirs))] :]
    if chance.random() < 0.5:
        relink(found)


def another_laptops(found: Frames, chance: random.Random, log: Log) -> None:
    found[:] = make(chance.randrange(1 << 30), log.witness).frames


def damage(found: Frames, chance: random.Random, log: Log) -> None:
    """One byte, and no checksum mended: told apart by the type 0."""
    at = chance.choice(sealed_leaves(found))
    body = bytearray(found[at][1])
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    found[at] = (FrameType.LEAF | 0x100, bytes(body))


def false_witness(found: Frames, chance: random.Random, log: Log) -> None:
    """A statement that the collector never made."""
    said = log.middle._replace(root=bytes(32))
    found.append((FrameType.COSIGNED, checkpoint.pack_cosigned(said)))


def truncate_after_seal(found: Frames, chance: random.Random, log: Log) -> None:
    """Everything behind a seal of the last session goes; nothing is left to show it but who saw more."""
    places = seals(found)
    last = max(number for number, at in enumerate(places) if checkpoint.unpack(found[at][1]).why is Why.OPEN)
    at = places[chance.randrange(last, len(places) - 1)] if last < len(places) - 1 else places[last]
    del found[at + 1 :]


def unsealed_tail(found: Frames, chance: random.Random, log: Log) -> None:
    """A false record behind the last seal."""
    del found[seals(found)[-1] + 1 :]
    found.append((FrameType.LEAF, with_fields(found[leaves(found)[-1]][1], n=1000)))
    relink(found)


class Kind(NamedTuple):
    """``head``: whether head.json is mended too. ``needs``: what must be known from elsewhere for it to be shown."""

    does: Callable[[Frames, random.Random, Log], None]
    head: bool = True
    needs: str = ""


KINDS = {
    "edit": Kind(edit),
    "edit, numbers and links mended": Kind(edit_mended),
    "edit, roots in seals mended": Kind(edit_rerooted),
    "edit of a private part": Kind(edit_private),
    "time of a seal": Kind(edit_time_of_seal),
    "insert": Kind(insert),
    "delete": Kind(delete),
    "reorder": Kind(reorder),
    "truncate below a seal": Kind(truncate_below_seal),
    "re-seal with one key": Kind(reseal_later_key),
    "re-seal with announced keys": Kind(reseal_announced),
    "open with a later start key": Kind(open_with_later_start),
    "remove seals": Kind(remove_seals),
    "roll back across a start": Kind(roll_back_session),
    "splice two laptops": Kind(splice),
    "damage": Kind(damage),
    "false statement of the collector": Kind(false_witness),
    "truncate, head.json left": Kind(truncate_after_seal, head=False),
    "truncate, collector's statement kept": Kind(truncate_after_seal, needs="cosigned"),
    "another laptop's log, name known": Kind(another_laptops, needs="identity"),
    # what no log on the laptop can show:
    "truncate within the last session": Kind(truncate_after_seal, needs="impossible"),
    "false record behind the last seal": Kind(unsealed_tail, needs="impossible"),
    "another laptop's log, name unknown": Kind(another_laptops, needs="impossible"),
}


def lay(folder: Path, found: Frames, head: Head, mend: bool) -> None:
    """Write the frames as a log; with ``mend`` a head.json that fits them."""
    data = b""
    at, index, before, clean = chain.EMPTY_HEAD, 0, chain.EMPTY_HEAD, False
    frontier: tree.Frontier = []
    for kind, body in found:
        framed = frames.pack(FrameType(kind & 0xFF), body)
        if kind & 0x100:  # damage: the checksum is of something else
            framed = framed[:8] + bytes(4) + framed[12:]
        data += framed
        if kind == FrameType.LEAF:
            public, private = frames.unpack_leaf(body)
            leaf = chain.leaf(public, chain.private_hash(private))
            before, at, index = at, leaf, index + 1
            tree.extend(frontier, [leaf])
    segment_path(folder, 0).write_bytes(data)
    if mend:
        sealed = max((checkpoint.unpack(body).size for kind, body in found if kind == FrameType.CHECKPOINT), default=0)
        if sealed == index:
            head = msgspec.structs.replace(
                head, size=index, head=at.hex(), before=before.hex(), offset=len(data), clean=clean, open=(),
                frontier=tuple(each.hex() for each in tree.packed(frontier)),
            )  # fmt: skip
        else:  # the writer's head.json never promises more than is sealed; so does whoever mends it
            head = Head(version=2)
    write_head(folder, head, durable=False)


def shown(folder: Path, kind: Kind, log: Log) -> tuple[bool, bool, str]:
    """Whether Serment's verifier and the independent one show it, and Serment's word."""
    identity = bytes.fromhex(log.head.identity) if kind.needs == "identity" else None
    witnessed = (log.whole,) if kind.needs == "cosigned" else ()
    word = ""
    try:
        verify_folder(folder, identity, witnessed)
    except TamperError as error:
        word = str(error.fields["kind"])
    except AuditError:
        word = "unreadable"
    name = checkpoint.fingerprint(identity) if identity else None
    try:
        serment_verify.check_folder(folder, name)
    except (serment_verify.Tampered, serment_verify.Unreadable):
        return bool(word), True, word
    return bool(word), kind.needs == "cosigned" and bool(word), word


def run(cases: int, seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    witness = FileKey()
    honest = [make(seed * 1000 + number, witness) for number in range(min(40, max(4, cases // 50)))]
    names = list(KINDS)
    table: dict[str, Counter[str]] = {name: Counter() for name in names}
    apart = []
    folder = Path(tempfile.mkdtemp(prefix="serment-tamper-"))
    try:
        for number in range(cases):
            name = names[number % len(names)]
            kind, log = KINDS[name], chance.choice(honest)
            found = list(log.frames)
            kind.does(found, chance, log)
            lay(folder, found, log.head, kind.head)
            ours, theirs, word = shown(folder, kind, log)
            table[name]["cases"] += 1
            table[name]["shown"] += ours
            table[name][f"as {word}"] += bool(word)
            if ours != theirs:
                apart.append({"case": number, "kind": name, "ours": ours, "theirs": theirs})
        for log in honest:
            lay(folder, list(log.frames), log.head, False)
            verify_folder(folder, bytes.fromhex(log.head.identity), (log.middle, log.whole), witness.public)
            serment_verify.check_folder(folder)
    finally:
        shutil.rmtree(folder)
    missed = {name: row["cases"] - row["shown"] for name, row in table.items() if KINDS[name].needs != "impossible"}
    return {
        "cases": cases,
        "honest_logs": len(honest),
        "missed": {name: count for name, count in missed.items() if count},
        "verifiers_differ": apart,
        "table": {name: dict(row) for name, row in table.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=DEFAULT_CASES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = run(chosen.cases, chosen.seed)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, row in found["table"].items():
            words = ", ".join(f"{word[3:]} {count}" for word, count in row.items() if word.startswith("as ") and count)
            print(f"{name:40} {row['shown']:6} of {row['cases']:6}  {words}")
        print(f"missed: {found['missed'] or 'none'}; the verifiers differ in {len(found['verifiers_differ'])}")
        print(json.dumps(found["verifiers_differ"][:10]))
    sys.exit(1 if found["missed"] or found["verifiers_differ"] else 0)


if __name__ == "__main__":
    main()
