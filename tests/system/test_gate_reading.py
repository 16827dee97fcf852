"""Who may read what: programs, folders, and the ways round them."""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.model import Strength
from tests.gate_bed import SECRET, USER, GateBed, reads, run, settled

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GateBed]:
    made = GateBed(tmp_path_factory.mktemp("gate"))
    try:
        made.secret(made.cloud / "secret")
        made.write(made.cloud / "plain")
        made.secret(made.home / "letter")
        made.write(made.home / "note")
        made.secret(made.outside / "letter")
        (made.home / ".mail").mkdir()
        made.secret(made.home / ".mail/letter")
        settled()
        made.arm()
        yield made
    finally:
        made.close()


def test_a_sync_folder_gives_secrets_to_local_programs_alone(bed: GateBed) -> None:
    assert reads(bed.cloud / "secret") is None
    assert reads(bed.cloud / "plain") == b"harmless"
    assert SECRET in run(["cat", bed.cloud / "secret"]).stdout  # of the system, without a connection


def test_known_exits_get_no_secret_from_a_document_folder(bed: GateBed, tmp_path: Path) -> None:
    assert reads(bed.home / "letter") is not None  # nobody knows it: allowed there
    browser = tmp_path / "firefox"  # it calls itself so: that is enough to be treated so
    shutil.copy("/usr/bin/cat", browser)
    assert run([browser, bed.home / "letter"]).stdout == b""
    assert run([browser, bed.home / "note"]).stdout == b"harmless"
    assert SECRET in run([browser, bed.home / ".mail/letter"]).stdout  # a mailer's own store
    assert SECRET in run([browser, bed.outside / "letter"]).stdout


def test_a_script_is_known_by_its_name(bed: GateBed, tmp_path: Path) -> None:
    client = tmp_path / "insync"
    client.write_text("import sys; print(open(sys.argv[1]).read())")
    assert run([sys.executable, "-I", "-S", client, bed.cloud / "secret"]).returncode != 0


def test_a_name_alone_frees_nobody(bed: GateBed, tmp_path: Path) -> None:
    """cat(1) is free because of what it is: a copy, or another program bound over its path, is not."""
    copied = tmp_path / "cat"
    shutil.copy("/usr/bin/cat", copied)
    copied.chmod(0o755)
    assert run([copied, bed.cloud / "secret"]).stdout == b""
    over = f"mount --bind {copied} /usr/bin/cat && exec /usr/bin/cat {bed.cloud}/secret"
    done = run(["unshare", "-m", "sh", "-c", over])
    assert done.stdout == b""
    assert b"not permitted" in done.stderr


@pytest.mark.parametrize(
    "script",
    [
        "mount --bind {cloud} {elsewhere}",
        "mount --rbind {volume} {elsewhere}",
        "mount --bind {volume}/home {elsewhere} && mkdir {elsewhere}/home; mount --bind {elsewhere} {elsewhere}",
    ],
)
def test_another_mount_namespace_is_no_way_round(bed: GateBed, tmp_path: Path, script: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = script.format(cloud=bed.cloud, volume=bed.volume, elsewhere=elsewhere)
    read = bed.outside / "reader"
    shutil.copy("/usr/bin/cat", read)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    for name, expected in (("secret", b""), ("plain", b"harmless")):
        inner = f"{{ {script}; }} 2>/dev/null; cd {elsewhere}; cd home/Cloud || cd Cloud; exec {read} {name}"
        done = run(["unshare", "-rm", "sh", "-c", inner], user=USER, group=USER, extra_groups=[])
        if b"unshare failed" in done.stderr:
            pytest.skip("no unprivileged user namespaces here")
        assert done.stdout.strip() == expected, done.stderr


def test_a_second_mount_of_the_device_is_no_way_round(bed: GateBed, tmp_path: Path) -> None:
    device = run(["findmnt", "-no", "SOURCE", bed.volume]).stdout.strip().decode()
    second = tmp_path / "second"
    second.mkdir()
    run(["mount", device, second]).check_returncode()
    try:
        assert reads(second / "home/Cloud/secret") is None
        assert reads(second / "home/Cloud/plain") == b"harmless"
        assert reads(second / "theirs/outside/letter") is not None
    finally:
        run(["umount", "-l", second])


def test_a_hard_link_is_judged_where_it_is_opened(bed: GateBed) -> None:
    os.link(bed.cloud / "secret", bed.outside / "linked out")
    os.link(bed.outside / "letter", bed.cloud / "linked in")
    try:
        assert reads(bed.outside / "linked out") is not None  # it left the folder, as a copy would
        assert reads(bed.cloud / "linked in") is None
        os.symlink(bed.cloud / "secret", bed.outside / "pointing")
        assert reads(bed.outside / "pointing") is None
    finally:
        for name in (bed.outside / "linked out", bed.cloud / "linked in", bed.outside / "pointing"):
            name.unlink(missing_ok=True)


_WAYS = {
    "O_PATH, then reopened": "f=os.open(p,os.O_PATH); print(os.read(os.open('/proc/self/fd/%d'%f,0),99))",
    "folder first, then the name": "d=os.open(os.path.dirname(p),0); print(os.read(os.open('secret',0,dir_fd=d),99))",
    "copy_file_range": "f=os.open(p,0); o=os.open(p+'.c',os.O_CREAT|os.O_RDWR); os.copy_file_range(f,o,99); print(1)",
    "read and write": "print(os.read(os.open(p,os.O_RDWR),99))",
    "mapped": "import mmap; print(mmap.mmap(os.open(p,0),0,prot=1)[:99])",
    "write only, then reopened": "f=os.open(p,os.O_WRONLY); print(os.read(os.open('/proc/self/fd/%d'%f,0),99))",
    "in a thread": "import threading; threading.Thread(target=lambda: print(os.read(os.open(p,0),99))).start()",
    "after a rename": "os.rename(p,p+'.r'); q=p+'.r'; os.rename(q,p); print(os.read(os.open(p,0),99))",
    "truncating": "print(os.read(os.open(p,os.O_RDWR|os.O_APPEND),99))",
}


@pytest.mark.parametrize("way", _WAYS)
def test_no_call_reads_a_secret(bed: GateBed, way: str) -> None:
    code = f"import os,sys; p=sys.argv[1]; {_WAYS[way]}"
    done = run([sys.executable, "-I", "-S", "-c", code, bed.cloud / "secret"])
    assert done.stdout == b""
    assert b"PermissionError" in done.stderr


_COPIED_UP = """
mkdir merged upper work && mount -t overlay -o userxattr,lowerdir={cloud},upperdir=upper,workdir=work x merged || exit
echo mounted; {beside}
for name in plain secret; do
    for _ in $(seq 20); do {write} if=/dev/null of=merged/$name conv=notrunc; done
    {read} upper/$name && echo || echo refused
done
"""


@pytest.mark.parametrize("beside", ["", "exec 9>>{cloud}/secret"])
def test_writing_to_an_overlay_does_not_copy_the_secret_below_it(bed: GateBed, tmp_path: Path, beside: str) -> None:
    """The kernel reads the file below within a call that only writes, and the copy is the caller's."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    own = tmp_path / "own"
    own.mkdir()
    os.chown(own, USER, USER)
    write, read = bed.outside / "writer", bed.outside / "reader"
    shutil.copy("/usr/bin/dd", write)
    shutil.copy("/usr/bin/cat", read)
    script = _COPIED_UP.format(cloud=bed.cloud, write=write, read=read, beside=beside.format(cloud=bed.cloud))
    done = run(["unshare", "-rm", "sh", "-c", script], user=USER, group=USER, extra_groups=[], cwd=own)
    if not done.stdout.startswith(b"mounted"):
        pytest.skip("no overlays in unprivileged user namespaces here")
    assert done.stdout.split() == [b"mounted", b"harmless", b"refused"], done.stderr


def test_who_only_writes_by_way_of_another_mount_is_not_held_either(bed: GateBed, tmp_path: Path) -> None:
    bed.secret(bed.cloud / "not read yet")
    settled()
    before = len(bed.seen)
    inner = f'mount --bind {bed.cloud} {tmp_path} && exec {sys.executable} -I -S -c "$0" "{tmp_path}/not read yet"'
    done = run(["unshare", "-m", "sh", "-c", inner, "import os,sys; os.open(sys.argv[1], os.O_WRONLY)"])
    assert done.returncode == 0, done.stderr
    assert len(bed.seen) == before


def test_an_unnamed_program_in_memory_is_nobody(bed: GateBed) -> None:
    code = (
        "import os,sys; m=os.memfd_create('cat'); os.write(m,open('/usr/bin/cat','rb').read());"
        "os.execve(m,['/usr/bin/cat',sys.argv[1]],{})"
    )
    done = run([sys.executable, "-I", "-S", "-c", code, bed.cloud / "secret"])
    assert done.stdout == b""


_URING = """
import ctypes, mmap, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
params = ctypes.create_string_buffer(120)
ring = libc.syscall(425, 4, params)
if ring < 0: print("none"); sys.exit()
sq_off = struct.unpack_from("<10I", params, 40); cq_off = struct.unpack_from("<10I", params, 80)
sq = mmap.mmap(ring, sq_off[6] + 64, offset=0); cq = mmap.mmap(ring, cq_off[5] + 64 * 8, offset=0x8000000)
sqes = mmap.mmap(ring, 4 * 64, offset=0x10000000)
path = ctypes.create_string_buffer(sys.argv[1].encode())
struct.pack_into("<BBHiQQIIQ", sqes, 0, 18, 0x10, 0, -100, 0, ctypes.addressof(path), 0, 0, 7)  # openat, async
struct.pack_into("<I", sq, sq_off[6], 0); struct.pack_into("<I", sq, sq_off[1], 1)
libc.syscall(426, ring, 1, 1, 1, None, 0)
result = struct.unpack_from("<Qi", cq, cq_off[5])[1]
print(os.read(result, 99) if result >= 0 else "refused %d" % result)
"""


def test_io_uring_is_no_way_round(bed: GateBed) -> None:
    for name, expected in (("plain", b"b'harmless'"), ("secret", b"refused -1")):
        done = run([sys.executable, "-I", "-S", "-c", _URING, bed.cloud / name])
        if done.stdout.strip() == b"none":
            pytest.skip("io_uring is switched off here")
        assert done.stdout.strip() == expected, done.stderr


def test_a_descriptor_opened_before_arming_stays_open(tmp_path: Path) -> None:
    """A limit that is stated: what was open is open."""
    made = GateBed(tmp_path, size_mb=32)
    try:
        path = made.secret(made.cloud / "secret")
        code = "import sys; f=open(sys.argv[1]); print('open',flush=True); sys.stdin.read(); print(len(f.read()))"
        child = subprocess.Popen(
            [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            assert child.stdout.readline() == "open\n"
            settled()
            made.arm(home=False)
            assert reads(path) is None
            assert child.communicate(timeout=20)[0] == "109\n"
        finally:
            child.kill()
    finally:
        made.close()


def test_verdicts_are_kept_and_do_not_outlive_the_file_state(bed: GateBed) -> None:
    path = bed.write(bed.cloud / "changing", b"nothing yet")
    browser = shutil.which("rclone") or pytest.skip("no rclone")
    settled()
    for _ in range(3):
        assert run([browser, "cat", path]).stdout == b"nothing yet"
    assert sum(1 for reading in bed.seen if reading.name == b"changing") == 1
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:9] = SECRET
    assert run([browser, "cat", path]).stdout == b""


def test_who_only_writes_is_never_held(bed: GateBed) -> None:
    before = len(bed.seen)
    done = run([sys.executable, "-I", "-S", "-c", "import sys; open(sys.argv[1],'ab').write(b'x')", bed.cloud / "w"])
    assert done.returncode == 0
    assert len(bed.seen) == before


def _refused_unasked(bed: GateBed, path: Path) -> bool:
    """Whether this reader was refused by what is remembered; refused it is."""
    before = bed.board.counts()
    assert reads(path) is None
    after = bed.board.counts()
    return (after["cached"], after["asked"]) == (before["cached"] + 1, before["asked"])


@pytest.mark.parametrize("mode", ["wb", "ab", "w+b"])
def test_a_refusal_that_is_remembered_does_not_keep_a_writer_out(bed: GateBed, mode: str) -> None:
    """Who replaces the document with a harmless one reads nothing of it; refusals are remembered for half a minute."""
    path = bed.secret(bed.cloud / f"refused before {mode}")
    settled()
    assert any(
        _refused_unasked(bed, path) for _ in range(6)
    )  # a refusal at the deadline, of a busy laptop, is not kept
    done = run([sys.executable, "-I", "-S", "-c", f"import sys; open(sys.argv[1],'{mode}').write(b'harmless')", path])
    assert done.returncode == 0, done.stderr
    assert run([sys.executable, "-I", "-S", "-c", "import sys; open(sys.argv[1],'r+b')", bed.secret(path)]).returncode


def test_who_empties_and_reads_what_it_writes_is_not_held(bed: GateBed) -> None:
    path = bed.secret(bed.cloud / "written anew")
    settled()
    code = "import sys; f=open(sys.argv[1],'w+b'); f.write(b'new'); f.seek(0); print(f.read())"
    assert run([sys.executable, "-I", "-S", "-c", code, path]).stdout == b"b'new'\n"


def test_the_canary_sees_an_open_door(bed: GateBed) -> None:
    from agent.gates.gate import fanotify

    bed.gating._prove()
    assert bed.gating.status()["canary"]["passed"] is True
    fd = os.open(bed.volume, os.O_RDONLY)
    try:
        fanotify.release_filesystem(bed.gating._group, fd)
        bed.gating._prove()
        assert [trouble.word for trouble in bed.troubles.standing()] == ["gate-canary"]
        assert bed.gating.described(bed.place()).strength is Strength.AFTER_WRITE
        fanotify.guard_filesystem(bed.gating._group, fd)
        bed.gating._prove()
        assert bed.troubles.standing() == ()
        assert bed.gating.described(bed.place()).strength is Strength.HOLD
    finally:
        os.close(fd)


def test_a_file_that_is_being_written_is_waited_for_and_not_given_in_part(bed: GateBed) -> None:
    path = bed.cloud / "growing"
    with path.open("wb", buffering=0) as writing:
        writing.write(b"harmless so far")
        assert reads(path) is None  # whoever has it open could go on reading what comes
        reader = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", "import sys; print(open(sys.argv[1]).read())", path],
            stdout=subprocess.PIPE,
        )
        writing.write(b", and to the end")
    try:
        assert reader.communicate(timeout=30)[0] == b"harmless so far, and to the end\n"
    finally:
        reader.kill()
        reader.wait()
