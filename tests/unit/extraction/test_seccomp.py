"""The filter program itself, run by a small BPF machine: what it says to every call, on both processors."""

import errno
import re
import struct
from pathlib import Path

import pytest

from agent.extraction import seccomp

SOCKET = 3
REFUSED = seccomp.REFUSE
MACHINES = [pytest.param(machine, id=name) for name, machine in seccomp.MACHINES.items()]


def execute(program: bytes, number: int, arguments: tuple[int, ...] = (), audit: int = 0) -> int:
    """What the kernel would answer: struct seccomp_data is number, architecture, instruction pointer, six arguments."""
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit, 0, *(arguments + (0,) * 6)[:6])
    instructions = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x45:
                at += if_true if accumulator & value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(code)


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest) -> seccomp.Machine:
    return request.param


@pytest.fixture
def ask(machine: seccomp.Machine):
    program = seccomp.assemble(machine, seccomp.worker_rules(SOCKET))
    assert len(program) % 8 == 0
    assert len(program) // 8 <= 4096  # BPF_MAXINSNS
    return lambda name, *arguments: execute(program, machine.numbers[name], arguments, machine.audit)


def test_only_what_is_listed_is_not_deadly(machine: seccomp.Machine) -> None:
    rules = seccomp.worker_rules(SOCKET)
    program = seccomp.assemble(machine, rules)
    listed = {machine.numbers[rule.name] for rule in rules if rule.name in machine.numbers}
    alive = {number for number in range(1024) if execute(program, number, (), machine.audit) != seccomp.KILL}
    assert alive == listed


def test_nothing_listed_opens_connects_starts_or_traces(machine: seccomp.Machine, ask) -> None:
    allowed = {name for name in machine.numbers if ask(name) == seccomp.ALLOW}
    assert not allowed & {
        "open", "openat", "openat2", "read", "readv", "write", "writev", "lseek", "stat", "statx", "ioctl", "fcntl",
        "dup", "prctl", "prlimit64", "memfd_create", "getdents64", "mkdir", "unlink", "readlink", "access",
    }  # fmt: skip
    assert not {"socket", "connect", "clone", "fork", "execve", "ptrace", "kill", "mount"} & set(machine.numbers)


def test_another_architecture_is_killed(machine: seccomp.Machine) -> None:
    program = seccomp.assemble(machine, seccomp.worker_rules(SOCKET))
    number = machine.numbers["getpid"]
    assert execute(program, number, (), machine.audit) == seccomp.ALLOW
    for other in (0x40000003, 0x40000028, machine.audit ^ 1):  # i386, arm
        assert execute(program, number, (), other) == seccomp.KILL


def test_the_x32_table_is_killed() -> None:
    machine = seccomp.MACHINES["x86_64"]
    program = seccomp.assemble(machine, seccomp.worker_rules(SOCKET))
    for number in (machine.numbers["getpid"], machine.numbers["pread64"]):
        assert execute(program, 0x40000000 | number, (), machine.audit) == seccomp.KILL


def test_only_the_socket_hears_and_speaks(ask) -> None:
    assert ask("sendto", SOCKET, 0, 0, 0, 0) == seccomp.ALLOW
    assert ask("sendto", SOCKET + 1) == REFUSED
    assert ask("sendto", SOCKET, 0, 0, 0, 0x7000) == REFUSED  # to an address of its choice
    assert ask("recvmsg", SOCKET) == seccomp.ALLOW
    assert ask("recvmsg", SOCKET + 1) == REFUSED


def test_memory_is_anonymous_and_never_executable(ask) -> None:
    anonymous = 0x22
    assert ask("mmap", 0, 4096, 3, anonymous) == seccomp.ALLOW
    assert ask("mmap", 0, 4096, 7, anonymous) == REFUSED
    assert ask("mmap", 0, 4096, 3, 0x1) == REFUSED  # a shared mapping of the document would write it
    assert ask("mprotect", 0, 4096, 3) == seccomp.ALLOW
    assert ask("mprotect", 0, 4096, 5) == REFUSED


def test_a_file_is_looked_at_by_its_descriptor_only(ask) -> None:
    assert ask("newfstatat", 4, 0, 0, 0x1000) == seccomp.ALLOW
    assert ask("newfstatat", 4, 0, 0, 0) == REFUSED
    assert ask("newfstatat", 4, 0, 0, 0x1100) == REFUSED


def test_a_refusal_is_eperm() -> None:
    assert REFUSED & 0xFFFF == errno.EPERM
    assert REFUSED & 0xFFFF0000 == 0x00050000  # SECCOMP_RET_ERRNO


HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_numbers_are_the_kernel_s(name: str) -> None:
    if not HEADERS[name].exists():
        pytest.skip(f"no {HEADERS[name]} here (package linux-libc-dev)")
    text = HEADERS[name].read_text()
    kernel = {match[1]: int(match[2]) for match in re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    kernel.setdefault("newfstatat", kernel.get("fstatat", -1))
    numbers = seccomp.MACHINES[name].numbers
    assert numbers == {word: kernel.get(word) for word in numbers}
