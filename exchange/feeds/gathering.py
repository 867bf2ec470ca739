"""Lets records gather, so that a flow of small batches becomes one of fewer and larger ones."""

import time


class Gathering:
    """Behind a batch that took all there was, the next one begins ``at_least_s`` later at the earliest.

    A batch costs a transaction, whatever is in it. Records that come more rarely than that do not wait; behind a batch
    that left some, which is a backlog, the next one begins at once.
    """

    def __init__(self, at_least_s: float) -> None:
        self._at_least_s = at_least_s
        self._until = 0.0

    def began(self, *, left_some: bool) -> None:
        """A batch was handed out."""
        self._until = 0.0 if left_some else time.monotonic() + self._at_least_s

    def left_s(self) -> float:
        """For how long records still gather; 0 if they do not."""
        return max(0.0, self._until - time.monotonic()) if self._until else 0.0

    def wait(self, timeout_s: float) -> bool:
        """Wait while records gather, for so long at most; whether the next batch may begin."""
        left_s = self.left_s()
        if left_s:
            time.sleep(min(left_s, timeout_s))
        return left_s <= timeout_s
