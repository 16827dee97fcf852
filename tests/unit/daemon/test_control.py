"""The local socket: the kernel says who asks, hostile messages get an error, one agent a socket."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.daemon.control import ControlClient, RemoteError
from agent.daemon.control_server import ControlServer
from agent.daemon.operations import Operations
from agent.errors import HostError, UsageError


def refuse(_uid: int, _arguments: dict[str, Any]) -> None:
    raise UsageError("no such {thing}", hint="try {other}", thing="thing", other="another")


def full(_uid: int, _arguments: dict[str, Any]) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def crash(_uid: int, _arguments: dict[str, Any]) -> None:
    raise ZeroDivisionError


@pytest.fixture
def path() -> Iterator[Path]:
    """A socket that every user of this machine can reach: pytest's own folders are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "s"
        handlers = {"who": lambda uid, arguments: [uid, arguments], "refuse": refuse, "crash": crash, "full": full}
        server = ControlServer(path, handlers, Operations())
        server.start()
        yield path
        server.close()
        assert not path.exists()


def test_the_handler_learns_the_uid_from_the_kernel(path: Path) -> None:
    assert ControlClient(path).call("who", uid=4242) == [os.getuid(), {"uid": 4242}]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_another_user_is_another_uid(path: Path) -> None:
    for parent in path.parents:
        if not parent.stat().st_mode & 0o001:
            pytest.skip("the temporary folder is closed to other users here")
    script = (
        "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        's.sendall(b\'{"call":"who","args":{}}\\n\'); print(s.recv(4096).decode())'
    )
    answer = subprocess.run(
        ["/usr/bin/python3", "-c", script, str(path)], user=65534, group=65534, extra_groups=[],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert '"result":[65534,{}]' in answer.stdout


def test_a_refusal_keeps_its_words_and_exit_code(path: Path) -> None:
    with pytest.raises(RemoteError) as caught:
        ControlClient(path).call("refuse")
    assert str(caught.value) == "no such thing\nhint: try another"
    assert caught.value.exit_code == 64


def test_a_full_disk_is_no_fault_of_the_message(path: Path) -> None:
    with pytest.raises(RemoteError, match="No space left"):
        ControlClient(path).call("full")


def test_an_error_of_ours_says_nothing_of_its_inside(path: Path) -> None:
    with pytest.raises(RemoteError) as caught:
        ControlClient(path).call("crash")
    assert "ZeroDivision" not in str(caught.value)


@pytest.mark.parametrize(
    "message", [b"\n", b"[]\n", b"{\n", b"\xff\xfe\n", b'{"call":["who"]}\n', b'{"call":"who","args":1}\n', b"[" * 5000 + b"\n",
                b"x" * 70000 + b"\n", b'{"call":"who"'],
)  # fmt: skip
def test_hostile_messages_get_an_error_and_the_server_lives(path: Path, message: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        try:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            answer = b'"ok":false'
    assert b'"ok":false' in answer
    assert ControlClient(path).call("who")[0] == os.getuid()


def test_a_second_agent_is_refused_and_a_dead_socket_replaced(path: Path, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="another agent"):
        ControlServer(path, {}, Operations())
    dead = tmp_path / "dead"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead))
    ControlServer(dead, {}, Operations()).close()


def test_no_agent_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="no agent answers"):
        ControlClient(tmp_path / "none").call("status")


assert sys.platform == "linux"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become somebody else")
def test_one_user_cannot_keep_the_others_from_asking(path: Path) -> None:
    for parent in path.parents:
        if not parent.stat().st_mode & 0o001:
            pytest.skip("the temporary folder is closed to other users here")
    script = (
        "import socket,sys; held=[socket.socket(socket.AF_UNIX) for _ in range(600)];"
        "[s.connect(sys.argv[1]) for s in held]; print('held',flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        ["/usr/bin/python3", "-c", script, str(path)], user=65534, group=65534, extra_groups=[],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
    ) as hostile:  # fmt: skip
        assert hostile.stdout is not None
        assert hostile.stdin is not None
        try:
            assert hostile.stdout.readline() == b"held\n"
            assert ControlClient(path).call("who")[0] == 0
        finally:
            hostile.stdin.close()


def test_a_request_that_comes_byte_by_byte_has_a_time_limit(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.setattr("agent.daemon.control_server._PATIENCE_S", 0.5)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(0.1)
        connection.connect(str(path))
        answer = b""
        for _ in range(100):  # far longer than the limit, never silent for as long as the limit
            try:
                connection.send(b" ")
                answer = connection.recv(65536)
                break
            except TimeoutError:
                continue
            except OSError:
                answer = b"closed"
                break
    assert answer


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_a_folder_that_others_can_write_to_holds_no_socket(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(HostError, match="nobody else"):
        ControlServer(tmp_path / "s", {}, Operations())
    assert list(tmp_path.iterdir()) == []
