"""How a command gets at keys: those of this machine through the agent, those under a phrase by asking for it.

A command never sees a private key that this machine protects: the agent opens one file's header for it. A key under the
clinician's phrase is opened here, in the clinician's own process, and waits in the keyring of the login session.
"""

from __future__ import annotations

import base64
import getpass
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.config import AgentConfig
from agent.crypto import header
from agent.crypto.keys import KeyStore
from agent.crypto.message import open_wrapped
from agent.crypto.recipients import KeyKind, Named, unwrap
from agent.crypto.rehead import opens, stanzas_of
from agent.daemon.control import ControlClient
from agent.errors import N_, HostError, PolicyError, SealError, SermentError, UsageError
from agent.fsys.administrators import only_administrators_write

MAX_POLICY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class FileKey:
    """What opens one sealed file; ``stanzas`` are the numbers of those that are for whoever asked, or for the practice
    as far as its key is on this laptop. ``theirs``: the person asked for opens it without the practice; ``own``: so
    does whoever asked.
    """

    key: bytes
    stanzas: tuple[int, ...]
    theirs: bool = True
    own: bool = True


class KeyAccess:
    """Of the person who runs the command. ``ask`` gets a phrase from the person (None: nobody is there to ask)."""

    def __init__(self, config: AgentConfig, ask: Callable[[str], str] | None = None) -> None:
        self.config = config
        self._agent = ControlClient(config.control_socket)
        self._ask = ask
        self.uid = os.getuid()
        self.store = KeyStore(config.data_dir / "keys", KeyKind(config.keys.kind), config.keys.protection)
        self.store.follow(lambda: named_by_policy(config))

    def call(self, name: str, **arguments: object) -> object:
        """A request to the agent. Raises HostError when none answers, SermentError when it refuses."""
        return self._agent.call(name, **arguments)

    def recipients(self, *, of: int | None = None) -> tuple[str, ...]:
        """To whom a document of this person, or ``of`` somebody (for the administrator), is sealed.

        Raises HostError, SealError, PolicyError.
        """
        whose = {} if of is None else {"of": of}
        try:
            answer = self._agent.call("keys.recipients", **whose)
        except HostError:
            return self.store.recipients(self.uid if of is None else of)
        return tuple(str(each) for each in answer) if isinstance(answer, list) else ()

    def named(self, name: str) -> str | None:
        """The recipient that the policy knows under ``name``."""
        return self.store.named(name)

    def own_recipient(self) -> str:
        """The person's own. Raises like recipients."""
        return self.recipients()[0]

    def file_key(self, head: bytes, *, of: int | None = None) -> FileKey:
        """Of the sealed file that begins with ``head``; the administrator may say whose it is: ``of``.

        Raises SermentError: for somebody else, no key, no phrase.
        """
        found = header.parse(head)
        mine = self.store.opening(self.uid)
        if mine:
            try:
                known = mine if of is None else mine + self.store.opening(of)
                theirs = of is None or opens(self.store, of, found)
                own = opens(self.store, self.uid, found)
                return FileKey(unwrap(found, mine), tuple(stanzas_of(found, known)), theirs, own)
            except SealError:
                if not self.store.has_phrase(self.uid):
                    raise
        try:
            return self._from_agent(head[: found.size], {} if of is None else {"of": of})
        except SermentError as error:  # no agent, or not sealed for this person as far as the agent can open
            problem = error
        if self.store.has_phrase(self.uid):
            unlocked = self.unlocked()
            theirs = of is None or of == self.uid or opens(self.store, of, found)
            return FileKey(unwrap(found, unlocked), tuple(stanzas_of(found, unlocked)), theirs)
        raise problem

    def _from_agent(self, head: bytes, whose: dict[str, int]) -> FileKey:
        reply = self._agent.call("keys.unwrap", header=base64.b64encode(head).decode("ascii"), **whose)
        stanzas = tuple(int(each) for each in reply["stanzas"])
        theirs = bool(reply.get("theirs")) or not whose
        return FileKey(base64.b64decode(reply["key"]), stanzas, theirs, bool(reply.get("own")))

    def unlocked(self) -> list[str]:
        """The identities under the person's phrase, kept in this login session from now on. Raises SealError."""
        if self._ask is None:
            raise SealError(N_("your key is locked"), hint=N_("unlock it with your phrase: serment keys unlock"))
        words = self._ask("phrase")
        found = self.store.unlocked_with(self.uid, words)
        self.store.unlock(self.uid, words)
        return found

    def open_message(self, sealed: bytes) -> bytes:
        """A small text that is sealed to this person. Raises like file_key."""
        return open_wrapped(sealed, header.parse(sealed), self.file_key(sealed).key)

    def identities(self) -> list[str]:
        """The person's own private keys, for a backup sheet.

        For keys under a phrase, and for whoever the store belongs to. Raises SealError.
        """
        if self.store.has_phrase(self.uid):
            try:
                return list(self.store.identities(self.uid))
            except SealError:
                return self.unlocked()
        try:
            return list(self.store.identities(self.uid))
        except SealError as error:
            raise SealError(
                N_("this needs your key itself, and this laptop keeps it to itself"),
                hint=N_("put it under a phrase first: serment keys phrase"),
            ) from error

    def record(self, what: str, *, count: int = 0, case: str = "", owner: int | None = None) -> bool:
        """A record in the agent's audit log, and a notice to ``owner``; False when no agent answers."""
        try:
            self._agent.call("keys.record", what=what, count=count, case=case, owner=owner)
        except HostError:
            return False
        return True


def named_by_policy(config: AgentConfig) -> Named:
    """The recipients of the policy that is configured. Raises PolicyError: it cannot be read, so nobody knows them."""
    file = config.policy.file
    if file is None:
        return Named()
    from agent.policy.parser import parse_policy

    return parse_policy(_read(file), str(file)).recipients


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            if only_administrators_write(opened.fileno()):
                return opened.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PolicyError(
            N_("cannot be read: {why}"), where=str(file), hint=N_("check the path [policy] file in agent.toml"),
            file=str(file), line=0, rule="", expected="", found="", why=error.strerror,
        ) from error  # fmt: skip
    raise PolicyError(
        N_("can be changed by others than the administrator, so it does not count"), where=str(file),
        hint=N_("sudo chown root FILE; sudo chmod 644 FILE"),
        file=str(file), line=0, rule="", expected="", found="",
    )  # fmt: skip


def asking(translate: Callable[[str], str]) -> Callable[[str], str] | None:
    """Asks on the terminal without showing what is typed; None when nobody sits at one. SERMENT_PHRASE_FD: a number of
    a descriptor to read it from instead, for programs.
    """
    given = os.environ.get("SERMENT_PHRASE_FD", "")
    if given:
        if not given.isdigit():
            raise UsageError(N_("SERMENT_PHRASE_FD should be the number of an open descriptor"))
        return lambda _what: _line(int(given))
    if not (sys.stdin and sys.stdin.isatty()):
        return None
    words = {
        "phrase": N_("your phrase: "), "new": N_("new phrase: "), "again": N_("the same once more: "),
        "old": N_("the phrase until now: "), "sheet": N_("the key on the sheet: "),
    }  # fmt: skip
    return lambda what: getpass.getpass(translate(words[what]))


def _line(fd: int) -> str:
    found = bytearray()
    while len(found) < 1000 and (byte := os.read(fd, 1)) not in {b"", b"\n"}:
        found += byte
    return found.decode("utf-8", "replace")
