"""Keeps an index of Elasticsearch or OpenSearch: a document for each indicator of each origin, under its id.

The bulk API confirms each document. The index states in the ``_meta`` of its mapping which ledger it belongs to: one
that was deleted and made again is filled again.
"""

import json
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from consumers.outputs.ecs import DATASET, document_of
from consumers.outputs.http_sender import CA, Answer, Sender
from consumers.outputs.places import secret_of
from consumers.outputs.protocol import EVERY_TYPE, Change, LeftOut, Output, OutputUnavailable, Put, Target
from consumers.outputs.push import Pushing, Receiver, pushing
from consumers.picture.entry import Entry
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_NAME: Final = "elastic"
_MOST_CHARACTERS: Final = 8_000  # of a keyword; `elastic_index.json` has the same
_NOT_FOUND: Final = 404
_BUSY: Final = 429
_META: Final = "kakehashi"


class Index(Receiver):
    """One index. ``authorization`` is the header's value; empty for none."""

    at_once = 2_000

    def __init__(self, sender: Sender, authorization: str, nation: str) -> None:
        self._sender, self._nation = sender, nation
        self._headers = {"authorization": authorization} if authorization else {}

    def fits(self, entry: Entry) -> LeftOut | None:
        """All but values that are too long to be searched."""
        return LeftOut.LIMIT if len(entry.value) > _MOST_CHARACTERS else None

    def is_known(self, ledger: str) -> bool:
        """By the mapping. An index that is missing is made; one of another ledger loses what that one has put there."""
        answer = self._call("GET", "/_mapping")
        mark = {"_meta": {_META: {self._nation: ledger}}}
        if answer.status == _NOT_FOUND:
            layout = index_layout()
            layout["mappings"] |= mark
            self._confirmed("PUT", "", layout)
            return False
        owners = _owners(_confirmed(answer))
        if owners.get(self._nation) == ledger:
            return True
        own = [{"term": {"event.dataset": DATASET}}, {"term": {"kakehashi.nation": self._nation}}]
        self._confirmed("POST", "/_refresh", {})
        self._confirmed("POST", "/_delete_by_query?conflicts=proceed", {"query": {"bool": {"filter": own}}})
        self._confirmed("PUT", "/_mapping", {"_meta": {_META: {**owners, self._nation: ledger}}})
        return False

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """One bulk request. What the index cannot hold is refused; all else must be confirmed."""
        lines = list[bytes]()
        for change in changes:
            about = change.entry if isinstance(change, Put) else change
            head = {"_id": f"{self._nation}/{about.origin}/{about.id}"}
            lines.append(_line({"index" if isinstance(change, Put) else "delete": head}))
            if isinstance(change, Put):
                lines.append(_line(document_of(change.entry, self._nation)))
        found = _confirmed(self._call("POST", "/_bulk", b"".join(lines), "application/x-ndjson"))
        if found.get("errors") is False:
            return ()
        return _refused(changes, found.get("items"))

    def close(self) -> None:
        """No connection stays open."""

    def _confirmed(self, method: str, path: str, content: dict[str, Any]) -> dict[str, Any]:
        return _confirmed(self._call(method, path, json.dumps(content).encode()))

    def _call(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Answer:
        return self._sender.send(method, self._sender.path + path, body, {**self._headers, "content-type": kind})


def index_layout() -> dict[str, Any]:
    """Settings and mappings of an index (``elastic_index.json``)."""
    layout: dict[str, Any] = json.loads(_layout())
    return layout


@cache
def _layout() -> str:
    return files(__package__ or "").joinpath("elastic_index.json").read_text("utf-8")


def _owners(mapping: dict[str, Any]) -> dict[str, str]:
    for index in mapping.values():
        owners = index.get("mappings", {}).get("_meta", {}).get(_META) if isinstance(index, dict) else None
        if isinstance(owners, dict):
            return owners
    return {}


def _refused(changes: Sequence[Change], items: object) -> list[int]:
    """The places of documents that the index cannot hold. Raises OutputUnavailable for any other failure."""
    refused = list[int]()
    if not isinstance(items, list) or len(items) != len(changes):
        raise OutputUnavailable("the index does not answer for each document")
    for place, (change, item) in enumerate(zip(changes, items, strict=True)):
        [answer] = item.values() if isinstance(item, dict) and len(item) == 1 else [{}]
        status = answer.get("status", 0)
        is_put = isinstance(change, Put)
        if 200 <= status < 300 or (status == _NOT_FOUND and not is_put):
            continue
        if 400 <= status < 500 and status not in (_BUSY, _NOT_FOUND, 401, 403, 409) and is_put:
            refused.append(place)
            continue
        raise OutputUnavailable(f"the index answers {status} for one of {len(changes)} documents")
    return refused


def _confirmed(answer: Answer) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise OutputUnavailable(f"the index answers {answer.shown}")
    try:
        return msgspec.json.decode(answer.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise OutputUnavailable("the index does not answer in JSON") from error


def _line(content: dict[str, Any]) -> bytes:
    return msgspec.json.encode(content) + b"\n"


def _open(target: Target) -> Pushing:
    sender = Sender(_NAME, target.place, target.options.get("ca", ""))
    if not sender.path.strip("/") or "/" in sender.path.strip("/"):
        raise ConfigurationError(f"{_NAME}:{target.place}: write https://HOST:9200/INDEX")
    authorization = secret_of(target, _NAME, "auth") if "auth" in target.options else ""
    receiver = Index(sender, authorization, target.nation)
    return pushing(target, _NAME, receiver)


OUTPUT: Final = Output(
    name=_NAME,
    writes="ECS documents in Elasticsearch or OpenSearch",
    place="URL",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={
        "auth": "a file with the value of the header `Authorization`: `ApiKey …`, or `Basic …`",
        "ca": CA,
    },
)
