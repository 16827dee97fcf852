"""The agent: configuration → objects → run → stop.

``Agent`` builds every part, arms the places, says READY, then waits for descriptors and signals. It owns all the
objects and stops them in reverse order. No audit log, no enforcement: if the log cannot be opened the agent refuses to
start and says why.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from agent import __version__
from agent.actions import build_actions
from agent.actions.entry import Entry as Held
from agent.actions.placeholder import Placeholders
from agent.actions.quarantine import QuarantineStore
from agent.audit.log import AuditLog
from agent.audit.private import Vault
from agent.audit.retention import Retention, keep_house
from agent.channels.cloud_sync import CloudSyncChannel
from agent.channels.downloads import DownloadsChannel
from agent.channels.people import Person, people, uid_of
from agent.channels.removable import RemovableChannel
from agent.channels.watch import Watcher
from agent.config import AgentConfig
from agent.crypto.keys import KeyStore
from agent.crypto.recipients import KeyKind
from agent.daemon import gates, systemd
from agent.daemon.children import EmbeddedCollector, SyncProcess, login_and_groups
from agent.daemon.control_server import ControlServer
from agent.daemon.device import load_device
from agent.daemon.event_queue import EventQueue
from agent.daemon.guard import Guard
from agent.daemon.interrupted import Interrupted
from agent.daemon.ledger import Ledger
from agent.daemon.notices import Notices
from agent.daemon.opening_page import OpeningPages
from agent.daemon.operations import Operations
from agent.daemon.patient_list import PatientList
from agent.daemon.pictures import Pictures
from agent.daemon.pipeline import Parts, Pipeline
from agent.daemon.policy_store import PolicyStore
from agent.daemon.reading import JudgedFiles
from agent.daemon.reports import Reports
from agent.daemon.requests import Services, handlers
from agent.daemon.status import build_status
from agent.daemon.transfer_record import engine_of
from agent.errors import N_, HostError, SermentError
from agent.extraction.client import WorkerPool
from agent.fsys.atomic import private_folder
from agent.i18n import LANGUAGES
from agent.model import Cause, FileEvent
from agent.transport.spool import cosignature

TICK_S = 10.0
REFRESH_S = 60.0
HOUSEKEEPING_S = 24 * 3600.0
STUCK_S = 1800.0  # longer than any document may take, a large one on a slow stick too: then a restart is better


class Agent:
    """``start()``, ``run()``, ``stop()``; ``on_ready`` is called with the status once the places are armed."""

    def __init__(self, config: AgentConfig, on_ready: Callable[[dict[str, Any]], None] = lambda _status: None) -> None:
        self.config = config
        self._on_ready = on_ready
        self._stopping = threading.Event()
        self._ready = False
        self._regard = False  # a gate has news: ask the channels again
        self._lent: tuple[Path, ...] = ()  # to every pool of readers: the practice's patient list
        self._borrowers: list[Callable[[tuple[Path, ...]], None]] = []
        self._housekeeping_due = 0.0
        self._since = time.time()
        self._watched_s = systemd.watchdog_interval_s()
        self._stack = contextlib.ExitStack()
        self.operations = Operations()
        self.notices = Notices()
        self.queue = EventQueue()
        self._wake_read, self._wake_write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    # ---- start

    def start(self) -> None:
        """Build everything and arm the places. Raises SermentError (HostError, PolicyError, AuditError)."""
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, self._signalled)  # before anything is open: a stop while starting is a clean stop
        os.umask(0o077)  # nothing that is made here is for others, unless it says so
        data = private_folder(self.config.data_dir, 0o711)
        private_folder(self.config.agent.runtime_dir, 0o755)
        self._lock_data()
        self.identity = load_device(data)
        self.keys = KeyStore(data / "keys", KeyKind(self.config.keys.kind), self.config.keys.protection)
        audit = private_folder(data / "audit", 0o750)
        self.log = AuditLog.open(audit, vault=Vault(audit, self.keys.recipients))
        self._stack.callback(self._close_log)
        self.reports = Reports(self.log, self.operations)
        self.troubles = self.reports.troubles
        self.people = people(self.config.agent.users)
        self._prepare_keys()
        self.store = QuarantineStore(private_folder(data / "quarantine"))
        if damaged := self.store.damaged():
            self.troubles.raise_("quarantine-damaged", ids=", ".join(damaged[:5]))
        self._interrupted = Interrupted(self.store, self.log, lambda: Ledger(data / "ledger.db"), self._languages())
        self.ledger = self._interrupted.at_start(data / "audit")
        self._stack.callback(self.ledger.close)
        policy = self.config.policy
        self.policy = PolicyStore(policy.file, policy.profile, private_folder(data / "policy"), self.reports.policy)
        self.keys.follow(lambda: self.policy.in_force.compiled.policy.recipients)
        self.log.start(version=__version__, device=self.identity.device_id)
        self.policy.announce()
        self._start_pipeline()
        self._start_gates()
        self._start_guard()
        self._start_collector()
        self._start_control()
        self._ready = True
        systemd.notify("READY=1")
        with contextlib.suppress(OSError):  # a full disk, a closed terminal: what is said is not what guards
            self.operations.open(private_folder(data / "log") / "serment.log", to_terminal=False)
        with contextlib.suppress(OSError):
            self._on_ready(self.status(os.getuid()))

    def _prepare_keys(self) -> None:
        try:
            self.keys.prepare()
            self.troubles.clear("keys-unusable")
        except (SermentError, OSError):  # observing and refusing go on; sealing fails and is tried again
            self.troubles.raise_("keys-unusable")

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
                engine=lambda: engine_of(self.patients.edition),
                acted=self.opening_pages.want,
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
            self.config, self.pipeline, self.store, self.pictures, self.operations, self.troubles, self._gates_changed,
            people=self.people, judged=self.judged, run_as=_worker_user() if os.getuid() == 0 else None,
        )  # fmt: skip
        self._borrowers.append(self.gates.lend)
        self.gates.lend(self._lent)
        self._stack.callback(self.gates.close)

    def _gates_changed(self) -> None:
        self._regard = True
        self.wake()

    def _lend(self, files: tuple[Path, ...]) -> None:
        self._lent = files
        for lend in self._borrowers:
            lend(files)

    def _stop_pipeline(self) -> None:
        self.queue.close()
        for thread in self._threads:
            thread.join(30)

    def _start_guard(self) -> None:
        channels = self.config.channels
        made: list[Any] = []
        if channels.removable.enabled:
            volumes = [os.fsencode(path) for path in channels.removable.volumes]
            made.append(RemovableChannel(volumes, uid_of, discover=channels.removable.discover))
        for section, kind in ((channels.cloud_sync, CloudSyncChannel), (channels.downloads, DownloadsChannel)):
            if section.enabled:
                folders = [os.fsencode(path) for path in section.folders]
                made.append(kind(self.people, folders, discover=section.discover))
        watcher = Watcher(self._noticed, on_overflow=self.reports.overflow)
        self.guard = Guard(
            made, watcher, self.ledger, self.identity, self.reports.record, self.operations, self._interrupted.place,
            self.gates.places,
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

    def _start_collector(self) -> None:
        section = self.config.collector
        self.collector: EmbeddedCollector | None = None
        self.sync: SyncProcess | None = None
        self.sync_url = ""
        if section.url == "off":
            return
        url, token = section.url, section.token_file
        if url == "embedded":
            self.collector = EmbeddedCollector(self.config.data_dir / "collector", section.port)
            self._stack.callback(self.collector.close)
            url, token = self.collector.url, self.collector.token_file
        if token is None:
            raise HostError(N_("the collector's address needs a token"), hint=N_("set [collector] token_file"))
        self.sync_url = url
        self.sync = SyncProcess(
            self.config.data_dir / "audit", self.config.data_dir / "spool.json", url, token,
            self.identity.device_id, self._synced,
        )  # fmt: skip
        self._stack.callback(self.sync.close)

    def _synced(self, exit_code: int | None) -> None:
        """A sync process ended: what the collector signed goes into the log."""
        self.reports.synced(exit_code)
        with contextlib.suppress(HostError):
            if (statement := cosignature(self.config.data_dir / "spool.json")) is not None:
                self.log.cosigned(statement)

    def _start_control(self) -> None:
        services = Services(
            status=self.status,
            notices=self.notices,
            store=self.store,
            person=self._person,
            guarded=lambda: tuple(place.root for place in self.guard.places()),
            given_back=self._given_back,
            reload_policy=self._reload_policy,
            reload_patients=self._reload_patients,
            rescan=lambda: self.watcher.rescan(None),
            record=self.reports.record,
            keys=self.keys,
        )
        server = ControlServer(self.config.control_socket, handlers(services), self.operations)
        self._stack.callback(server.close)
        server.start()

    # ---- run

    def run(self) -> None:
        """Wait for descriptors, signals and ticks until asked to stop."""
        refresh_due = time.monotonic() + REFRESH_S
        while not self._stopping.is_set():
            fired = self._wait(self._timeout())
            refresh = bool(fired & set(self.guard.descriptors())) or time.monotonic() >= refresh_due or self._regard
            self._regard = False
            self._handle(fired)
            self._safely(self._refresh_policy)
            self._safely(self._refresh_patients)
            if refresh:
                refresh_due = time.monotonic() + (REFRESH_S if self._safely(self.guard.refresh) else TICK_S)
            if time.monotonic() >= self._housekeeping_due:
                self._safely(self._keep_house)
            if self._watched_s is not None and self.queue.stuck_s() < STUCK_S:
                systemd.notify("WATCHDOG=1")  # means progress, not life alone

    def _safely(self, step: Callable[[], None]) -> bool:
        """One step of the loop: a full disk or a bad moment must not end the guard. True when it went well."""
        try:
            step()
        except (OSError, SermentError, sqlite3.Error) as error:
            self.operations.warn("loop.step", step=step.__name__, type=type(error).__name__)
            self.troubles.raise_("step-failed")
            return False
        self.troubles.clear("step-failed")
        return True

    def _refresh_policy(self) -> None:
        if self.policy.refresh():
            self._judge_anew()

    def _refresh_patients(self) -> None:
        if self.patients.refresh():
            self._judge_anew()  # whoever is listed now may be the one whom a file is about

    def _judge_anew(self) -> None:
        self.gates.policy_changed()
        self.watcher.rescan(None)

    def _keep_house(self) -> None:
        """Once a day, and soon after the start: a key for each person, and quarantine copies whose time is over."""
        self._housekeeping_due = time.monotonic() + HOUSEKEEPING_S
        self._prepare_keys()
        for person in self.people:
            self.keys.recipients(person.uid)
        self.store.prune(int(time.time()))
        keep_house(self.log, Retention(), time.time_ns() // 1000)

    def _timeout(self) -> float:
        wait = self.sync.tick(self.log.size, self.log.durable) if self.sync else None
        return min(limit for limit in (TICK_S, wait, self._watched_s) if limit is not None)

    def _wait(self, timeout_s: float) -> set[int]:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in self.guard.descriptors():
            poll.register(fd, select.POLLIN | select.POLLPRI | select.POLLERR)
        if self.collector is not None and (fd_or_none := self.collector.descriptor()) is not None:
            poll.register(fd_or_none, select.POLLIN)
        try:
            return {fd for fd, _events in poll.poll(timeout_s * 1000)}
        except InterruptedError:
            return set()

    def _handle(self, fired: set[int]) -> None:
        for fd, channel in self.guard.descriptors().items():
            if fd in fired:
                channel.drain()
        if self._wake_read in fired:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
        if self.collector is not None and self.collector.descriptor() in fired:
            self.collector.wake()

    def wake(self) -> None:
        """Make the main loop go round once."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def _signalled(self, signum: int, _frame: FrameType | None) -> None:
        if signum != signal.SIGHUP:
            self._stopping.set()
        self.wake()

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

    def _reload_policy(self) -> dict[str, Any]:
        if self.policy.refresh(force=True):
            self._judge_anew()
        if self.policy.refused is not None:
            raise self.policy.refused
        return {"policy": self.policy.in_force.compiled.policy.name, "release": self.policy.release}

    def _reload_patients(self) -> dict[str, Any] | None:
        self._refresh_patients()
        return self.patients.summary()

    def _given_back(self, entry: Held) -> None:
        Placeholders(self.store, self._languages()).refresh_for(entry)

    def _person(self, uid: int) -> Person | None:
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
