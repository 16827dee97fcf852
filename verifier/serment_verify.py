#!/usr/bin/env python3
"""Checks an audit log of Serment without Serment: one file, the standard library and ``cryptography``.

    python3 serment_verify.py FOLDER [--key FINGERPRINT] [--witness HEX]
    python3 serment_verify.py --proof FILE [--key FINGERPRINT]
    python3 serment_verify.py --dossier FILE [--key FINGERPRINT]

Written from docs/formats/audit-log.md alone; it shares no code with the program that writes the log, so that an error
of the one is not an error of both. It reads, and changes nothing. Exit status: 0 intact, 1 changed or cut off, 2 not
readable as a log. Prints one line of JSON: {"intact": true, "records": N, ...} or {"intact": false, "index": N,
"why": "..."}, the index being the first record that is not vouched for.
"""

import argparse
import base64
import hashlib
import json
import re
import struct
import sys
import zlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LEAF, CHECKPOINT, COSIGNED = 1, 2, 4
KNOWN_TYPES = {1, 2, 3, 4, 5}
MAX_BODY = 131072
MAX_UNSEALED = 1024
NAMES = [
    "channel",
    "service",
    "arrival",
    "cause",
    "strength",
    "hold",
    "judgement",
    "kind",
    "confidence",
    "identified",
    "patients",
    "test",
    "listed",
    "format",
    "problem",
    "pictures",
    "size",
    "ext",
    "decision",
    "wanted",
    "wanted_by",
    "rule",
    "policy",
    "release",
    "mode",
    "exception",
    "act",
    "engine",
    "file",
    "volume",
    "device",
    "user",
    "of",
    "result",
    "action",
    "held",
    "version",
    "clean",
    "dropped",
    "open",
    "head",
    "bus",
    "vendor_id",
    "product_id",
    "vendor",
    "product",
    "serial",
    "filesystem",
    "state",
    "what",
    "word",
    "profile",
    "source",
    "segment",
    "offset",
    "index",
    "before",
    "by",
    "root",
]
CODES = {chr(0x21 + at): name for at, name in enumerate(NAMES)}
DIGESTS = {"file", "volume", "serial", "user", "root", "head"}
RESERVED = {"i", "t", "m", "b", "k", "p"}
WHYS = {1: "flush", 2: "beat", 3: "stop"}


class Tampered(Exception):
    def __init__(self, index, why):
        super().__init__(why)
        self.index = index
        self.why = why


class Unreadable(Exception):
    pass


class Malformed(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


# ---- records


class Pack:
    """A reader of canonical MessagePack: each value in its shortest form, keys in order, nothing behind."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise Malformed("short")
        self.at += count
        return piece

    def number(self, width, least, signed=False):
        value = int.from_bytes(self.take(width), "big", signed=signed)
        if least is not None and value < least:
            raise Malformed("not the shortest form")
        return value

    def value(self, depth):
        tag = self.take(1)[0]
        if tag < 0x80:
            return tag
        if tag >= 0xE0:
            return tag - 256
        if 0x80 <= tag <= 0x8F:
            return self.table(tag & 15, depth)
        if 0x90 <= tag <= 0x9F:
            return self.row(tag & 15, depth)
        if 0xA0 <= tag <= 0xBF:
            return self.text(tag & 31)
        simple = {0xC0: None, 0xC2: False, 0xC3: True}
        if tag in simple:
            return simple[tag]
        if tag == 0xC4:
            return self.take(self.number(1, None))
        unsigned = {0xCC: (1, 128), 0xCD: (2, 256), 0xCE: (4, 65536), 0xCF: (8, 1 << 32)}
        if tag in unsigned:
            return self.number(*unsigned[tag])
        signed = {0xD0: (1, -32), 0xD1: (2, -128), 0xD2: (4, -32768), 0xD3: (8, -(1 << 31))}
        if tag in signed:
            width, below = signed[tag]
            value = self.number(width, None, signed=True)
            if value >= below:
                raise Malformed("not the shortest form")
            return value
        if tag == 0xD9:
            return self.text(self.number(1, 32))
        if tag == 0xDA:
            return self.text(self.number(2, 256))
        if tag == 0xDC:
            return self.row(self.number(2, 16), depth)
        if tag == 0xDE:
            return self.table(self.number(2, 16), depth)
        raise Malformed("a type that no record holds")

    def text(self, length):
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed("not UTF-8") from None

    def row(self, count, depth):
        if depth == 0:
            raise Malformed("too deep")
        return [self.value(depth - 1) for _ in range(count)]

    def table(self, count, depth):
        if depth == 0:
            raise Malformed("too deep")
        found, last = {}, None
        for _ in range(count):
            key = self.value(0)
            if type(key) is not str or not 0 < len(key) <= 64 or (last is not None and key.encode() <= last):
                raise Malformed("keys")
            last = key.encode()
            found[key] = self.value(depth - 1)
        return found


def plain(value):
    if type(value) is int:
        return abs(value) < 1 << 53
    return value is None or type(value) is bool or (type(value) is str and len(value) <= 512)


def within(value, depth):
    """Whether a value of version 1 keeps the limits: plain, or lists and tables not too deep."""
    if type(value) is dict:
        return depth > 0 and all(0 < len(key) <= 64 and within(each, depth - 1) for key, each in value.items())
    if type(value) is list:
        return depth > 0 and all(within(each, depth - 1) for each in value)
    return plain(value)


def is_digest_text(value):
    return type(value) is str and re.fullmatch("(?:[0-9a-f]{2}){4,32}", value) is not None


def named(table):
    """The fields by name. Raises Malformed."""
    found = {}
    for code, value in table.items():
        name = CODES.get(code, code)
        if code not in CODES and (code < "a" or code in NAMES or code in RESERVED):
            raise Malformed("name")
        if type(value) is dict:
            value = named(value)
        elif type(value) is list:
            value = [named(each) if type(each) is dict else each for each in value]
            if not all(plain(each) or type(each) in (dict, list) for each in value):
                raise Malformed("value")
            if not all(plain(leaf) for each in value if type(each) is list for leaf in each):
                raise Malformed("value")
        elif not plain(value):
            raise Malformed("value")
        found[name] = value
    return found


def read_record(public):
    """The record as a dict. Raises Malformed."""
    if len(public) > 4096:
        raise Malformed("too long")
    if public[:1] == b"{":
        return read_old(public)
    pack = Pack(public)
    if pack.take(1) != b"\x99":
        raise Malformed("no record")
    index, time, ticks, boot, link, nonce, kind = (pack.value(0) for _ in range(7))
    fields, digests = pack.value(3), pack.value(1)
    if pack.at != len(public) or type(fields) is not dict or type(digests) is not dict:
        raise Malformed("shape")
    if any(type(number) is not int or not 0 <= number < 1 << 53 for number in (index, time, ticks)):
        raise Malformed("numbers")
    if [(type(each), len(each)) for each in (boot, link, nonce) if type(each) is bytes] != [
        (bytes, 4),
        (bytes, 8),
        (bytes, 16),
    ]:
        raise Malformed("bytes")
    if type(kind) is not str or not 0 < len(kind) <= 32:
        raise Malformed("kind")
    found = named(fields)
    if any(is_digest_text(found.get(name)) for name in DIGESTS):
        raise Malformed("a digest as text")
    for code, value in digests.items():
        if CODES.get(code) not in DIGESTS or code in fields or type(value) is not bytes or not 4 <= len(value) <= 32:
            raise Malformed("digest")
        found[CODES[code]] = value.hex()
    return {**found, "i": index, "t": time, "m": ticks, "b": boot.hex(), "p": link.hex(), "k": kind}


def read_old(public):
    def refuse(text):
        raise Malformed(text)

    try:
        found = json.loads(public.decode("utf-8"), parse_float=refuse, parse_constant=refuse)
        again = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Malformed("JSON") from None
    if again != public or type(found) is not dict:
        raise Malformed("not canonical")
    if not within(found, 3):
        raise Malformed("value")
    for key, kind in (("i", int), ("t", int), ("m", int), ("b", str), ("k", str), ("p", str)):
        if type(found.get(key)) is not kind:
            raise Malformed("reserved")
    return found


# ---- frames


def frames(data):
    """(type or None for damage, body) for each; what is torn at the end is left out."""
    at, found = 0, []
    while at < len(data):
        frame = frame_at(data, at)
        if frame:
            found.append((frame[0], frame[1]))
            at = frame[2]
            continue
        following = next((place for place in range(at + 1, len(data) - 11) if frame_at(data, place)), None)
        if following is None:
            return found, True
        found.append((None, b""))
        at = following
    return found, False


def frame_at(data, at):
    if at + 12 > len(data):
        return None
    length, kind, padding, checksum = struct.unpack_from(">IB3sI", data, at)
    end = at + 12 + length
    if kind not in KNOWN_TYPES or padding != b"\0\0\0" or length > MAX_BODY or end > len(data):
        return None
    body = data[at + 12 : end]
    return (kind, body, end) if zlib.crc32(body) == checksum else None


# ---- tree


class Tree:
    def __init__(self, size=0, subtrees=()):
        self.stack = []  # (level, hash), the largest first
        levels = [level for level in range(64) if size >> level & 1]
        if len(levels) != len(subtrees):
            raise Unreadable("prefix.json: the subtrees do not fit the size")
        for level, subtree in zip(reversed(levels), reversed(subtrees)):
            self.stack.append((level, subtree))

    def add(self, leaf):
        level = 0
        while self.stack and self.stack[-1][0] == level:
            leaf = sha(b"\x01" + self.stack.pop()[1] + leaf)
            level += 1
        self.stack.append((level, leaf))

    def root(self):
        if not self.stack:
            return sha(b"")
        found = self.stack[-1][1]
        for _, subtree in reversed(self.stack[:-1]):
            found = sha(b"\x01" + subtree + found)
        return found


# ---- seals


def b64(data):
    return base64.b64encode(data).decode("ascii")


def log_name(identity):
    return "serment-log/" + hashlib.sha256(identity).hexdigest()[:32]


def signature_holds(public, signature, message):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_seal(body):
    """A dict. Raises Malformed."""
    if len(body) == 145 and body[0] in WHYS:
        why, size, time, root, following, signature = struct.unpack(">BQQ32s32s64s", body)
        return {"why": WHYS[why], "size": size, "time": time, "root": root, "next": following, "signature": signature}
    if len(body) == 241 and body[0] == 0:
        _, size, time, root, following, identity, by, start, signature = struct.unpack(">BQQ32s32s32s32s32s64s", body)
        return {"why": "open", "size": size, "time": time, "root": root, "next": following, "signature": signature,
                "identity": identity, "by": by, "start": start}  # fmt: skip
    raise Malformed("seal")


def seal_text(seal, name):
    words = [seal["why"], str(seal["time"]), b64(seal["next"])]
    words += [b64(seal[key]) for key in ("identity", "by", "start") if key in seal]
    return f"{name}\n{seal['size']}\n{b64(seal['root'])}\n{' '.join(words)}\n".encode()


def read_cosigned(body):
    if not 145 <= len(body) <= 208:
        raise Malformed("cosignature")
    size, root, time, key, signature = struct.unpack_from(">Q32sQ32s64s", body)
    name = body[144:].decode("ascii", "replace")
    if not re.fullmatch(r"[!-*,-~]{1,64}", name):
        raise Malformed("cosignature")
    return {"size": size, "root": root, "time": time, "key": key, "signature": signature}


# ---- the log


class Log:
    def __init__(self, key, witness):
        self.key, self.witness = key, witness
        self.count, self.head, self.before = 0, bytes(32), bytes(32)
        self.tree, self.roots = Tree(), {}
        self.sealed = self.purged = self.seals = 0
        self.identity = self.seal_key = self.start_key = None
        self.old = True
        self.cosigned = []
        self.purge = None  # (size, root) that a purge record must tell
        self.heads = {0: bytes(32)}

    def begin(self, prefix):
        self.count = self.purged = self.sealed = prefix["size"]
        self.head = bytes.fromhex(prefix["head"])
        self.tree = Tree(prefix["size"], [bytes.fromhex(each) for each in prefix["frontier"]])
        self.roots[self.count] = self.tree.root()
        self.purge = [self.count, self.tree.root().hex(), False]
        for body in prefix["openings"]:
            self.opening(read_seal(bytes.fromhex(body)))
        self.old = not prefix["openings"]
        self.seal_key = bytes.fromhex(prefix["key"]) or None

    def frame(self, kind, body):
        try:
            if kind == LEAF:
                self.leaf(body)
            elif kind == CHECKPOINT:
                self.seal(read_seal(body))
            elif kind == COSIGNED:
                self.cosigned.append(read_cosigned(body))
            else:
                raise Tampered(self.count, "damaged, or no frame of a log")
        except Malformed as error:
            raise Tampered(self.count, f"not of the format: {error}") from None

    def leaf(self, body):
        length = int.from_bytes(body[:2], "big")
        if len(body) < 2 + length:
            raise Malformed("frame")
        public, private = body[2 : 2 + length], body[2 + length :]
        record = read_record(public)
        if record["i"] != self.count:
            raise Tampered(min(record["i"], self.count), f"record {record['i']} stands where {self.count} should")
        if record["p"] != self.head.hex()[:16]:
            raise Tampered(max(self.count - 1, 0), "the next record names another one as the one before it")
        leaf = sha(b"\0" + sha(public) + sha(private))
        old = public[:1] == b"{"
        if old and not self.old:
            raise Tampered(self.count, "a record of version 1 behind one of version 2")
        self.old = old
        self.before, self.head = self.head, sha(b"\x02" + self.head + leaf) if old else leaf
        self.tree.add(leaf)
        self.count += 1
        self.heads = {self.count: self.head}
        if self.purge and record["k"] == "purge" and [record.get("until"), record.get("root")] == self.purge[:2]:
            self.purge[2] = True

    def seal(self, seal):
        if seal["size"] != self.count:
            raise Tampered(
                min(seal["size"], self.count), f"a seal over {seal['size']} records stands behind {self.count}"
            )
        root = self.roots[self.count] = self.tree.root()
        if seal["root"] != root:
            raise Tampered(self.sealed, "the seal is over other records")
        if seal["why"] == "open":
            self.opening(seal)
        elif self.seal_key is None or not self.vouches(seal, self.seal_key):
            raise Tampered(self.sealed, "a seal is not signed by the key that was announced for it")
        self.sealed, self.seal_key = seal["size"], seal["next"]
        self.seals += 1

    def opening(self, seal):
        self.identity = self.identity or seal["identity"]
        if self.key and not log_name(self.identity).endswith("/" + self.key):
            raise Tampered(seal["size"], "the log of another laptop")
        if seal["identity"] != self.identity:
            raise Tampered(seal["size"], "the log of another laptop")
        if seal["by"] != (self.start_key or self.identity) or not self.vouches(seal, seal["by"]):
            raise Tampered(min(self.sealed, seal["size"]), "a session that the log did not announce")
        self.start_key = seal["start"]

    def vouches(self, seal, key):
        return signature_holds(key, seal["signature"], seal_text(seal, log_name(self.identity)))

    def end(self):
        if self.purge and not self.purge[2]:
            raise Tampered(0, "records are gone and no record tells of their purge")
        if not self.old and self.start_key is None:
            raise Tampered(0, "no session was ever opened")
        if self.key and self.identity is None:
            raise Tampered(0, "the log has no name")
        if not self.old and self.count - self.sealed > MAX_UNSEALED:
            raise Tampered(self.sealed, "the seals are missing")
        for said in self.cosigned:
            if self.witness in (None, said["key"]) and self.identity is not None:
                self.witnessed(said)

    def witnessed(self, said):
        name = log_name(self.identity)
        text = f"cosignature/v1\ntime {said['time']}\n{name}\n{said['size']}\n{b64(said['root'])}\n".encode()
        if said["size"] > self.count:
            raise Tampered(self.count, "the collector held more records")
        if not signature_holds(said["key"], said["signature"], text):
            raise Tampered(said["size"], "not a statement of the collector")
        if said["size"] >= self.purged and self.roots.get(said["size"]) != said["root"]:
            raise Tampered(max(said["size"] - 1, 0), "the collector held other records")


def check_folder(folder, key=None, witness=None):
    """What was found. Raises Tampered and Unreadable."""
    numbers = sorted(int(path.stem) for path in folder.glob("*.slog") if re.fullmatch(r"\d{8}", path.stem))
    head = load(folder / "head.json")
    prefix = load(folder / "prefix.json")
    if head is None and not numbers:
        raise Unreadable("there is no log here")
    log = Log(key, witness)
    if prefix is not None:
        log.begin(prefix)
        numbers = [number for number in numbers if number >= prefix["segment"]]
    met = head is not None and head["size"] <= log.count
    for number in numbers:
        try:
            found, torn = frames((folder / f"{number:08d}.slog").read_bytes())
        except OSError as error:
            raise Unreadable(str(error)) from None
        if torn and number != numbers[-1]:
            found.append((None, b""))
        for kind, body in found:
            log.frame(kind, body)
            if kind == LEAF and head is not None and log.count == head["size"]:
                met = True
                if log.head.hex() != head["head"]:
                    raise Tampered(log.count - 1, "not what head.json says")
    if head is None and log.count:
        raise Tampered(log.count, "head.json is gone")
    if head is not None and not met:
        raise Tampered(log.count, "shorter than head.json says")
    log.end()
    if head is not None and head.get("version", 1) > 1 and not log.old and log.sealed < min(head["size"], log.count):
        raise Tampered(log.sealed, "the seals are missing")
    return {"intact": True, "records": log.count, "purged": log.purged, "sealed": log.sealed, "seals": log.seals,
            "log": log_name(log.identity) if log.identity else None}  # fmt: skip


def load(path):
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(f"{path.name}: {error}") from None
    if type(found) is not dict or type(found.get("size")) is not int or found["size"] < 0:
        raise Unreadable(f"{path.name}: not of its form")
    return found


# ---- a proof


def check_proof(proof, key=None):
    """What the record of a proof says. Raises Tampered and Unreadable."""
    try:
        public, hidden = base64.b64decode(proof["public"]), bytes.fromhex(proof["private_hash"])
        path = [bytes.fromhex(each) for each in proof["path"]]
        seals = [read_seal(base64.b64decode(each)) for each in proof["seals"]]
        record = read_record(public)
        index, size = record["i"], seals[-1]["size"]
    except (KeyError, TypeError, ValueError, IndexError, Malformed) as error:
        raise Unreadable(f"not a proof: {error}") from None
    log = Log(key, None)
    for seal in seals:
        if seal["why"] == "open":
            log.opening(seal)
        elif log.seal_key is None or not log.vouches(seal, log.seal_key):
            raise Tampered(index, "a seal is not signed by the key that was announced for it")
        log.seal_key, log.sealed = seal["next"], seal["size"]
    found, low, high, turns = sha(b"\0" + sha(public) + hidden), 0, size, []
    if not index < size:
        raise Tampered(index, "the seal does not cover the record")
    while high - low > 1:  # from the root down: on which side the record lies
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        turns.append(index >= middle)
        low, high = (middle, high) if index >= middle else (low, middle)
    if len(turns) != len(path):
        raise Tampered(index, "the path is not of the right length")
    for right, sibling in zip(reversed(turns), path):
        found = sha(b"\x01" + sibling + found) if right else sha(b"\x01" + found + sibling)
    if found != seals[-1]["root"]:
        raise Tampered(index, "the record is not the one that was sealed")
    return {"intact": True, "log": log_name(log.identity), "record": record, "sealed_at_us": seals[-1]["time"]}


# ---- a dossier (docs/formats/dossier.md)


def check_shared(proof, key=None):
    """The records that a dossier's proof shows, by number, and its last seal. Raises Tampered and Unreadable."""
    try:
        seals = [read_seal(base64.b64decode(each)) for each in proof["seals"]]
        given = {tuple(map(int, name.split("/"))): base64.b64decode(each) for name, each in proof["nodes"].items()}
        leaves, records = {}, {}
        for each in proof["records"]:
            public = base64.b64decode(each["public"])
            record = read_record(public)
            leaves[record["i"]] = sha(b"\0" + sha(public) + bytes.fromhex(each["private_hash"]))
            records[record["i"]] = record
        size, root = seals[-1]["size"], seals[-1]["root"]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, Malformed) as error:
        raise Unreadable(f"not a proof: {error}") from None
    log = Log(key, None)
    for seal in seals:
        if seal["why"] == "open":
            log.opening(seal)
        elif log.seal_key is None or not log.vouches(seal, log.seal_key):
            raise Tampered(min(records), "a seal is not signed by the key that was announced for it")
        log.seal_key, log.sealed = seal["next"], seal["size"]
    if not leaves or max(leaves) >= size:
        raise Tampered(max(leaves, default=0), "the seal does not cover the record")
    tree, at = Tree(), 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            tree.stack.append((level, shared_node(level, at >> level, leaves, given)))
            at += 1 << level
    if tree.root() != root:
        raise Tampered(min(leaves), "the records are not those that were sealed")
    return log, records, seals[-1]


def shared_node(level, place, leaves, given):
    """The hash of a perfect subtree: given when no record of the dossier lies under it, else made of its halves."""
    known = {(0, number): leaf for number, leaf in leaves.items() if number >> level == place}
    for step in range(level):
        needed = {spot >> 1 for _, spot in known}
        known = {
            (step + 1, spot): sha(b"\x01" + b"".join(
                known.get((step, half)) or given.get((step, half), b"") for half in (2 * spot, 2 * spot + 1)))
            for spot in needed
        }  # fmt: skip
    return known.get((level, place)) or given.get((level, place), b"")


def check_dossier(path, key=None):
    """What holds of dossier.json, by itself and by the signature beside it. Raises Tampered and Unreadable."""
    try:
        return checked_dossier(path, load_proof(path), key)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        raise Unreadable(f"not a dossier: {error}") from None


def checked_dossier(path, dossier, key):
    if dossier.get("format") != "serment-dossier/1" or type(dossier.get("proof")) is not dict:
        raise Unreadable("not a dossier with a proof")
    log, records, last = check_shared(dossier["proof"], key)
    if dossier["log"]["name"] != log_name(log.identity):
        raise Tampered(0, "the dossier names another log")
    for document in dossier["facts"]["documents"]:
        record = records.get(document["number"])
        if record is None or record["k"] != "transfer" or not set(document["records"]) <= set(records):
            raise Tampered(document["number"], "a document without its record")
        told = [(document["size"], record.get("size", 0)), (document["patients"], record.get("patients", 0)),
                (document["time_us"], record["t"]), (document["kind"], record.get("kind", "")),
                (document["judgement"], record.get("judgement", "")), (document["decision"], record.get("decision", ""))]  # fmt: skip
        if any(one != other for one, other in told):
            raise Tampered(document["number"], "a document is not what its record says")
    found = {"intact": True, "log": log_name(log.identity), "records": len(records), "sealed_at_us": last["time"],
             "documents": len(dossier["facts"]["documents"]), "signed": False}  # fmt: skip
    signature = path.with_name("dossier.signature.json")
    if signature.exists():
        signing, signed, last = check_shared(load_proof(signature)["proof"], key)
        record = signed[max(signed)]
        if record["k"] != "dossier" or record.get("json") != hashlib.sha256(path.read_bytes()).hexdigest():
            raise Tampered(max(signed), "not the file that was signed")
        pdf = path.with_name("dossier.pdf")
        if pdf.exists() and record.get("pdf") != hashlib.sha256(pdf.read_bytes()).hexdigest():
            raise Tampered(max(signed), "dossier.pdf is not the file that was signed")
        found |= {"signed": True, "signed_by": log_name(signing.identity), "signed_at_us": last["time"]}
    return found


def digits(count, text):
    """Hexadecimal digits as they are printed elsewhere; an empty word is none, and no log is checked against none."""
    found = "".join(text.lower().split()).removeprefix("serment-log/")
    if len(found) != count or not set(found) <= set("0123456789abcdef"):
        raise ValueError
    return found


def fingerprint(text):
    return digits(32, text)


def public_key(text):
    return bytes.fromhex(digits(64, text))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="the folder with the .slog files")
    parser.add_argument("--proof", type=Path, help="a file that « serment audit prove » wrote, instead of a folder")
    parser.add_argument(
        "--dossier", type=Path, help="the dossier.json of « serment audit dossier », instead of a folder"
    )
    parser.add_argument(
        "--key", type=fingerprint, help="the fingerprint that the log must have (32 hexadecimal digits)"
    )
    parser.add_argument("--witness", type=public_key, help="the collector's public key (64 hexadecimal digits)")
    chosen = parser.parse_args(arguments)
    if [chosen.folder, chosen.proof, chosen.dossier].count(None) != 2:
        parser.error("give a folder, --proof FILE, or --dossier FILE")
    try:
        if chosen.dossier is not None:
            found = check_dossier(chosen.dossier, chosen.key)
        elif chosen.proof is not None:
            found = check_proof(load_proof(chosen.proof), chosen.key)
        else:
            found = check_folder(chosen.folder, chosen.key, chosen.witness)
    except Tampered as error:
        print(json.dumps({"intact": False, "index": error.index, "why": error.why}))
        return 1
    except Unreadable as error:
        print(json.dumps({"intact": None, "why": str(error)}))
        return 2
    print(json.dumps(found))
    return 0


def load_proof(path):
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    if type(found) is not dict:
        raise Unreadable("not a proof")
    return found


if __name__ == "__main__":
    sys.exit(main())
