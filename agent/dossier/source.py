"""Where the records of a dossier come from. Here: a log's folder, on this laptop or a copy of another laptop's.

``Source`` is what the command needs; the other one, through the agent's socket, is the user interface's
(``agent.ui.dossier_agent``). Reads only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from agent.audit import chain
from agent.audit.checkpoint import origin
from agent.audit.private import unseal
from agent.audit.segments import read, verify_folder
from agent.crypto.keys import KeyStore
from agent.crypto.recipients import digest_of
from agent.dossier import policies, proof
from agent.dossier.assembly import LogState
from agent.dossier.gather import Taken
from agent.errors import HostError, SealError, TamperError
from agent.policy.schema import Policy

MAX_NAMES = 2000
"""Documents whose names are looked up."""


class Source(Protocol):
    """A log as the dossier reads it. All may raise AuditError and HostError."""

    def state(self) -> LogState: ...

    def records(self) -> Iterator[Taken]: ...

    def lead(self, numbers: Sequence[int]) -> dict[str, Any]:
        """See ``proof.lead``."""

    def names(self, private: Mapping[int, bytes]) -> dict[int, bytes]:
        """What these documents are called, as far as the reader may know."""

    def sentences(self, release: str) -> dict[str, list[str]]: ...

    def recipients(self) -> dict[str, str]:
        """Fingerprint of a key → whose it is."""

    def serial(self, text: str) -> str:
        """The keyed digest of a serial number; empty when the laptop's key is not at hand."""


class FolderSource:
    """``folder`` holds the .slog files; keys, policies and the laptop's key lie beside it, if anywhere."""

    def __init__(self, folder: Path, policy_files: Iterable[Path] = (), *, same_laptop: bool = True) -> None:
        self._folder = folder
        self._data = folder.resolve().parent
        self._files = tuple(policy_files)
        self._same = same_laptop
        self._keys = KeyStore(self._data / "keys")

    def state(self) -> LogState:
        """Verified from the first record to the last."""
        try:
            found = verify_folder(self._folder)
        except TamperError as error:
            problem = {"index": error.fields["index"], "kind": str(error.fields["kind"])}
            return LogState(intact=False, problem=problem, same_laptop=self._same)
        name = origin(found.identity) if found.identity else ""
        said = found.cosigned
        cosigned = {"records": said.size, "time_us": said.time_s * 1_000_000, "key": said.key.hex()} if said else {}
        return LogState(name, found.records, True, {}, found.purged, cosigned, True, self._same)

    def records(self) -> Iterator[Taken]:
        for entry in read(self._folder):
            yield Taken(entry.fields, entry.public, chain.private_hash(entry.private), entry.private)

    def lead(self, numbers: Sequence[int]) -> dict[str, Any]:
        return proof.lead(self._folder, numbers)

    def names(self, private: Mapping[int, bytes]) -> dict[int, bytes]:
        identities = self._keys.opening(os.getuid())
        return names_for(self._folder, private, identities) if identities else {}

    def sentences(self, release: str) -> dict[str, list[str]]:
        data = policies.find(release, self._data / "policy", self._files)
        return policies.sentences(data) if data is not None else {}

    def recipients(self) -> dict[str, str]:
        return recipients_of(self._keys, policies.parsed(self._last_policy()))

    def _last_policy(self) -> bytes:
        for path in (*self._files, self._data / "policy" / "last-good.yaml"):
            try:
                with path.open("rb") as file:
                    return file.read(policies.MAX_BYTES)
            except OSError:
                continue
        return b""

    def serial(self, text: str) -> str:
        return ""  # the key of digests is the agent's own: see agent.ui.cli.audit_dossier


def names_for(folder: Path, private: Mapping[int, bytes], identities: Sequence[str]) -> dict[int, bytes]:
    """What the documents of these records are called, for whoever has one of ``identities``."""
    found = {}
    for number in sorted(private)[:MAX_NAMES]:
        try:
            name = unseal(folder, private[number], number, identities).get("name", b"")
        except (SealError, HostError, OSError):
            continue
        if isinstance(name, bytes) and name:
            found[number] = name
    return found


def recipients_of(keys: KeyStore, policy: Policy | None) -> dict[str, str]:
    """Fingerprint of a key → clinician, practice, recovery, or the name that the policy has for it."""
    found: dict[str, str] = {}
    try:
        states = keys.states()
    except (OSError, HostError, SealError):
        states = []
    for state in states:
        found[digest_of(state.recipient)] = "practice" if state.name == "practice" else "clinician"
    if policy is not None:
        found |= {digest_of(each.key): each.name for each in policy.recipients.others}
        if policy.recipients.recovery:
            found[digest_of(policy.recipients.recovery)] = "recovery"
    return found
