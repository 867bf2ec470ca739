"""The two accidents of the demo: a process is killed with ``kill -9`` and started again, and the recovery is timed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from demo.tally import Tally
from exchange.clock import now_ms
from exchange.errors import FatalError
from kakehashi.local_nations import LocalNations, bridge_of, streams_of
from schemas import topics

GIVE_UP_S: Final = 90.0


@dataclass(frozen=True, slots=True)
class Kill:
    """One accident: ``role`` is killed when ``share`` of ``nation``'s observations is published.

    Work continues with the first record on ``topic`` of ``seen_at``'s cluster: records not committed by then are not
    there. ``words`` name the role to a person.
    """

    words: str
    role: str
    nation: str
    share: float
    seen_at: str
    topic: str


@dataclass(frozen=True, slots=True)
class Outage:
    """A kill that happened. ``went_on_ms`` is from the kill to the first record after it; 0 while nothing came."""

    kill: Kill
    process: int
    again_as: int
    at_ms: int
    read_by_then: int
    went_on_ms: int = 0


def both(home: str, partner: str) -> tuple[Kill, ...]:
    """A bridge first, and when it works again, the stream worker that feeds it."""
    return (
        Kill(f"bridge {home} → {partner}", bridge_of(home, partner), home, 0.30, partner, topics.inbox(home)),
        Kill(f"stream worker of {home}", streams_of(home), home, 0.60, home, topics.NATIONAL),
    )


class Kills:
    """Carries out kills, one after the other, each only when work continues after the one before."""

    def __init__(
        self,
        kills: Sequence[Kill],
        nations: LocalNations,
        tallies: Mapping[str, Tally],
        planned: Mapping[str, int],
        show: Callable[[Outage], None],
    ) -> None:
        self._waiting, self._nations, self._tallies, self._planned = list(kills), nations, tallies, planned
        self._show = show
        self._killed_at = 0.0
        self.outages: list[Outage] = []

    @property
    def open(self) -> Outage | None:
        """The current outage."""
        return self.outages[-1] if self.outages and not self.outages[-1].went_on_ms else None

    @property
    def have_happened(self) -> bool:
        """Whether all kills have happened."""
        return not self._waiting

    def tick(self, *, at_once: bool) -> None:
        """Carry out the kill that is due, and check whether a killed process works again. Raises FatalError if not.

        ``at_once`` states that there is nothing to wait for: no more is published until then.
        """
        lasting = self.open
        if lasting is not None:
            self._look(lasting)
        elif self._waiting and (at_once or self._is_time(self._waiting[0])):
            self._carry_out(self._waiting.pop(0))

    def _is_time(self, kill: Kill) -> bool:
        return self._tallies[kill.nation].published >= kill.share * self._planned[kill.nation]

    def _carry_out(self, kill: Kill) -> None:
        process = self._nations.kill(kill.role)
        at_ms, self._killed_at = now_ms(), time.monotonic()
        read = len(self._tallies[kill.seen_at].records[kill.topic])
        again = self._nations.start(self._nations.roles[kill.role])
        self.outages.append(Outage(kill, process, again, at_ms, read))
        self._show(self.outages[-1])

    def _look(self, outage: Outage) -> None:
        seen = self._tallies[outage.kill.seen_at]
        first = seen.first_since(outage.kill.topic, outage.at_ms, outage.read_by_then)
        if first is not None:
            self.outages[-1] = replace(outage, went_on_ms=first - outage.at_ms)
            self._show(self.outages[-1])
        elif time.monotonic() - self._killed_at > GIVE_UP_S:
            raise FatalError(
                f"{outage.kill.words} has not gone on within {GIVE_UP_S:g} s of its kill. The end of its log:\n"
                f"{self._nations.end_of_log(outage.kill.role)}"
            )
