"""``serment-collector publish``: what officers signed goes out; a rollout is held, resumed, taken back. Beside a
running collector or without one; every act is in the collector's own log.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, select

from agent.errors import N_, PolicyError, UsageError
from agent.fleet import bundle, release
from agent.fleet.authoring import Repository, public_bytes
from agent.fsys.atomic import private_folder, replace_file
from collector.journal import note
from collector.store.tables import acts
from collector.store.writing import writing
from collector.tuf import figures, place, rollout
from collector.tuf.following import say
from collector.tuf.refusals import HELD
from collector.tuf.repository import ServerRepository

if TYPE_CHECKING:
    from collector.store.base import Store
    from collector.tuf.refusals import Refusal

Translate = Callable[[str], str]


def run(chosen: argparse.Namespace, translate: Translate, by: str) -> int:
    """Run it; the exit status. Raises PolicyError: what was brought is not good."""
    repository = ServerRepository(chosen.data)
    if chosen.server_key:
        replace_file(chosen.server_key, public_bytes(repository.public()), 0o644)
        return 0
    if chosen.copy or chosen.bundle:
        return _copied(repository, chosen)
    if chosen.show:
        return _shown(repository, chosen, translate)
    from collector.store.engine import open_store

    store = open_store(chosen.data, chosen.database)
    try:
        return _acted(repository, chosen, store, by)
    finally:
        store.close()


def _acted(repository: ServerRepository, chosen: argparse.Namespace, store: Store, by: str) -> int:
    engine = store.engine
    if chosen.here:
        if not repository.started:
            raise UsageError(N_("nothing was published from this folder yet"), where=str(repository.folder))
        with writing(engine) as connection:
            note(connection, by, "policy.here")
            place.take(repository, connection)
    elif chosen.assign:
        _assign(repository, chosen.assign, engine, by)
    elif chosen.hold or chosen.resume or chosen.back:
        _steer(repository, chosen, store, by)
    elif chosen.change:
        done = publish(repository, chosen.change, engine, by)
        print(json.dumps(done) if chosen.json else f"{', '.join(done['roles'])} → {done['timestamp']}")  # type: ignore[arg-type]
    else:
        raise UsageError(N_("what is to be published?"), hint=N_("see: serment-collector publish --help"))
    return 0


def publish(repository: ServerRepository, change: Path, engine: Engine, by: str) -> Mapping[str, object]:
    """Take over a signed change and let its release begin. Raises PolicyError."""
    before, known = repository.rollout(), repository.targets()
    with writing(engine) as connection:  # noted in the same breath: what fails to be noted is not published
        place.require(repository, connection)
        note(connection, by, "policy.publish", {"change": change.name[:60]})
    with writing(engine) as connection:
        place.require(repository, connection)
        try:
            roles = repository.publish(change)
        except PolicyError as error:
            if error.fields.get("word") != "rollback" or not _waits(repository, before, known, change, connection):
                raise
            roles = ["targets"]  # laid down before, and what began it was cut short
        place.remember(repository, connection)
        note(connection, by, "policy.published", {"roles": ",".join(roles), "timestamp": repository.number()})
        newest = _newest(repository)
        if "targets" in roles and newest is not None and _is_to_begin(newest, before, known, connection):
            previous = _settled(before)
            state = rollout.first(newest, int(time.time()), previous)
            told = {"permille": state.permille, "timestamp": repository.number()}
            say(repository, state, connection, by, figures.BEGAN, told)
    return {"roles": roles, "timestamp": repository.number()}


def _waits(
    repository: ServerRepository, before: release.Rollout | None, known: Sequence[str], change: Path,
    connection: Connection,
) -> bool:  # fmt: skip
    """Whether the newest release is that of ``change``, and never began."""
    newest, brought = _newest(repository), Repository(change).newest("targets")
    if brought is None or newest is None or f"releases/{newest.number}.json" not in brought.signed.targets:
        return False
    return _is_to_begin(newest, before, known, connection)


def _is_to_begin(
    newest: release.Release, before: release.Rollout | None, known: Sequence[str], connection: Connection
) -> bool:
    """Once: a release that was taken back does not come again with the next change of a key. What was not ``known`` is
    new, also where the records are newer than this folder, which was put back.
    """
    if f"releases/{newest.number}.json" not in known:
        return before is None or newest.number > before.release
    said = connection.execute(select(acts.c.fields).where(acts.c.what == figures.BEGAN)).scalars()
    begun = any(json.loads(fields).get("release") == newest.number for fields in said)
    return not begun and (before is None or newest.number > before.release)


def _settled(before: release.Rollout | None) -> int:
    """What laptops outside the first ring follow meanwhile: the release that had come everywhere."""
    if before is None:
        return 0
    return before.release if before.permille == release.PERMILLE and not before.held else before.previous


def _newest(repository: ServerRepository) -> release.Release | None:
    targets = repository.targets()
    numbers = [
        int(path.removeprefix("releases/").removesuffix(".json")) for path in targets if path.startswith("releases/")
    ]
    return repository.release(max(numbers)) if numbers else None


def _steer(repository: ServerRepository, chosen: argparse.Namespace, store: Store, by: str) -> None:
    state = repository.rollout()
    found = repository.release(state.release) if state is not None else None
    if state is None or found is None:
        raise UsageError(N_("no release is on its way"))
    seen = rollout.Figures()
    figures.on_release(store, state.release, seen)
    with writing(store.engine) as connection:
        if chosen.hold:
            held = rollout.held(state, chosen.hold)
            say(repository, held, connection, by, "rollout.held", {"why": chosen.hold}, state)
        elif chosen.resume:
            # who refuses it now was looked at: those alone do not hold it again
            known = {"rejected": seen.rejected, "unverified": seen.unverified}
            say(repository, rollout.resumed(state, int(time.time())), connection, by, figures.RESUMED, known, state)
        elif not found.back_to:
            raise UsageError(N_("the approvers named no release to go back to"))
        else:
            back = release.Rollout(found.back_to, 0, release.PERMILLE, int(time.time()), why=chosen.back[:200])
            say(repository, back, connection, by, "rollout.back", {"why": chosen.back, "to": found.back_to})


def _assign(repository: ServerRepository, said: str, engine: Engine, by: str) -> None:
    laptop, equals, group = said.partition("=")
    if not equals or not laptop:
        raise UsageError(N_("this is written LAPTOP=GROUP"))
    path = release.assigned_path(laptop)
    before = repository.read(path)
    groups: dict[str, str] = json.loads(before) if before else {}
    groups[laptop] = group
    encoded = json.dumps(groups, sort_keys=True).encode()
    release.read_assigned(encoded, laptop)
    with writing(engine) as connection:
        place.require(repository, connection)
        note(connection, by, "laptop.assigned", {"laptop": laptop, "group": group})
        repository.say("assign", path, encoded, before=before)
        place.remember(repository, connection)


def _copied(repository: ServerRepository, chosen: argparse.Namespace) -> int:
    roles = ("targets", "emergency", "offline") if chosen.copy else ("targets", "offline")
    files = repository.newest_files(roles)
    if chosen.bundle:
        if not any(name.endswith(".offline.json") for name in files):
            raise UsageError(N_("there is no offline release yet"), hint=N_("see: serment policy build --offline"))
        from collector.enrol.authority import exists, load_authority

        if exists(chosen.data):
            document = load_authority(chosen.data).document(repository.root_digest())
            files[bundle.AUTHORITY] = json.dumps(document).encode()
        replace_file(chosen.bundle, bundle.pack(files), 0o644)
        return 0
    for name, data in files.items():
        private_folder((chosen.copy / name).parent, 0o755)
        replace_file(chosen.copy / name, data, 0o644)
    return 0


def _shown(repository: ServerRepository, chosen: argparse.Namespace, translate: Translate) -> int:
    state, number, refused = repository.rollout(), repository.number(), _refused(chosen)
    if chosen.json:
        import msgspec

        told = [each._asdict() for each in refused]
        print(
            json.dumps({"timestamp": number, "rollout": msgspec.to_builtins(state) if state else None, "refused": told})
        )
        return 0
    if state is None:
        print(translate(N_("no release is on its way")), file=sys.stderr)
        return 0
    text = translate(N_("release {number}: {permille} of 1000 laptops")).format(
        number=state.release, permille=state.permille)  # fmt: skip
    print(text + (f" · {translate(N_('held'))} ({translate(HELD.get(state.why, state.why))})" if state.held else ""))
    for each in refused:
        print(f"{each.device}: {translate(each.reason)}")
    return 0


def _refused(chosen: argparse.Namespace) -> list[Refusal]:
    """Who refuses what is published; nobody where there is no store yet."""
    from collector.store.engine import FILE_NAME, open_store
    from collector.tuf.refusals import refusals

    if not chosen.database and not (chosen.data / FILE_NAME).exists():
        return []
    store = open_store(chosen.data, chosen.database)
    try:
        return refusals(store)
    finally:
        store.close()
