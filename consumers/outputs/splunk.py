"""Sends changes as events to a Splunk HTTP Event Collector. An index only grows: the latest event of an id counts.

Source of the format: Splunk's documentation, "Format events for HTTP Event Collector" and "About HTTP Event Collector
Indexer Acknowledgment".
"""

import json
import time
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import msgspec

from consumers.outputs.http_sender import CA, Sender
from consumers.outputs.places import chosen, secret_of
from consumers.outputs.protocol import (
    EVERY_TYPE,
    Change,
    Output,
    OutputUnavailable,
    Put,
    Target,
)
from consumers.outputs.push import Pushing, Receiver, pushing
from consumers.outputs.webhook import event_of
from exchange.clock import now_ms
from schemas.markings import Activity

_NAME: Final = "splunk"
_EVENTS: Final = "/services/collector/event"
_ACKS: Final = "/services/collector/ack"
_ACKED_S: Final = 30.0
_LOOK_S: Final = 0.5


class EventCollector(Receiver):
    """One collector. With ``acks`` a delivery waits until the indexers have it on their disks."""

    at_once = 1_000

    def __init__(self, sender: Sender, token: str, *, acks: bool, clock_ms: Callable[[], int] = now_ms) -> None:
        self._sender, self._acks, self._clock_ms = sender, acks, clock_ms
        self._headers = {"authorization": f"Splunk {token}", "content-type": "application/json"}
        if acks:
            self._headers["x-splunk-request-channel"] = str(uuid.uuid4())

    def is_known(self, ledger: str) -> bool:
        """A collector cannot be asked."""
        return bool(ledger)

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """One request with all of them."""
        body = "\n".join(json.dumps(self._event(each), separators=(",", ":")) for each in changes).encode()
        answer = self._sender.confirmed("POST", self._sender.path + _EVENTS, body, self._headers)
        said = _object(answer.body)
        if said.get("code") != 0:
            raise OutputUnavailable(f"the collector answers {answer.shown}")
        if self._acks:
            self._wait(said.get("ackId"))
        return ()

    def close(self) -> None:
        """No connection stays open."""

    def _event(self, change: Change) -> dict[str, Any]:
        at_s = (change.entry.received_ms if isinstance(change, Put) else self._clock_ms()) / 1000
        return {"time": at_s, "source": "kakehashi", "sourcetype": "kakehashi:indicator", "event": event_of(change)}

    def _wait(self, number: object) -> None:
        end_s = time.monotonic() + _ACKED_S
        body = json.dumps({"acks": [number]}).encode()
        while time.monotonic() < end_s:
            answer = self._sender.confirmed("POST", self._sender.path + _ACKS, body, self._headers)
            acks = _object(answer.body).get("acks")
            if isinstance(acks, dict) and acks.get(str(number)) is True:
                return
            time.sleep(_LOOK_S)
        raise OutputUnavailable(f"the indexers have not acknowledged within {_ACKED_S:.0f} s")


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _open(target: Target) -> Pushing:
    sender = Sender(_NAME, target.place, target.options.get("ca", ""))
    acks = chosen(target, _NAME, "ack", ("no", "yes")) == "yes"
    receiver = EventCollector(sender, secret_of(target, _NAME, "token"), acks=acks)
    return pushing(target, _NAME, receiver)


OUTPUT: Final = Output(
    name=_NAME,
    writes="events to a Splunk HTTP Event Collector",
    place="URL",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={
        "token": "a file with the collector's token",
        "ack": "`yes` to wait for the acknowledgement of the indexers, `no` if not given",
        "ca": CA,
    },
)
