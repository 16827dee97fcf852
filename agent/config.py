"""agent.toml → one frozen value. Unknown keys are refused; every number has its unit in its name or comment.

Only ``daemon`` and ``ui`` import this; everything below receives plain values.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import N_, ConfigError

SYSTEM_CONFIG = Path("/etc/serment/agent.toml")
SYSTEM_SOCKET = Path("/run/serment/agent.sock")
MAX_CONFIG_BYTES = 1 << 20
_MEND = N_("put the file right, or back from a backup; then: systemctl restart serment-agent")
PROFILES = ("monitor", "enforce")


@dataclass(frozen=True, slots=True)
class AgentSection:
    data_dir: Path = Path("/var/lib/serment")  # keys, audit log, quarantine, staging
    runtime_dir: Path = Path("/run/serment")  # sockets
    language: str = ""  # fr or en for placeholders; empty: both
    workers: int = 2  # reader processes at most
    users: tuple[str, ...] = ()  # login names whose folders are guarded; empty: every person of this laptop


@dataclass(frozen=True, slots=True)
class PolicySection:
    file: Path | None = None  # None: the shipped profile named below
    profile: str = "monitor"  # monitor or enforce


@dataclass(frozen=True, slots=True)
class RemovableSection:
    enabled: bool = True
    volumes: tuple[Path, ...] = ()  # besides those that are found: guarded as removable whatever their device
    discover: bool = True  # find the volumes that are plugged in


@dataclass(frozen=True, slots=True)
class FoldersSection:
    enabled: bool = True
    folders: tuple[Path, ...] = ()  # besides those that are found
    discover: bool = True  # read the clients' own configuration


@dataclass(frozen=True, slots=True)
class ChannelsSection:
    removable: RemovableSection = RemovableSection()
    cloud_sync: FoldersSection = FoldersSection()
    downloads: FoldersSection = FoldersSection()


@dataclass(frozen=True, slots=True)
class PicturesSection:
    enabled: bool = True  # read the text and codes of pictures and scans, when the reader of pictures is installed


@dataclass(frozen=True, slots=True)
class GatesSection:
    airlock: bool = True  # removable volumes: what is written is judged before it reaches the medium
    gate: bool = True  # sync folders: what is opened is judged before a program reads it
    documents: bool = False  # ... and in people's homes, when a browser, mailer or the like opens it
    names: bool = True  # names of files and folders are judged too
    deadline_s: int = 120  # a program waits at most so long for one verdict; then nothing goes (airlock)
    picture_wait_s: int = 15  # ... of which for reading a document's pictures
    picture_budget_s: int = 120  # ... and so long for all pictures of ten minutes
    sync_picture_wait_s: int = 120  # a new picture in a sync folder is held back until it is read, at most so long
    staging_mb: int = 0  # what may wait for its verdict on the laptop's disk; 0: half of what is free, at most 8 GB


@dataclass(frozen=True, slots=True)
class KeysSection:
    kind: str = "x25519"  # of new keys, unless the policy names a recovery key: x25519 (every age program) or hybrid
    protection: str = "auto"  # of private keys at rest: auto (the strongest that works), tpm, credential or host


@dataclass(frozen=True, slots=True)
class AuditSection:
    event_days: int = 365  # records of the audit log are kept so long; 182 to 1096
    private_days: int = 182  # names of documents and reasons in it: 30 or more, and no longer than the records


@dataclass(frozen=True, slots=True)
class CollectorSection:
    url: str = "embedded"  # "embedded", "off", or an address
    port: int = 8440  # of the embedded one, on 127.0.0.1
    token_file: Path | None = None  # for an address; the embedded one makes its own


@dataclass(frozen=True, slots=True)
class AgentConfig:
    agent: AgentSection = AgentSection()
    policy: PolicySection = PolicySection()
    channels: ChannelsSection = ChannelsSection()
    pictures: PicturesSection = PicturesSection()
    gates: GatesSection = GatesSection()
    keys: KeysSection = KeysSection()
    audit: AuditSection = AuditSection()
    collector: CollectorSection = CollectorSection()
    source: str = field(default="", compare=False)  # the file it was read from

    @property
    def data_dir(self) -> Path:
        return self.agent.data_dir

    @property
    def control_socket(self) -> Path:
        return self.agent.runtime_dir / "agent.sock"

    @property
    def gates_socket(self) -> Path:
        return self.agent.runtime_dir / "gates.sock"


def default_config(uid: int | None = None) -> AgentConfig:
    """The configuration when there is no file: system folders for root, the user's own for anybody else."""
    uid = os.getuid() if uid is None else uid
    if uid == 0:
        return AgentConfig()
    home = Path(os.environ.get("HOME") or pwd.getpwuid(uid).pw_dir)
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "serment"
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or data / "run") / "serment"
    return AgentConfig(agent=AgentSection(data_dir=data, runtime_dir=runtime))


def load_config(path: Path | None) -> AgentConfig:
    """The configuration of ``path``, or of the usual place, or the default.

    Raises ConfigError: unreadable, not TOML, unknown key, wrong type or range; names the key and what was expected.
    """
    if path is None:
        if not SYSTEM_CONFIG.exists():
            return AgentConfig() if SYSTEM_SOCKET.exists() else default_config()
        path = SYSTEM_CONFIG
    try:
        with path.open("rb") as file:
            base = (
                AgentConfig() if os.fstat(file.fileno()).st_uid == 0 else default_config()
            )  # root's: the system's agent
            raw = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            N_("cannot be read: {why}"),
            where=str(path),
            hint=N_("check the path given with --config"),
            why=error.strerror,
        ) from error
    if len(raw) > MAX_CONFIG_BYTES:
        raise ConfigError(N_("is larger than {limit} bytes"), where=str(path), hint=_MEND, limit=MAX_CONFIG_BYTES)
    try:
        import tomllib  # once: whoever stays lets go of it

        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            N_("is not text in UTF-8, at byte {position}"), where=str(path), hint=_MEND, position=error.start
        ) from error
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, a number of thousands of digits, too deep
        raise ConfigError(N_("is not valid TOML: {why}"), where=str(path), hint=_MEND, why=error) from error
    config: AgentConfig = _section(base, table, str(path), "")
    _check(config, str(path))
    return config


def _section(default: Any, table: Any, where: str, prefix: str) -> Any:
    if not isinstance(table, dict):
        raise ConfigError(N_("[{section}] should be a table"), where=where, section=prefix.rstrip("."))
    known = {item.name for item in fields(default) if item.name != "source"}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(
                N_("unknown key {key}"), where=where, hint=N_("known keys here: {known}"),
                key=prefix + key, known=", ".join(sorted(known)),
            )  # fmt: skip
        present = getattr(default, key)
        if is_dataclass(present):
            values[key] = _section(present, value, where, f"{prefix}{key}.")
        else:
            values[key] = _value(present, value, where, prefix + key)
    kept = {item.name: getattr(default, item.name) for item in fields(default) if item.name not in values}
    return type(default)(**kept, **values)


def _value(present: Any, value: Any, where: str, key: str) -> Any:
    def wrong(expected: str) -> ConfigError:
        return ConfigError(
            N_("{key} should be {expected}, found {found}"), where=where, key=key, expected=expected, found=repr(value)
        )

    if isinstance(present, bool):
        if not isinstance(value, bool):
            raise wrong("true or false")
        return value
    if isinstance(present, int):
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong("a whole number")
        return value
    if isinstance(present, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise wrong("a list of strings")
        return tuple(value) if key == "agent.users" else tuple(_path(item, wrong) for item in value)
    if not isinstance(value, str):
        raise wrong("a string")
    return _path(value, wrong) if present is None or isinstance(present, Path) else value


def _path(value: str, wrong: Any) -> Path:
    if not value.startswith("/") or "\0" in value:
        raise wrong("an absolute path")
    return Path(os.path.normpath(value))


def _is_collector(url: str) -> bool:
    """Embedded, none, TLS, or (as the embedded one is) in clear on this machine alone."""
    if url in {"embedded", "off"}:
        return True
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme, parts.hostname) == _OWN_MACHINE)
    except ValueError:
        return False


_OWN_MACHINE = ("http", "127.0.0.1")
_BOUNDS: tuple[tuple[str, str, Callable[[AgentConfig], bool]], ...] = (
    ("agent.language", "fr, en or empty", lambda c: c.agent.language in {"", "fr", "en"}),
    ("agent.workers", "between 1 and 16", lambda c: 1 <= c.agent.workers <= 16),
    ("policy.profile", "monitor or enforce", lambda c: c.policy.profile in {"monitor", "enforce"}),
    ("gates.deadline_s", "between 5 and 3600", lambda c: 5 <= c.gates.deadline_s <= 3600),
    (
        "gates.picture_wait_s", "at least 0 and less than deadline_s",
        lambda c: 0 <= c.gates.picture_wait_s < c.gates.deadline_s,
    ),
    ("gates.sync_picture_wait_s", "between 0 and 3600", lambda c: 0 <= c.gates.sync_picture_wait_s <= 3600),
    ("gates.picture_budget_s", "between 0 and 3600", lambda c: 0 <= c.gates.picture_budget_s <= 3600),
    ("gates.staging_mb", "between 0 and 1048576", lambda c: 0 <= c.gates.staging_mb <= 1 << 20),
    ("keys.kind", "x25519 or hybrid", lambda c: c.keys.kind in {"x25519", "hybrid"}),
    (
        "keys.protection", "auto, tpm, credential or host",
        lambda c: c.keys.protection in {"auto", "tpm", "credential", "host"},
    ),
    ("audit.event_days", "between 182 and 1096", lambda c: 182 <= c.audit.event_days <= 1096),
    ("audit.private_days", "between 30 and event_days", lambda c: 30 <= c.audit.private_days <= c.audit.event_days),
    ("collector.port", "between 0 and 65535", lambda c: 0 <= c.collector.port <= 65535),
    ("collector.url", "embedded, off, or an https:// address", lambda c: _is_collector(c.collector.url)),
)  # fmt: skip
"""Key, what is expected there (a text of the catalogue, see ui.cli.system_words), and whether it is so."""


def _check(config: AgentConfig, where: str) -> None:
    for key, expected, holds in _BOUNDS:
        if not holds(config):
            section, _dot, name = key.partition(".")
            found = getattr(getattr(config, section), name)
            raise ConfigError(
                N_("{key} should be {expected}, found {found}"),
                where=where, key=key, expected=expected, found=repr(found),
            )  # fmt: skip
