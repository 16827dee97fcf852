"""Finds what was changed in a dossier: by its signature, and by reckoning its facts again from the proved records.

The signature is a record of the log that holds the digests of both files, proved like any other: no key of its own
lies anywhere, and whoever takes the laptop over later cannot sign for the past. docs/formats/dossier.md, section 4.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.dossier import proof
from agent.dossier.assembly import FORMAT
from agent.dossier.estimate import estimates
from agent.dossier.gather import Gatherer, Taken
from agent.dossier.model import Facts, Scope
from agent.dossier.proof import Proven
from agent.errors import N_, AuditError, TamperError, UntrustedInputError

SIGNATURE_FORMAT = "serment-dossier-signature/1"
SIGNATURE = "dossier.signature.json"
JSON, PDF = "dossier.json", "dossier.pdf"
MAX_BYTES = 512 << 20
_SAME = ("records", "time_us", "channel", "service", "judgement", "kind", "problem", "size", "patients", "test",
         "arrival", "decision", "rule", "release", "held", "given_back")  # fmt: skip


def check(file: Path, log: str = "") -> dict[str, Any]:
    """What holds of ``file``, a dossier's JSON or PDF: ``signed``, ``signed_by`` (the log whose record signs), ``log``
    (of its facts), ``records`` and ``signed_us``.

    ``log``: the fingerprint that both logs must have; who makes up a log of the own can sign with it. Raises
    TamperError (changed) and AuditError (cannot be read, or cannot be checked).
    """
    content = _read(file)
    signature = file.with_name(SIGNATURE)
    signed = _signed(content, json_of(_read(signature), signature), file) if signature.exists() else None
    found: dict[str, Any] = {"file": file.name, "signed": signed is not None, "records": 0}
    if signed is not None:
        found |= {
            "signed_by": signed.log,
            "log": signed.log,
            "signed_us": signed.sealed_us,
            "record": max(signed.records),
        }
    if not content.startswith(b"%PDF-"):
        found |= _facts(json_of(content, file), file)
    elif signed is None:
        raise AuditError(
            N_("a PDF is checked by its signature"), where=str(file), hint=N_("put dossier.signature.json beside it")
        )
    logs = {str(found.get(name) or "") for name in ("log", "signed_by") if name in found}
    if log and not (logs and all(each.endswith(f"/{log.lower().rpartition('/')[2]}") for each in logs)):
        raise _changed(file, N_("it is from another log than the one that was asked for"))
    return found


def _facts(dossier: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The facts follow from the records of the proof. Without a proof there is nothing to hold them against."""
    if dossier.get("format") != FORMAT:
        raise AuditError(N_("is not a dossier"), where=str(file))
    if dossier.get("proof") is None:
        return {"proved": False}
    try:
        proven = proof.check(dossier["proof"])
        _compare(dossier, proven, file)
    except UntrustedInputError as error:
        raise _changed(file, error.message) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AuditError(N_("is not a dossier"), where=str(file)) from error
    return {"proved": True, "log": proven.log, "records": len(proven.records)}


def _compare(dossier: Mapping[str, Any], proven: Proven, file: Path) -> None:
    told = dossier["facts"]
    if dossier["log"]["name"] not in {proven.log, ""}:
        raise _changed(file, N_("its log is not the one of its proof"))
    facts = _again(told["scope"], proven)
    documents = {each["number"]: each for each in told["documents"]}
    if sorted(documents) != [each.number for each in facts.documents] or len(documents) != len(told["documents"]):
        raise _changed(file, N_("its documents are not those of its records"))
    for document in facts.documents:
        given = documents[document.number]
        same = {name: getattr(document, name) for name in _SAME} | {"records": list(document.records)}
        keys = [each["key"] for each in given["sealed_to"]]
        if any(given[name] != value for name, value in same.items()) or given["fate"] != str(document.fate):
            raise _changed(file, N_("a document is not what its record says"))
        if given["extension"] != document.extension or keys != list(document.sealed_to):
            raise _changed(file, N_("a document is not what its record says"))
    if told["estimate"] != estimates(facts.documents):
        raise _changed(file, N_("the number of persons is not what the records say"))
    for policy in told["policies"]:
        record = proven.records.get(policy["number"], {})
        if (record.get("policy"), record.get("release")) != (policy["name"], policy["release"]):
            raise _changed(file, N_("the policy is not the one of its record"))
    _compare_sticks(told, facts, file)


def _compare_sticks(told: Mapping[str, Any], facts: Facts, file: Path) -> None:
    named = {(stick.serial or min(stick.volumes)): stick for stick in facts.sticks}
    for stick in told["sticks"]:
        known = named.get(stick["serial_digest"] or min(stick["volumes"]))
        if known is None:  # nothing but records about other documents spoke of it
            continue
        if any(stick[name] != word for name, word in known.words.items()):
            raise _changed(file, N_("the medium is not what the records say"))


def _again(scope: Mapping[str, Any], proven: Proven) -> Facts:
    """The facts, from the proved records alone."""
    gatherer = Gatherer(
        Scope(scope["kind"], scope["asked"], frozenset(scope["digests"]), scope["since_us"], scope["until_us"])
    )
    for _, fields in sorted(proven.records.items()):
        gatherer.take(Taken(fields, b"", b""))
    return gatherer.gathered().facts


def signature(led: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """The signature file: a proof of the record that holds ``digests``."""
    return {"format": SIGNATURE_FORMAT, "files": dict(digests), "proof": dict(led)}


def _signed(content: bytes, found: Mapping[str, Any], file: Path) -> Proven:
    """Who signed ``content``. Raises TamperError."""
    try:
        if found.get("format") != SIGNATURE_FORMAT:
            raise UntrustedInputError(N_("this is not the signature of a dossier"))
        proven = proof.check(found["proof"])
        record = proven.records[max(proven.records)]
    except UntrustedInputError as error:
        raise _changed(file, error.message) from error
    except (KeyError, TypeError, ValueError) as error:
        raise _changed(file, N_("this is not the signature of a dossier")) from error
    digest = hashlib.sha256(content).hexdigest()
    part = "pdf" if content.startswith(b"%PDF-") else "json"
    if record.get("k") != "dossier" or record.get(part) != digest:
        raise _changed(file, N_("it is not the file that was signed"))
    return proven


def json_of(content: bytes, file: Path) -> dict[str, Any]:
    """The object in a file. Raises AuditError."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise AuditError(N_("is not a dossier"), where=str(file)) from error
    if not isinstance(found, dict):
        raise AuditError(N_("is not a dossier"), where=str(file))
    return found


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise AuditError(N_("cannot be read: {why}"), where=str(file), why=error.strerror) from error
    if len(content) > MAX_BYTES:
        raise AuditError(N_("is not a dossier"), where=str(file))
    return content


def _changed(file: Path, why: str) -> TamperError:
    return TamperError(
        N_("this dossier was changed: {why}"), where=file.name,
        hint=N_("make it anew from the log, or ask for the original"), why=why, index=-1, kind="edited",
    )  # fmt: skip
