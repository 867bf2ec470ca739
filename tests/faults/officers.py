"""Officers at work: both nations withdraw what they have released, and take that back, at a steady pace."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from typing import Final

from consumers.desk.commands import CommandDesk
from exchange import clock
from exchange.errors import TransientError
from schemas import topics
from schemas.records import Command
from tests.integration.nations import NATIONS, Nations, partner_of
from tests.officers import ALICE, BOB, key_of
from tests.reference.forbidding import Officers as Words
from tests.reference.reading import Reading
from tests.reference.vetoes import ledger

PACE_S: Final = 0.5
RECENT: Final = 500
HEARD_S: Final = 300.0


class Officers:
    """Speak from a thread for each nation, from ``start`` to ``stop``."""

    def __init__(self, nations: Nations, seed: int) -> None:
        self._nations = nations
        self._words = {nation: Words(Random(f"{seed} {nation}"), nation) for nation in NATIONS}
        self._acknowledged: Mapping[str, dict[str, str]] = {nation: {} for nation in NATIONS}
        self._stopping = threading.Event()
        self._pool = ThreadPoolExecutor(len(NATIONS), "officers")
        self._work: list[Future[None]] = []

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._work = [self._pool.submit(self._at_work, nation) for nation in NATIONS]

    def stop(self) -> None:
        """Fall silent, and wait until the brokers have all that was stated."""
        self._stopping.set()
        for each in self._work:
            each.result()

    def check(self, nation: str) -> None:
        """Fails where something that was acknowledged does not stand on the topic, where the audit reads it."""
        missing = self._acknowledged[nation].keys() - ledger(self._nations.direction(nation).stand().commands).received
        if missing:
            raise AssertionError(f"{nation}'s broker has acknowledged commands that it does not have: {missing}")

    @property
    def sent_commands(self) -> Counter[str]:
        """How often which kind of word was acknowledged."""
        return Counter(kind for words in self._acknowledged.values() for kind in words.values())

    def _at_work(self, nation: str) -> None:
        cluster, released = self._nations.clusters[nation], topics.released(partner_of(nation))
        desks = {person: CommandDesk(cluster, self._nations.shards, key_of(person)) for person in (ALICE, BOB)}
        with Reading(cluster, [released], self._nations.shards) as reading:
            while not self._stopping.wait(PACE_S):
                try:
                    reading.look()
                except TimeoutError:  # the broker is away: they look again when it is back
                    continue
                names = [(record.key or b"").decode() for record in reading.records[released][-RECENT:] if record.value]
                if names:
                    person, made = self._words[nation].word(names, clock.now_ms())
                    self._send(desks[person], made)

    def _send(self, desk: CommandDesk, made: Command) -> None:
        """Until it is acknowledged, as the desk asks for: the same command twice changes nothing."""
        give_up = time.monotonic() + HEARD_S
        while True:
            try:
                desk.send([made])
                break
            except TransientError as error:
                if time.monotonic() > give_up:
                    raise AssertionError(f"no command of {made['nation']} within {HEARD_S:g} s: {error}") from error
        self._acknowledged[made["nation"]][made["command_id"]] = made["kind"]
