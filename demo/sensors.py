"""The running sensors: one ``kakehashi produce`` after the other in each lane, the lanes in parallel."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from demo.plan import Lane, Play
from exchange.errors import FatalError
from kakehashi import roles


class Sensors:
    """Plays lanes. ``tick`` often: it starts the next sensor and raises if a sensor failed.

    One small play of ``nation``, the last of its lane, waits until ``may_end``: there is something to publish until
    then.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        feeds: Path,
        home: Path,
        environ: Mapping[str, str],
        nation: str,
        may_end: Callable[[], bool],
    ) -> None:
        self._waiting = [list(lane) for lane in lanes]
        self._running: list[tuple[Play, roles.RoleProcess] | None] = [None] * len(lanes)
        self._feeds, self._home, self._environ, self._may_end = feeds, home, environ, may_end
        self._started = 0
        last = [lane[-1] for lane in lanes if lane[-1].nation == nation]
        self._held = min(last, key=lambda play: play.observations, default=None)

    def tick(self) -> None:
        """Start the next sensor. Raises FatalError if not all of a sensor's reports were acknowledged."""
        for number, waiting in enumerate(self._waiting):
            running = self._running[number]
            if running is not None and not roles.is_running(running[1]):
                self._check(*running)
                self._running[number] = running = None
            if running is None and waiting and (waiting[0] is not self._held or self._may_end()):
                self._running[number] = self._start(waiting.pop(0))

    @property
    def playing(self) -> list[str]:
        """The running sensors, as ``GBR reputation``."""
        return [f"{running[0].nation} {running[0].sensor}" for running in self._running if running is not None]

    @property
    def are_waiting(self) -> bool:
        """Whether only sensors remain that wait for permission to end."""
        left = [play for waiting in self._waiting for play in waiting]
        return left == [self._held] and not any(self._running)

    @property
    def are_done(self) -> bool:
        """Whether all is published."""
        return not any(self._waiting) and not any(self._running)

    def _start(self, play: Play) -> tuple[Play, roles.RoleProcess]:
        self._started += 1
        name = f"sensor-{self._started:02d}-{play.nation}-{play.sensor}"
        return play, roles.start(self._home, name, play.arguments(self._feeds), self._environ)

    def _check(self, play: Play, process: roles.RoleProcess) -> None:
        """A sensor that succeeded has a summary as its last line, and all of its input is acknowledged."""
        lines = roles.log_of(self._home, process.name).read_text("utf-8", "replace").splitlines()
        summary = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else None
        if summary is None or summary["acknowledged_observations"] - summary["withdrawn"] != play.observations:
            end = "\n".join(lines[-8:])
            raise FatalError(
                f"{play.nation}'s sensor {play.sensor} did not publish all {play.observations} observations of "
                f"{', '.join(play.files)}:\n{end}"
            )
