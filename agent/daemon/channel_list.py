"""Which channels are guarded, as the configuration says."""

from __future__ import annotations

import os
from collections.abc import Sequence

from agent.channels.base import Channel
from agent.channels.cloud_sync import CloudSyncChannel
from agent.channels.downloads import DownloadsChannel
from agent.channels.people import Person, uid_of
from agent.channels.removable import RemovableChannel
from agent.config import ChannelsSection


def guarded_channels(channels: ChannelsSection, people: Sequence[Person]) -> list[Channel]:
    """Volumes first: they are to be armed while the folders are looked for."""
    made: list[Channel] = []
    if channels.removable.enabled:
        volumes = [os.fsencode(path) for path in channels.removable.volumes]
        made.append(RemovableChannel(volumes, uid_of, discover=channels.removable.discover))
    for section, kind in ((channels.cloud_sync, CloudSyncChannel), (channels.downloads, DownloadsChannel)):
        if section.enabled:
            folders = [os.fsencode(path) for path in section.folders]
            made.append(kind(people, folders, discover=section.discover))
    return made
