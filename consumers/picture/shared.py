"""Which of the values that a tool has seen a partner shares at present, and under which marking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from consumers.picture.address import holding, network_of
from consumers.picture.entry import Ended, Entry
from consumers.picture.picture import Picture
from consumers.subscription.changes import State
from exchange.errors import NotFound, TransientError
from schemas.identity import indicator_id, indicator_key, key_of_id
from schemas.vocabulary import IndicatorType

_PAGE: Final = 2_000
_ADDRESSES: Final = frozenset({IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR})


class Look(NamedTuple):
    """A picture at one moment: its id, and its latest change."""

    picture: str
    added_us: int


class Shared:
    """What one partner shares with a nation, by the picture of this machine. One thread uses it."""

    def __init__(self, path: Path, nation: str, partner: str, clock_ms: Callable[[], int]) -> None:
        """Raises TransientError if there is no usable picture now."""
        self._path, self._nation, self._partner, self._clock_ms = path, nation, partner, clock_ms
        with _trying_again():
            self._picture = Picture(path, nation, clock_ms)

    def close(self) -> None:
        """Close the picture."""
        self._picture.close()

    def indicator(self, kind: IndicatorType, value: str) -> Entry | Ended | None:
        """The partner's record of this type and canonical value; None if it has shared none, or deleted it.

        An ``Entry`` that is not live has ended. Raises TransientError while the picture cannot answer.
        """
        with _trying_again():
            self._reopen()
            known = self._picture.get(indicator_id(indicator_key(kind, value)))
            found = next((each for each in known if each.origin == self._partner), None)
            if found is None and not self._is_whole():
                raise TransientError(f"what {self._partner} shares is still being read into the picture: try again")
        return found

    def changed(self, after: Look | None) -> tuple[Look, set[bytes] | None]:
        """The picture now, and the keys of what the partner has changed since another look; None if anything may have
        changed: there was no other look, or the picture was made anew."""
        found: set[bytes] = set()
        with _trying_again():
            self._reopen()
            look = Look(self._picture.id, self._picture.head_us())
            if after is None or after.picture != look.picture:
                return look, None
            after_us = after.added_us
            while changes := self._picture.changes(after_us, _PAGE, look.added_us):
                after_us = changes[-1].added_us
                found.update(key_of_id(each.id) for each in changes if each.origin == self._partner)
        return look, found

    def _is_whole(self) -> bool:
        return any(each.origin == self._partner and each.is_whole for each in self._picture.origins())

    def _reopen(self) -> None:
        if self._picture.is_replaced():
            self._picture.close()
            self._picture = Picture(self._path, self._nation, self._clock_ms)

    def network(self, address: str) -> Entry | Ended | None:
        """The smallest network that holds this address and is live; else one that has ended; else None."""
        ended: Entry | Ended | None = None
        asked = network_of(address)
        for kind, value in () if asked is None else holding(asked):
            if kind in _ADDRESSES:
                continue
            found = self.indicator(kind, value)
            if isinstance(found, Entry) and found.state is State.LIVE:
                return found
            ended = ended or found
        return ended


@contextmanager
def _trying_again() -> Iterator[None]:
    """A picture that is missing or damaged is made anew by whoever keeps it."""
    try:
        yield
    except NotFound as error:
        raise TransientError(str(error)) from error
