"""What can weaken the guard of one folder, as ``status`` and ``doctor`` say it, by a word of the guard's own."""

from __future__ import annotations

from agent.channels.base import Trouble
from agent.errors import N_

TROUBLES = {
    "mount": Trouble(
        "nested-mount",
        N_("another volume is mounted inside a guarded folder: what lies there is not watched"),
        N_("guard that volume by itself, in the configuration"),
    ),
    "deep": Trouble("too-deep", N_("some folders lie too deep inside a guarded folder and are not watched")),
    "unreadable": Trouble("unreadable-folder", N_("some folders cannot be read, and what lies there is not watched")),
    "limit": Trouble(
        "watch-limit",
        N_("the kernel's limit of watches is reached: part of a folder is only looked at once a minute"),
        N_("raise fs.inotify.max_user_watches with sysctl"),
    ),
    "lost": Trouble("events-lost", N_("file events were lost: the whole folder is being looked at again")),
    "gone": Trouble("folder-gone", N_("a guarded folder is gone: it is watched again as soon as it is back")),
    "failed": Trouble("guard-failed", N_("watching a folder failed and is being started again")),
}
