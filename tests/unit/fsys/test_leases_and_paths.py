"""Opening beneath a folder when somebody holds a lease, and opening only the path."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from agent.fsys.openat import open_beneath, open_folder, open_regular

HOLDER = """
import fcntl, os, signal, sys
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_lease_is_an_error_and_not_an_endless_loop(tmp_path):
    (tmp_path / "f").write_text("x")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "f"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    root = open_folder(os.fsencode(tmp_path))
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OSError) as caught:
            open_regular(root, b"f")
        assert caught.value.errno == errno.EAGAIN
    finally:
        holder.kill()
        holder.wait()
        holder.stdin.close()
        holder.stdout.close()
        os.close(root)


def test_only_the_path(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "l").symlink_to("f")
    os.mkfifo(tmp_path / "fifo")
    root = open_folder(os.fsencode(tmp_path))
    for name in (b"f", b"fifo"):
        os.close(open_beneath(root, name, os.O_PATH))
    link = open_beneath(root, b"l", os.O_PATH)  # the link itself, never what it points to
    assert stat.S_ISLNK(os.fstat(link).st_mode)
    os.close(link)
    os.close(root)
