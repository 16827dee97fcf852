"""Root's commands act as the account whose folder it is."""

import os
import pwd

import pytest

from collector.owner import act_as_owner

pytestmark = pytest.mark.system


def in_a_child(data, line):
    """The exit status of ``line`` in a process that called act_as_owner before: what it does cannot be taken back."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            act_as_owner(data)
            status = line()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_a_command_leaves_belongs_to_the_account(tmp_path):
    person = pwd.getpwnam("nobody")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    os.chown(data, person.pw_uid, person.pw_gid)
    folder = os.open(data, os.O_PATH)

    def write():
        os.close(os.open("made", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=folder))
        still_root = os.getresuid() != (person.pw_uid,) * 3 or os.getgroups() or os.environ["HOME"] == "/root"
        return 1 if still_root else 0

    assert in_a_child(data, write) == 0
    found = (data / "made").stat()
    assert (found.st_uid, found.st_gid) == (person.pw_uid, person.pw_gid)


@pytest.mark.parametrize("there", [True, False])
def test_roots_own_folder_and_a_new_one_stay_roots(tmp_path, there):
    data = tmp_path / "data"
    if there:
        data.mkdir()
    assert in_a_child(data, lambda: 0 if os.getresuid() == (0, 0, 0) else 1) == 0
