"""Facts, the state of the log and the proof → the dossier as plain values: what stands in dossier.json. Pure.

docs/formats/dossier.md lists the fields. Everything in ``facts`` follows from the records of ``proof`` but what is told
there; ``checking`` reckons it again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.dossier.estimate import estimates
from agent.dossier.judgement import judge
from agent.dossier.model import Document, Facts, InForce, Span, Step, Stick

FORMAT = "serment-dossier/1"
AWARE_HOURS = 72

Local = Callable[[int], dt.datetime]
"""Microseconds since 1970 UTC → that moment in the reader's time zone, which it names."""


@dataclass(frozen=True, slots=True)
class LogState:
    """What is known of the log itself. ``whole``: all of its records could be read, not only those of one person."""

    name: str = ""
    records: int = 0
    intact: bool | None = None  # None: not verified as a whole
    problem: dict[str, Any] = field(default_factory=dict)  # index, kind: what verification found
    purged: int = 0
    cosigned: dict[str, Any] = field(default_factory=dict)
    whole: bool = True
    same_laptop: bool = True


@dataclass(frozen=True, slots=True)
class Made:
    """When and how the dossier was made. ``clock``: what the system says of its clock at that moment."""

    time_us: int
    version: str
    by: str  # administrator, owner, offline
    clock: Mapping[str, Any]
    found_us: int = 0  # when the practice became aware of it; 0: not said
    serial: str = ""  # as it was given by who asked, and found to be that of the device


@dataclass(frozen=True, slots=True)
class Known:
    """What stands beside the log: sentences of policies by release, names of recipients by fingerprint, names of
    documents by record (only for who may see them).
    """

    sentences: Mapping[str, Mapping[str, list[str]]] = field(default_factory=dict)  # release → language → sentences
    recipients: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)


def moment(time_us: int, local: Local) -> dict[str, str] | None:
    """A moment in both ways; None for a time that no calendar has."""
    try:
        utc = dt.datetime.fromtimestamp(time_us / 1e6, dt.UTC)
        return {"utc": utc.isoformat(timespec="seconds"), "local": local(time_us).isoformat(timespec="seconds")}
    except (OverflowError, ValueError, OSError):
        return None


def assemble(
    facts: Facts, log: LogState, made: Made, known: Known, local: Local, proof: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The whole dossier."""
    return {
        "format": FORMAT,
        "made": {
            "time": moment(made.time_us, local), "version": made.version, "by": made.by, "clock": dict(made.clock),
        },
        "log": {
            "name": log.name, "records": log.records, "intact": log.intact, "problem": dict(log.problem),
            "purged": log.purged, "cosigned": dict(log.cosigned), "whole": log.whole, "same_laptop": log.same_laptop,
        },
        "facts": told(facts, known, local, serial=made.serial),
        "aware": _aware(made, local),
        "judgement": _judged(facts, log),
        "proof": dict(proof) if proof is not None else None,
    }  # fmt: skip


def told(facts: Facts, known: Known, local: Local, serial: str = "") -> dict[str, Any]:
    """The facts as plain values."""
    scope = facts.scope
    ids = {volume: at for at, stick in enumerate(facts.sticks, 1) for volume in stick.volumes}
    return {
        "scope": {
            "kind": scope.kind, "asked": scope.asked, "digests": sorted(scope.digests),
            "since_us": scope.since, "until_us": scope.until,
            "since": moment(facts.first_us, local), "until": moment(facts.last_us, local),
        },
        "records": [facts.first, facts.last],
        "sticks": [_stick(stick, at, local, serial) for at, stick in enumerate(facts.sticks, 1)],
        "documents": [_document(each, ids.get(each.place, 0), known, local) for each in facts.documents],
        "not_medical": facts.not_medical, "sealed_files": facts.sealed_files,
        "downloads": facts.downloads, "counted_only": facts.counted_only,
        "estimate": estimates(facts.documents),
        "policies": [_policy(each, known, local) for each in facts.policies if each.during],
        "gaps": [_gap(span, local) for span in facts.gaps],
        "clock": [_step(step, local) for step in facts.steps],
        "clock_at_start": [
            {"number": each.number, "time": moment(each.time_us, local), "error_ms": each.error_ms}
            for each in facts.starts
        ],
        "read_up_to": moment(facts.sure_us, local),
    }  # fmt: skip


def _document(document: Document, stick: int, known: Known, local: Local) -> dict[str, Any]:
    likely = moment(document.time_us + document.shift_us, local) if document.shift_us else None
    found: dict[str, Any] = {
        "number": document.number, "records": list(document.records), "time_us": document.time_us,
        "time": moment(document.time_us, local), "likely_time": likely,
        "channel": document.channel, "service": document.service, "stick": stick,
        "judgement": document.judgement, "kind": document.kind, "problem": document.problem,
        "extension": document.extension, "size": document.size, "patients": document.patients, "test": document.test,
        "arrival": document.arrival, "decision": document.decision, "rule": document.rule, "release": document.release,
        "fate": str(document.fate), "held": document.held, "given_back": document.given_back,
        "sealed_to": [{"key": key, "who": known.recipients.get(key, "")} for key in document.sealed_to],
    }  # fmt: skip
    name = known.names.get(document.number, "")
    return {**found, "name": name} if name else found


def _stick(stick: Stick, at: int, local: Local, serial: str) -> dict[str, Any]:
    return {
        "id": at, "serial_digest": stick.serial, "serial": serial, "volumes": sorted(stick.volumes),
        **{name: stick.words.get(name, "") for name in
           ("bus", "vendor", "product", "vendor_id", "product_id", "filesystem")},
        "first_record": stick.first, "last_record": stick.last,
        "first": moment(stick.first_us, local), "last": moment(stick.last_us, local), "taken_out": stick.taken_out,
        "strengths": sorted(stick.strengths - {""}),
    }  # fmt: skip


def _policy(policy: InForce, known: Known, local: Local) -> dict[str, Any]:
    sentences = known.sentences.get(policy.release, {})
    return {
        "number": policy.number, "since": moment(policy.time_us, local), "name": policy.name,
        "release": policy.release, "sentences": {language: list(each) for language, each in sentences.items()},
    }  # fmt: skip


def _gap(span: Span, local: Local) -> dict[str, Any]:
    return {
        "what": span.what, "word": span.word, "records": [span.first, span.last],
        "since": moment(span.since_us, local), "until": moment(span.until_us, local) if span.last >= 0 else None,
    }  # fmt: skip


def _step(step: Step, local: Local) -> dict[str, Any]:
    return {
        "number": step.number, "time": moment(step.time_us, local), "seconds": round(step.shift_us / 1e6),
        "restart": step.restart,
    }  # fmt: skip


def _aware(made: Made, local: Local) -> dict[str, Any] | None:
    if not made.found_us:
        return None
    due = made.found_us + AWARE_HOURS * 3_600_000_000
    return {"since": moment(made.found_us, local), "notify_by": moment(due, local)}


def _judged(facts: Facts, log: LogState) -> dict[str, Any]:
    found = judge(facts, intact=log.intact is True, whole_view=log.whole)
    return {
        "answer": found.answer, "favourable": list(found.favourable), "adverse": list(found.adverse),
        "conditions": list(found.conditions),
    }  # fmt: skip
