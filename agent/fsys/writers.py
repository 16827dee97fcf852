"""Does anybody have this file open for writing? Asked of the kernel with a lease that is given back at once.

A download or a scanner that writes straight into the final name, with a pause longer than the settling time, would go
on writing into a file that we have just removed: half the document would be lost. F_SETLEASE F_RDLCK is refused with
EAGAIN exactly when somebody can still write, mapped memory included (fcntl(2), "Leases"). It needs the file's owner or
CAP_LEASE. Where it cannot be asked, the answer is "nobody that we know of".
"""

from __future__ import annotations

import errno
import fcntl
import signal


def open_for_writing(fd: int) -> bool:
    """Whether somebody has the file open for writing; ``fd`` is open for reading. False when it cannot be known."""
    try:
        # A broken lease sends a signal, by default SIGIO, which would end the process: SIGURG is ignored by default.
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in {errno.EAGAIN, errno.EWOULDBLOCK}
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
