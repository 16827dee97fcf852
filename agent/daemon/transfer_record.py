"""What the audit log says of one transfer: facts, verdict, keyed digests. No document name, no text, no patient.

Pure: values in, a flat mapping out. The keys are listed in docs/formats/audit-log.md; the collector shows them and
``policy plan`` replays them, so they hold everything the verdict was decided on.
"""

from __future__ import annotations

from typing import Any

from agent.crypto.recipients import digest_of
from agent.daemon.device import DeviceIdentity
from agent.findings import Findings, Judgement
from agent.model import Cause, Device, Facts, FileEvent, Outcome, Place, Stamp, Verdict

ENGINE = "3"
"""Version of extraction and detection together: a new one makes files be judged again."""

_FICKLE_INODES = {"vfat", "msdos", "exfat", "fuseblk", "ntfs", "ntfs3", "fuse", "fusefat"}


MAX_EVIDENCE = 6
"""Types of findings in a record."""
MAX_NAME = 4096
"""Bytes of a document's name that are kept."""
MAX_RECIPIENTS = 16
"""Keys that an outcome record names; a document is sealed to a few."""


def engine_of(edition: str) -> str:
    """The engine together with the practice's patient list of this ``edition``: another list, another judgement."""
    return f"{ENGINE}.{edition}" if edition else ENGINE


def volume_digest(identity: DeviceIdentity, place: Place) -> str:
    """The same for the same volume or folder, on this laptop only."""
    device = place.device
    if device is not None and device.volume_uuid:
        return identity.pseudonym("volume", device.volume_uuid.encode(), device.serial.encode())
    return identity.pseudonym("folder", place.root)


def file_digest(identity: DeviceIdentity, place: Place, name: bytes, stamp: Stamp) -> str:
    """The same for the same file in the same state.

    Inode and change time say it best; FAT-like and FUSE file systems number inodes anew at each mount, so there name,
    size and time of modification stand for the file.
    """
    volume = volume_digest(identity, place).encode()
    state = (str(stamp.size).encode(), str(stamp.mtime_ns).encode())
    if place.device is not None and place.device.filesystem in _FICKLE_INODES:
        return identity.pseudonym("file-by-name", volume, name, *state)
    return identity.pseudonym("file", volume, str(stamp.inode).encode(), *state, str(stamp.ctime_ns).encode())


def transfer_fields(
    identity: DeviceIdentity,
    place: Place,
    facts: Facts,
    verdict: Verdict,
    cause: Cause,
    file: str,
    *,
    act: bool,
    pictures: str = "",
    engine: str = ENGINE,
    hold: str = "",
) -> dict[str, Any]:
    """The fields of a ``transfer`` record; ``act``: an ``outcome`` record will follow. Empty values are left out.

    ``pictures``: "unread" when the final look at the file's pictures is owed, "read" when this is it.
    ``engine``: what the findings were found with (``engine_of``).
    ``hold``: "file" or "name" when it was held before it went, so that nothing refused has left.
    """
    findings: Findings = facts.findings
    fields: dict[str, Any] = {
        "channel": str(facts.channel),
        "service": facts.service,
        "arrival": facts.arrival,
        "cause": str(cause),
        "strength": str(place.strength),
        "hold": hold,
        "judgement": str(findings.judgement),
        "kind": str(findings.kind),
        "confidence": round(findings.confidence * 1000),
        "identified": findings.identified,
        "patients": findings.patients,
        "test": findings.test_data,
        "format": str(findings.format),
        "problem": str(findings.problem or ""),
        "pictures": pictures,
        "size": facts.size,
        "ext": facts.extension,
        "decision": str(verdict.decision),
        "wanted": str(verdict.wanted),
        "rule": verdict.rule,
        "wanted_by": verdict.wanted_by if verdict.wanted_by != verdict.rule else "",
        "policy": verdict.policy,
        "release": verdict.release,
        "mode": str(verdict.mode),
        "exception": bool(verdict.exception),
        "act": act,
        "listed": findings.listed,
        "evidence": evidence_of(findings),
        "engine": engine,
        "file": file,
        "volume": volume_digest(identity, place),
        "user": identity.pseudonym("user", str(place.owner).encode(), length=12),
    }
    if place.device is not None:
        fields["device"] = device_fields(identity, place.device)
    return {key: value for key, value in fields.items() if value not in ("", False, None, {})}


def evidence_of(findings: Findings) -> dict[str, int]:
    """What the judgement rests on, for whoever asks later why: the weightiest types of findings and how often each was
    found. No sample, no place, nothing of the text.
    """
    if findings.judgement is Judgement.NOT_MEDICAL:
        return {}
    counts: dict[str, int] = {}
    for item in sorted(findings.items, key=lambda item: -abs(item.weight)):
        if str(item.type) in counts or len(counts) < MAX_EVIDENCE:
            counts[str(item.type)] = counts.get(str(item.type), 0) + item.count
    return counts


def private_part(event: FileEvent) -> dict[str, Any]:
    """The private part of a ``transfer`` record, as ``AuditLog.append`` takes it: what its owner calls the document."""
    return {"private": {"name": event.name[:MAX_NAME]}, "owner": event.place.owner}


def device_fields(identity: DeviceIdentity, device: Device) -> dict[str, str]:
    """What a device is, its serial number as a keyed digest."""
    fields = {
        "bus": device.bus,
        "vendor_id": device.vendor_id,
        "product_id": device.product_id,
        "vendor": device.vendor,
        "product": device.product,
        "serial": identity.pseudonym("serial", device.serial.encode()) if device.serial else "",
        "filesystem": device.filesystem,
    }
    return {key: value for key, value in fields.items() if value}


def outcome_fields(number: int, outcome: Outcome) -> dict[str, Any]:
    """The fields of the ``outcome`` record that closes transfer ``number``."""
    fields = {
        "of": number,
        "result": str(outcome.result),
        "action": str(outcome.action),
        "problem": outcome.problem,
        "held": outcome.held,
        "to": [digest_of(recipient) for recipient in outcome.recipients[:MAX_RECIPIENTS]],
    }
    return {key: value for key, value in fields.items() if value not in ("", [])}
