"""What the agent says to the holder (``agent.gates.holder``): one packet is one message. Values only.

Apart from the holder, so that the agent, which says it, has not the holder's own work in its memory.
"""

from __future__ import annotations

import struct

AIRLOCK = struct.Struct("=cIQ")  # b"a", numbers of the connection and the mount below; + its place; with a pidfd
GATE = b"g"  # + path of the socket; comes with the group and the memory
RELEASE = b"r"  # the gate's group: it ends in order
START = b"s"  # make the gate of the group that is held; answered with a PID
FORK = b"f"  # + arguments of an airlock, NUL between them; comes with its descriptors; answered with a PID
PID = struct.Struct("=i")  # of the agent's new child; 0: there is none
END = b"e"
