"""What Schemathesis cannot know by itself: how frames are written (it loads this file when the test runs it)."""

import schemathesis


@schemathesis.serializer("application/vnd.serment.frames")
def frames(_context, value):
    """As it comes: bytes."""
    return value if isinstance(value, bytes) else bytes(value) if isinstance(value, bytearray) else str(value).encode()
