"""Losses of a listener's senders: the same one is reported again later, and a flood of them stays bounded."""

from typing import Final

AGAIN_S: Final = 600.0
MOST: Final = 1000
OTHERS: Final = f"more than {MOST} different losses within {AGAIN_S:g} s: the others are not listed"


class Losses:
    """What was reported within the last ten minutes."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}

    def reported(self, text: str, now_s: float) -> str | None:
        """What to report of a loss, by the monotonic clock; ``None`` if that was reported a short time ago."""
        self._at = {each: at for each, at in self._at.items() if now_s - at < AGAIN_S}
        said = text if text in self._at or len(self._at) < MOST else OTHERS
        if said in self._at:
            return None
        self._at[said] = now_s
        return said
