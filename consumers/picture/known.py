"""What a picture knows of its origins, and of earlier versions of an indicator."""

import msgspec

from consumers.subscription.changes import State


class Version(msgspec.Struct, frozen=True):
    """An earlier version of an indicator. ``tlp`` and ``confidence`` are None if its content may not be kept."""

    version: int
    received_ms: int
    state: State
    reason: str
    tlp: str | None
    confidence: int | None


class OriginState(msgspec.Struct, frozen=True):
    """How far the picture has one origin.

    ``is_whole`` is False while its topic is read from the beginning. ``current_ms`` is a time up to which everything is
    here. ``gap`` is why the topic was last read anew, at ``gap_ms``; empty if it never was.
    """

    origin: str
    topic: str
    is_whole: bool
    current_ms: int
    gap: str
    gap_ms: int
