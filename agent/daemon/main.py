"""The agent: configuration → objects → run → stop.

``Agent`` builds every part, arms the places, says READY, then goes round (``loop``). It owns all the objects and stops
them in reverse order. No audit log, no enforcement: if the log cannot be opened the agent refuses to
start and says why.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import __version__, lean
from agent.actions import build_actions
from agent.actions.entry import Entry as Held
from agent.actions.placeholder import Placeholders
from agent.actions.quarantine import QuarantineStore
from agent.audit.clock import clock_state
from agent.audit.log import AuditLog
from agent.audit.private import Vault
from agent.channels.people import Person, people
from agent.channels.watch import Watcher
from agent.config import AgentConfig
from agent.crypto.keys import KeyStore
from agent.crypto.recipients import KeyKind
from agent.daemon import gates, systemd
from agent.daemon.aside import Aside, waits_for_program
from agent.daemon.channel_list import guarded_channels
from agent.daemon.children import login_and_groups
from agent.daemon.chores import Chores
from agent.daemon.clinician.passes import Passes
from agent.daemon.control_server import ControlServer
from agent.daemon.device import load_device
from agent.daemon.event_queue import EventQueue
from agent.daemon.guard import Guard
from agent.daemon.interrupted import Interrupted
from agent.daemon.ledger import Ledger
from agent.daemon.loop import Loop
from agent.daemon.newcomers import Newcomers
from agent.daemon.notices import Notices
from agent.daemon.opening_page import OpeningPages
from agent.daemon.operations import Operations
from agent.daemon.patient_list import PatientList
from agent.daemon.pictures import Pictures
from agent.daemon.pipeline import Parts, Pipeline
from agent.daemon.policy_store import PolicyStore
from agent.daemon.pushed import ACTIVE, PushedPolicy
from agent.daemon.reading import JudgedFiles
from agent.daemon.reports import Reports
from agent.daemon.status import build_status
from agent.daemon.transfer_record import engine_of
from agent.errors import N_, HostError
from agent.extraction.client import WorkerPool
from agent.fleet import FOLDER
from agent.fleet.release import BUNDLE
from agent.fsys.atomic import private_folder
from agent.i18n import LANGUAGES
from agent.model import Cause, FileEvent

if TYPE_CHECKING:
    from agent.daemon.reviewing.desk import ReviewDesk

_OF_THE_START = ("_compression", "bz2", "lzma", "shutil", "tomllib")  # of the standard library


class Agent:
    """``start()``, ``run()``, ``stop()``; ``on_ready`` is called with the status once the places are armed."""

    def __init__(self, config: AgentConfig, on_ready: Callable[[dict[str, Any]], None] = lambda _status: None) -> None:
        self.config = config
        self._on_ready = on_ready
        self._ready = False
        self._lent: tuple[Path, ...] = ()  # to every pool of readers: the practice's patient list
        self._borrowers: list[Callable[[tuple[Path, ...]], None]] = []
        self._since = time.time()
        self._stack = contextlib.ExitStack()
        self._review_desk: ReviewDesk | None = None
        self._review_lock = threading.Lock()
        self.operations = Operations()
        self.notices = Notices()
        self.queue = EventQueue()
        self.chores = Chores(self)
        self._loop = Loop(self)
        self._aside = Aside()

    # ---- start

    def start(self) -> None:
        """Build everything and arm the places. Raises SermentError (HostError, PolicyError, AuditError)."""
        self._loop.listen()  # before anything is open: a stop while starting is a clean stop
        self._stack.callback(self.operations.close)
        os.umask(0o077)  # nothing that is made here is for others, unless it says so
        data = private_folder(self.config.data_dir, 0o711)
        private_folder(self.config.agent.runtime_dir, 0o755)
        self._lock_data()
        self.identity = load_device(data)
        self.keys = KeyStore(data / "keys", KeyKind(self.config.keys.kind), self.config.keys.protection)
        audit = private_folder(data / "audit", 0o750)
        self.log = AuditLog.open(audit, vault=Vault(audit, self.keys.recipients))
        self._stack.callback(self._close_log)
        self.reports = Reports(self.log, self.operations, data)
        self.troubles = self.reports.troubles
        self.people = people(self.config.agent.users)
        self.newcomers = Newcomers(self.config.agent.users, self.people, self._loop.wake)
        self.chores.prepare_keys()
        self.store = QuarantineStore(private_folder(data / "quarantine"))
        if damaged := self.store.damaged():
            self.troubles.raise_("quarantine-damaged", ids=", ".join(damaged[:5]))
        self._interrupted = Interrupted(self.store, self.log, lambda: Ledger(data / "ledger.db"), self._languages())
        self.ledger = self._interrupted.at_start(data / "audit")
        self._stack.callback(self.ledger.close)
        policy = self.config.policy
        self.policy = PolicyStore(policy.file, policy.profile, private_folder(data / "policy"), self.reports.policy,
                                  data / "policy" / ACTIVE)  # fmt: skip
        self.keys.follow(lambda: self.policy.in_force.compiled.policy.recipients)
        self.log.start(version=__version__, device=self.identity.device_id, **clock_state())
        self.policy.announce()
        run_as = _worker_user() if os.getuid() == 0 else None
        self.pushed = PushedPolicy(
            data / "policy", data / FOLDER / BUNDLE, self.policy, self.reports, self._loop.wake, run_as
        )
        self.passes = Passes(data / "passes.json")
        self._start_pipeline()
        self._start_gates()
        self._start_guard()
        self._start_desks()
        self._ready = True
        systemd.notify("READY=1")
        with contextlib.suppress(OSError):  # a full disk, a closed terminal: what is said is not what guards
            self.operations.open(private_folder(data / "log") / "serment.log")
        with contextlib.suppress(OSError):
            self._on_ready(self.status(os.getuid()))

    def _lock_data(self) -> None:
        fd = os.open(self.config.data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._stack.callback(os.close, fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HostError(
                N_("another agent is using {folder}"), hint=N_("stop it, or use another data_dir"),
                folder=self.config.data_dir,
            ) from error  # fmt: skip

    def _languages(self) -> tuple[str, ...]:
        return (self.config.agent.language,) if self.config.agent.language else LANGUAGES

    def _start_pipeline(self) -> None:
        run_as = _worker_user() if os.getuid() == 0 else None
        self.pool = WorkerPool(self.config.agent.workers, run_as=run_as)
        self._stack.callback(self.pool.close)
        self.patients = PatientList(self.config.data_dir, self._lend, self.reports)
        self.opening_pages = OpeningPages(self.keys, self.operations)
        self._stack.callback(self.opening_pages.close)
        self.judged = JudgedFiles(self.pool, lambda: engine_of(self.patients.edition))
        self.pipeline = Pipeline(
            Parts(
                judge=self.judged, policy=self.policy, actions=build_actions(self.store, self.keys, self._languages()),
                log=self.log, ledger=self.ledger, identity=self.identity, queue=self.queue, notices=self.notices,
                troubles=self.troubles, operations=self.operations, login=login_and_groups,
                released=self.store.released, settled=self.store.journal.settled,
                armed_ns=lambda place: self.guard.armed_ns(place),  # noqa: PLW0108 - the guard is made later
                held_ns=lambda place: self.guard.held_ns(place),  # noqa: PLW0108
                engine=lambda: engine_of(self.patients.edition),
                acted=self.opening_pages.want,
                passes=self.passes.allows,
                want_read=lambda event, owed: self.pictures.want(event, owed),  # noqa: PLW0108 - and so are they
            )
        )  # fmt: skip
        self.pictures = Pictures(enabled=self.config.pictures.enabled, run_as=run_as)
        self._borrowers += [self.pool.lend, self.pictures.lend]
        self.patients.start()
        self._stack.callback(self._stop_pipeline)
        self._threads = [
            threading.Thread(target=self.pipeline.run, name=f"pipeline-{number}", daemon=True)
            for number in range(self.config.agent.workers)
        ]
        for thread in self._threads:
            thread.start()
        self.pictures.start(
            self.pipeline, self.queue, self.troubles, self.operations, rescan=lambda: self.watcher.rescan(None)
        )
        self._stack.callback(self.pictures.close)

    def _start_gates(self) -> None:
        self.gates = gates.Gates(
            self.config, self.pipeline, self.store, self.pictures, self.operations, self.troubles, self._loop.regard,
            people=self.people, judged=self.judged, run_as=_worker_user() if os.getuid() == 0 else None,
        )  # fmt: skip
        self._borrowers.append(self.gates.lend)
        self.gates.lend(self._lent)
        self._stack.callback(self.gates.close)

    def _lend(self, files: tuple[Path, ...]) -> None:
        self._lent = files
        for lend in self._borrowers:
            lend(files)

    def _stop_pipeline(self) -> None:
        self.queue.close()
        for thread in self._threads:
            thread.join(30)

    def _start_guard(self) -> None:
        watcher = Watcher(self._noticed, on_overflow=self.reports.overflow)
        self.guard = Guard(
            guarded_channels(self.config.channels, self.people), watcher, self.ledger, self.identity,
            self.reports.record, self.operations, self._interrupted.place, self.gates.places,
        )  # fmt: skip
        self._stack.callback(self.guard.close)
        self._stack.callback(watcher.stop)
        self.watcher = watcher
        self.guard.refresh()
        if self.gates.wait():
            self.guard.refresh()

    def _noticed(self, event: FileEvent) -> None:
        """What is written to a volume behind an airlock was judged before: only what lies there already is news."""
        if event.place.mechanism != "airlock" or event.cause is Cause.EXISTING:
            self.queue.put(event)

    def _start_desks(self) -> None:
        """Whoever asks waits for this; what is to be watched does not: it is imported when everything is watched."""
        from agent.daemon.answering import control_table
        from agent.daemon.clinician.wiring import clinician_desk
        from agent.daemon.collecting import start_collecting

        self.collector, self.sync, self.sync_url = start_collecting(self, self._stack)
        self.clinician = clinician_desk(self, self._review)
        self._stack.callback(self.clinician.close)
        server = ControlServer(self.config.control_socket, control_table(self, self._review), self.operations)
        self._stack.callback(server.close)
        server.start()

    def _review(self) -> ReviewDesk:
        """The one desk of those who look at the log; made when somebody does."""
        with self._review_lock:
            if self._review_desk is None:
                from agent.daemon.reviewing.desk import ReviewDesk

                self._review_desk = ReviewDesk(self.log, self.keys, self.policy, self.identity)
            return self._review_desk

    # ---- run

    def run(self) -> None:
        """Until asked to stop."""
        lean.begun()
        lean.let_go(*_OF_THE_START)
        self._loop.run()

    def wake(self) -> None:
        """Make the main loop go round once."""
        self._loop.wake()

    def stop(self) -> None:
        """Stop in reverse order of starting; what is queued stays on disk and is found again at the next start."""
        systemd.notify("STOPPING=1")
        if self._ready:
            self._ready = False
            self._stop_pipeline()
            self.pictures.close()
            self.ledger.checkpoint(self.log.size)
        self._stack.close()

    def _close_log(self) -> None:
        with contextlib.suppress(HostError):  # a full disk: the next start says that this stop was not clean
            self.log.close()

    # ---- asked by the parts

    @property
    def since(self) -> float:
        """When this agent began, seconds since the epoch."""
        return self._since

    def readers_ask_again(self) -> None:
        """What programs were told about documents so far counts no more: a pass began, or ended."""
        self.gates.policy_changed()
        self.wake()

    def protection(self) -> tuple[object, ...]:
        """What a person would call the state of protection: it changes seldom, and is cheap to ask."""
        places = {(place.root, str(place.strength)) for place in self.guard.places()}
        words = {trouble.word for trouble in self.troubles.standing()}
        words |= {trouble.word for trouble in self.guard.troubles()}
        watched = {(place.root, trouble.word) for place, trouble in self.watcher.troubles()}
        return frozenset(places), frozenset(words), frozenset(watched), self.policy.release

    def give_note(self, entry: Held) -> None:
        """The note in the folder of a document that was held is written anew."""
        refresh = Placeholders(self.store, self._languages()).refresh_for
        if waits_for_program(entry.root):
            self._aside.run(entry.root + b"/" + entry.folder, lambda: refresh(entry))
        else:
            refresh(entry)

    def person(self, uid: int) -> Person | None:
        """The person with this uid, when there is one whose folders are guarded."""
        return next((person for person in self.people if person.uid == uid), None)

    def status(self, uid: int) -> dict[str, Any]:
        """What ``serment status --json`` prints, for the person ``uid``."""
        return build_status(self, uid, ready=self._ready, since=self._since)


def _worker_user() -> tuple[int, int]:
    """The account that reader processes run as: the package's own, else nobody."""
    import pwd

    for name in ("serment-worker", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise HostError(N_("there is no unprivileged account for the readers"), hint=N_("make the user serment-worker"))
