"""The download channel: where documents arrive from browsers, mail programs and the desktop.

Everything is in ``folders.py``; a download folder is found like a sync folder, by other programs' settings.
"""

from __future__ import annotations

from agent.channels.folders import FolderChannel
from agent.model import ChannelKind


class DownloadsChannel(FolderChannel):
    """Download folders of ``people``, and ``folders`` besides them."""

    KIND = ChannelKind.DOWNLOADS
    WHAT = "downloads"
