"""Keeps a collection of Splunk's KV store: a record for each indicator of each origin, the present state for look-ups.

Source: Splunk's REST API Reference, "KV store endpoint descriptions". ``batch_save`` replaces by ``_key`` and takes
1,000 records (``max_documents_per_batch_save``); removals are by a query of keys. A record of our own states
which ledger the collection belongs to: one that was emptied or made again is filled again.
"""

import json
from collections.abc import Collection, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from consumers.outputs.http_sender import CA, Answer, Sender
from consumers.outputs.places import secret_of
from consumers.outputs.protocol import (
    EVERY_TYPE,
    Change,
    Output,
    OutputUnavailable,
    Put,
    Remove,
    Target,
)
from consumers.outputs.push import Pushing, Receiver, pushing, refused_of
from consumers.picture.entry import Entry
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_NAME: Final = "kvstore"
_DATA: Final = "/servicesNS/nobody/{app}/storage/collections/data/{collection}"
_AT_ONCE_GONE: Final = 40  # keys are in the URL, which has about 8,000 characters
_NOT_FOUND: Final = 404
_CONTENT: Final = frozenset({400, 413})  # it has understood the request, and refuses its content


class KvCollection(Receiver):
    """One collection of an app. ``token`` is an authentication token of Splunk."""

    at_once = 1_000

    def __init__(self, sender: Sender, app: str, collection: str, token: str, nation: str) -> None:
        self._sender, self._nation = sender, nation
        self._path = _DATA.format(app=quote(app, safe=""), collection=quote(collection, safe=""))
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._mark = f"kakehashi-ledger-{nation}"

    def is_known(self, ledger: str) -> bool:
        """By the record of ours. A collection of another ledger loses what that one has put there."""
        answer = self._sender.send("GET", f"{self._path}/{self._mark}", b"", self._headers)
        if answer.status != _NOT_FOUND and _object(_confirmed(answer)).get("ledger") == ledger:
            return True
        self._delete({"nation": self._nation})
        _confirmed(self._post([{"_key": self._mark, "ledger": ledger}]))
        return False

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """Delete the removals, then save the rest; refused records are found by bisection."""
        gone = [self._key(each) for each in changes if isinstance(each, Remove)]
        for start in range(0, len(gone), _AT_ONCE_GONE):
            self._delete({"$or": [{"_key": key} for key in gone[start : start + _AT_ONCE_GONE]]})
        puts = [(place, each.entry) for place, each in enumerate(changes) if isinstance(each, Put)]
        return [place for place, _ in refused_of(self._takes, puts)] if puts else []

    def close(self) -> None:
        """No connection stays open."""

    def _takes(self, puts: Sequence[tuple[int, Entry]]) -> bool:
        answer = self._post([self._record(entry) for _, entry in puts])
        if answer.status in _CONTENT:
            return False
        if not 200 <= answer.status < 300:
            raise OutputUnavailable(f"the collection answers {answer.shown}")
        return True

    def _post(self, records: list[dict[str, Any]]) -> Answer:
        return self._sender.send("POST", f"{self._path}/batch_save", json.dumps(records).encode(), self._headers)

    def _delete(self, query: dict[str, Any]) -> None:
        asked = quote(json.dumps(query, separators=(",", ":")), safe="")
        _confirmed(self._sender.send("DELETE", f"{self._path}?query={asked}", b"", self._headers))

    def _key(self, of: Entry | Remove) -> str:
        return f"{self._nation}/{of.origin}/{of.id}"

    def _record(self, entry: Entry) -> dict[str, Any]:
        """Flat, because a look-up has no nested fields. Times are milliseconds since 1970, UTC."""
        return {
            "_key": self._key(entry),
            "nation": self._nation,
            "origin": entry.origin,
            "id": entry.id,
            "type": entry.type,
            "value": entry.value,
            "tlp": entry.tlp,
            "pap": entry.pap,
            "releasable_to": list(entry.releasable_to or ()),
            "caveats": list(entry.caveats),
            "confidence": entry.confidence,
            "labels": list(entry.labels),
            "techniques": list(entry.techniques),
            "first_seen_ms": entry.first_seen_ms,
            "last_seen_ms": entry.last_seen_ms,
            "sightings": entry.sightings,
            "ends_ms": entry.ends_ms,
            "received_ms": entry.received_ms,
        }


def _confirmed(answer: Answer) -> bytes:
    if answer.status == _NOT_FOUND:
        raise OutputUnavailable("the collection is not there: add it to the app's collections.conf")
    if not 200 <= answer.status < 300:
        raise OutputUnavailable(f"the collection answers {answer.shown}")
    return answer.body


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise OutputUnavailable("the collection does not answer in JSON") from error


def _open(target: Target) -> Pushing:
    url, _, names = target.place.partition("//")
    host, *parts = names.rstrip("/").split("/")
    if len(parts) != 2 or not all(parts):
        raise ConfigurationError(f"{_NAME}:{target.place}: write https://HOST:8089/APP/COLLECTION")
    sender = Sender(_NAME, f"{url}//{host}", target.options.get("ca", ""))
    receiver = KvCollection(sender, parts[0], parts[1], secret_of(target, _NAME, "token"), target.nation)
    return pushing(target, _NAME, receiver)


OUTPUT: Final = Output(
    name=_NAME,
    writes="records of a Splunk KV store collection",
    place="URL",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={"token": "a file with an authentication token of Splunk", "ca": CA},
)
