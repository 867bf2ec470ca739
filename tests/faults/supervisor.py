"""Starts again what has ended, as an orchestrator does, and remembers how each ended."""

import threading
from collections import Counter
from typing import Final

from tests.integration.nations import Nations
from tests.integration.role import Role

LOOK_S: Final = 0.1


class Supervisor:
    """Watches every role of two nations from a thread of its own. ``ends`` counts (role, exit code)."""

    def __init__(self, nations: Nations) -> None:
        self._nations = nations
        self._left_alone: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.ends: Counter[tuple[str, int]] = Counter()

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Let things end from now on."""
        self._stopping.set()
        self._thread.join()

    def leave_alone(self, role: Role) -> None:
        """This one is not wanted any more: it is not started again."""
        self._left_alone.add(role.name)

    def want(self, role: Role) -> None:
        """This one is wanted again: it is started."""
        self._left_alone.discard(role.name)

    def wants(self, role: Role) -> bool:
        """Whether this one is to run."""
        return role.name not in self._left_alone

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_S):
            for role in self._nations.all_roles:
                code = role.exit_code
                if code is not None and role.name not in self._left_alone:
                    self.ends[role.name, code] += 1
                    role.start()
