"""Which file a release of a policy was, and its sentences. Reads only; the agent keeps each release it enforced.

A release is the beginning of the SHA-256 of the policy file, so a file that is found says by itself whether it is it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.errors import SermentError
from agent.i18n import LANGUAGES, catalogue
from agent.policy.load import load_policy
from agent.policy.profiles import profile_bytes
from agent.policy.schema import Policy
from agent.policy.sentences import policy_sentences

MAX_BYTES = 1 << 20
_RELEASE = re.compile("[0-9a-f]{12}")
_PROFILES = ("enforce", "monitor")


def find(release: str, folder: Path, others: Iterable[Path] = ()) -> bytes | None:
    """The policy file of ``release`` among those kept in ``folder``, the shipped profiles and ``others``; else None."""
    if not _RELEASE.fullmatch(release):
        return None
    return next((data for data in _candidates(release, folder, others) if _is(data, release)), None)


def _candidates(release: str, folder: Path, others: Iterable[Path]) -> Iterator[bytes]:
    for path in (folder / "releases" / f"{release}.yaml", folder / "last-good.yaml", *others):
        try:
            with path.open("rb") as file:
                yield file.read(MAX_BYTES)
        except OSError:
            continue
    for name in _PROFILES:
        yield profile_bytes(name)


def _is(data: bytes, release: str) -> bool:
    policy = parsed(data)
    return policy is not None and policy.release == release


def parsed(data: bytes) -> Policy | None:
    """The policy in ``data``; None when it is none."""
    try:
        return load_policy(data, "policy").policy
    except SermentError:
        return None


def sentences(data: bytes) -> dict[str, list[str]]:
    """By language, the sentences of every rule of a policy file; empty when it is none."""
    policy = parsed(data)
    if policy is None:
        return {}
    return {
        language: [
            f"{rule}\N{NO-BREAK SPACE}: {said}" if language == "fr" else f"{rule}: {said}"
            for rule, said in policy_sentences(policy, catalogue(language).gettext)
        ]
        for language in LANGUAGES
    }
