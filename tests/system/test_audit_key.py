"""The key of a seal is nowhere once it has signed: not in the memory of the process, not on the disk, not in a core.

A child process writes a log. Its key's secret is asked for once, handed to this process and wiped there; then the
memory of the child is searched from here: before the seal it must be found (or the search is worth nothing), after it
must not. What memory does not hold no core dump holds.
"""

import ctypes
import hashlib
import os
import re

import pytest

from agent.audit.log import AuditLog

pytestmark = pytest.mark.system


def hand_over(secret, fd):
    """Send the secret away and wipe the object that held it."""
    os.write(fd, secret)
    ctypes.memset(id(secret) + bytes.__basicsize__ - 1, 0, len(secret))


def child(folder, says, hears):
    log = AuditLog.open(folder, flush_after_s=3600)
    log.start(version="test")
    hand_over(log._sealer._key._key.private_bytes_raw(), says)
    os.read(hears, 1)
    log.append("transfer", {"n": 1}, durable=True)
    os.write(says, b"sealed")
    os.read(hears, 1)


def memory(pid):
    """Every readable byte of a process, in pieces."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S* .*?(\[v\w+\])?$", line)
            if found and not found[3]:
                begin, end = int(found[1], 16), int(found[2], 16)
                mem.seek(begin)
                try:
                    yield mem.read(end - begin) or b""
                except OSError:
                    continue


def forms(seed):
    """The secret as it may lie somewhere: the seed, and the number that is made from it to sign."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:32])
    whole = bytes(scalar)
    scalar[0] &= 248
    scalar[31] = scalar[31] & 63 | 64
    return [seed, whole, bytes(scalar), hashlib.sha512(seed).digest()[32:]]


@pytest.mark.skipif(os.getuid() != 0, reason="another process's memory is root's to read")
def test_the_key_of_a_seal_is_gone(tmp_path):
    hears, says = os.pipe()
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            child(tmp_path / "audit", says, told)
        finally:
            os._exit(0)
    try:
        seed = os.read(hears, 32)
        assert any(seed in piece for piece in memory(pid))
        os.write(tell, b".")
        assert os.read(hears, 6) == b"sealed"
        left = [form for form in forms(seed) if any(form in piece for piece in memory(pid))]
        assert left == []
        for path in (tmp_path / "audit").rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            assert not any(form in content for form in forms(seed))
    finally:
        os.write(tell, b".")
        os.close(tell)
        os.waitpid(pid, 0)
        os.close(hears)
        os.close(says)
        os.close(told)
