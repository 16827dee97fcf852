"""The age identities of this laptop, and to whom its documents are sealed. Never a private key in clear on a disk.

Owns ``keys/`` (root's, 0711; docs/formats/sealed-files.md)::

    practice.pub              recipient of the practice, until the policy names a recovery key
    practice.sealed           0600, its identity, protected by this machine (``protection``)
    clinicians/1000.pub       the clinician's recipient: what documents are sealed to
    clinicians/1000.sealed    0600, the clinician's identity, protected by this machine: the agent opens for 1000
    clinicians/1000.1.sealed  an earlier identity: opens what was sealed to it
    clinicians/1000.age       0600 of 1000, instead: all of them under the clinician's phrase, closed to the agent

A key is made when it is first needed, written durably, and never overwritten. Nobody but root writes here, so nobody
turns the sealing to another recipient; whom else a document is sealed to comes from the policy (``follow``). Keys that
an earlier version left in clear (``*.key``) are protected when they are next met, and overwritten.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.crypto import keyring, phrase
from agent.crypto.key_files import MAX_IDENTITIES, KeyFiles, identity_text, secret_lines
from agent.crypto.recipients import KeyKind, Named, kind_of, new_identity, recipient_of
from agent.errors import N_, HostError, SealError
from agent.fsys.atomic import replace_file

PRACTICE = "practice"


def clinician(uid: int) -> str:
    """The name of a person's key."""
    return f"clinicians/{uid}"


@dataclass(frozen=True, slots=True)
class KeyState:
    """``method`` is tpm, credential, host, phrase, clear (of an earlier version) or missing."""

    name: str  # practice, or the uid
    recipient: str
    method: str


class KeyStore:
    """The keys below ``folder``. Making it reads and writes nothing: ``prepare`` or the first sealing does.

    ``kind`` is what new keys are, unless the policy's recovery key is of the other kind; ``wanted`` how they are
    protected (``protection.choose``).
    """

    def __init__(self, folder: Path, kind: KeyKind = KeyKind.X25519, wanted: str = "auto") -> None:
        self._files = KeyFiles(folder, wanted)
        self._kind = kind
        self._lock = threading.RLock()
        self._named: Callable[[], Named] = Named
        self._recipients: dict[str, str] = {}

    def follow(self, named: Callable[[], Named]) -> None:
        """From now on the recipients of the policy in force count."""
        self._named = named

    # ---- to whom

    def prepare(self) -> str:
        """The recipient that opens every sealed file of this laptop: the policy's recovery key, else the practice's,
        which is made when there is none yet.

        Raises OSError when the folder cannot be written, HostError when the identity is lost or unreadable.
        """
        with self._lock:
            self._files.protect_old()
            return self._named().recovery or self._recipient(PRACTICE)

    def recipients(self, uid: int) -> tuple[str, ...]:
        """To whom a document of ``uid`` is sealed: the clinician, the practice, and whom the policy always names."""
        with self._lock:
            recovery = self.prepare()
            return tuple(dict.fromkeys((self._recipient(clinician(uid)), recovery, *self._named().always)))

    def named(self, name: str) -> str | None:
        """The recipient that the policy knows under ``name``."""
        return next((each.key for each in self._named().others if each.name == name), None)

    # ---- with what

    def identities(self, uid: int) -> tuple[str, ...]:
        """The private keys of ``uid`` that open now, today's first; never makes one.

        Raises SealError: there is none, the caller may not read it, or it is under a phrase and not unlocked in this
        login session; HostError: the TPM refuses.
        """
        return self._identities(clinician(uid))

    def identity_for(self, uid: int) -> str:
        """The first of ``identities``."""
        return self.identities(uid)[0]

    def practice_identity(self) -> str:
        """The practice's private key, where it is still this laptop's; for root. Raises SealError like identities."""
        return self._identities(PRACTICE)[0]

    def opening(self, uid: int) -> tuple[str, ...]:
        """Every identity at hand: the person's and the practice's. Empty when there is none."""
        found: list[str] = []
        for name in (clinician(uid), PRACTICE):
            try:
                found += self._identities(name)
            except (SealError, HostError):
                continue
        return tuple(found)

    def _identities(self, name: str) -> tuple[str, ...]:
        with self._lock:
            unlocked = keyring.kept(self._slot(name)) or b""
            problem: SealError | None = None
            try:
                lines = self._files.secrets(name)
            except SealError as error:
                lines, problem = [], error
            lines += secret_lines(unlocked.decode("ascii", "replace"))
        if lines:
            return tuple(dict.fromkeys(lines))[:MAX_IDENTITIES]
        if self._files.has(f"{name}.age"):
            raise SealError(N_("your key is locked"), hint=N_("unlock it with your phrase: serment keys unlock"))
        raise problem or SealError(
            N_("there is no private key for this person on this laptop"),
            hint=N_("sealed files are opened on the laptop that sealed them, or by the practice"),
        )

    # ---- making

    def _recipient(self, name: str) -> str:
        named = self._named().recovery
        kind = kind_of(named) if named else self._kind
        known = self._recipients.get(name) or self._known(name)
        if known is None or kind_of(known) is not kind:
            self._make(name, kind)
        return self._recipients[name]

    def _known(self, name: str) -> str | None:
        """The recipient of ``name``, or None when it is still to be made. Raises HostError: its identity is gone."""
        if not self._files.has(f"{name}.pub"):
            return None
        if next(self._files.holding(name), None) is None and not self._files.has(f"{name}.age"):
            raise HostError(
                N_("the private key that belongs to a recipient of this laptop is missing"),
                hint=N_("put keys back from a backup; moving keys/ away makes new ones, old sealed files need the old"),
                where=str(self._files.path(f"{name}.sealed")),
            )
        self._recipients[name] = self._files.text(f"{name}.pub")
        return self._recipients[name]

    def _make(self, name: str, kind: KeyKind) -> None:
        """The identity first, then its recipient: a kill in between leaves something this can go on from."""
        try:
            self._files.make_folders()
            current = next(iter(self._files.secrets(name)), None)
            if current is not None and kind_of(recipient_of(current)) is not kind:
                self._files.retire(name)
                current = None
            if current is None:
                current = self._made(name, kind)
            self._recipients[name] = recipient_of(current)
            self._files.publish(name, self._recipients[name])
        except PermissionError as error:
            raise HostError(
                N_("there is no key for this person yet, and only the agent may make one"),
                hint=N_("start the agent, then try again"),
            ) from error

    def _made(self, name: str, kind: KeyKind) -> str:
        try:
            self._files.store(name, [new_identity(kind)])
        except FileExistsError:
            pass  # another process of ours was first: its key counts
        return self._files.secrets(name)[0]

    def renew(self, name: str) -> str:
        """A new identity for ``practice`` or ``clinicians/UID``; the old one still opens what was sealed to it.

        For who the store belongs to. Returns the new recipient. Raises like prepare.
        """
        with self._lock:
            self._files.protect_old()
            kind = kind_of(self._recipient(name))
            self._files.retire(name)
            self._recipients[name] = recipient_of(self._made(name, kind))
            self._files.publish(name, self._recipients[name])
            return self._recipients[name]

    def restore(self, name: str, identity: str) -> None:
        """Take an identity back from a backup: it opens what was sealed to it; documents are sealed as before.

        For who the store belongs to. Raises SealError: damaged; HostError, OSError.
        """
        with self._lock:
            self._recipient(name)
            if identity not in self._files.secrets(name):
                self._files.add_earlier(name, [identity])

    def close_practice(self) -> None:
        """Forget the practice's identity once two officers have proved that they have it. Raises SealError unless the
        policy names the very same recipient for recovery; OSError.
        """
        with self._lock:
            if self._named().recovery != self._files.text(f"{PRACTICE}.pub"):
                raise SealError(
                    N_("the policy does not name this laptop's key for recovery, so it stays"),
                    hint=N_("put «recipients: recovery: …» into the policy first"),
                )
            for file in list(self._files.holding(PRACTICE)):
                self._files.remove(file)
            self._files.path(f"{PRACTICE}.pub").unlink()
            self._recipients.pop(PRACTICE, None)

    # ---- phrases

    def protect_with_phrase(self, uid: int, new: str, old: str = "") -> None:
        """Put every identity of ``uid`` under the phrase ``new``, and away from where this machine alone opens them.

        ``old`` opens those that are under a phrase already. Raises SealError: weak phrase, wrong old phrase, no key.
        """
        words, name = phrase.require_strong(new), clinician(uid)
        with self._lock:
            self._files.protect_old()
            self._recipient(name)
            found = self._files.secrets(name)
            if self.has_phrase(uid):
                found += self.unlocked_with(uid, old)
            text = identity_text(list(dict.fromkeys(found)))
            sealed = phrase.seal_under(text, words)
            if phrase.open_under(sealed, words) != text:
                raise HostError(N_("this laptop failed to protect the key"), hint=N_("run: serment doctor"))
            replace_file(self._files.path(f"{name}.age"), sealed)
            if os.geteuid() == 0:
                os.chown(self._files.path(f"{name}.age"), uid, -1, follow_symlinks=False)
            for file in list(self._files.holding(name)):
                self._files.remove(file)

    def unlocked_with(self, uid: int, words: str) -> list[str]:
        """The identities of ``uid`` that lie under a phrase. Raises SealError: none there, wrong phrase."""
        data = self._files.read(f"{clinician(uid)}.age")
        if data is None:
            raise SealError(N_("your key is not under a phrase"), hint=N_("sealed files open without one here"))
        return secret_lines(phrase.open_under(data, words).decode("ascii", "replace"))

    def under_phrase(self, uid: int) -> bytes | None:
        """The age file with the identities of ``uid`` under the phrase; None when there is none. Raises OSError."""
        return self._files.read(f"{clinician(uid)}.age")

    def unlock(self, uid: int, words: str) -> bool:
        """Keep them unlocked in this login session; False when this system has no place for that. Raises SealError."""
        found = "\n".join(self.unlocked_with(uid, words)).encode("ascii")
        return keyring.keep(self._slot(clinician(uid)), found)

    def lock(self, uid: int) -> bool:
        """Forget what ``unlock`` kept; False when there was nothing."""
        return keyring.forget(self._slot(clinician(uid)))

    def has_phrase(self, uid: int) -> bool:
        """Whether the identities of ``uid`` lie under a phrase."""
        return self._files.has(f"{clinician(uid)}.age")

    def outgrew_phrase(self, uid: int) -> bool:
        """Whether the key of today was made after the phrase was set, so that this machine opens it without."""
        return self.has_phrase(uid) and self._files.has(f"{clinician(uid)}.sealed")

    def _slot(self, name: str) -> str:
        return f"serment:{self._files.folder}:{name}"

    # ---- what is there

    def states(self) -> list[KeyState]:
        """How each key is protected, for ``status`` and ``doctor``; for who may read the folder. Raises OSError."""
        found = sorted(self._files.folder.glob("*.pub")) + sorted(self._files.folder.glob("clinicians/*.pub"))
        names = [str(path.relative_to(self._files.folder)).removesuffix(".pub") for path in found]
        return [
            KeyState(each.rpartition("/")[2], self._files.text(f"{each}.pub"), self._files.method(each))
            for each in names
        ]
