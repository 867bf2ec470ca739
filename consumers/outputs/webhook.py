"""Posts changes as JSON to a webhook, signed as the Standard Webhooks specification requires (HMAC-SHA256).

The signature is over the id of the message, the time and the body. A message that is sent again has the same id. After
a crash its events may come in another message: each is a state, and applying it twice is as applying it once.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from consumers.outputs.http_sender import CA, Sender
from consumers.outputs.places import activity_of, secret_of
from consumers.outputs.protocol import (
    EVERY_TYPE,
    Change,
    Output,
    OutputUnavailable,
    Put,
    Target,
)
from consumers.outputs.push import Pushing, Receiver, pushing, refused_of
from consumers.picture.as_record import record_of
from exchange.clock import now_ms
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_NAME: Final = "webhook"
_CONTENT: Final = frozenset({413, 422})  # the receiver has understood the message, and does not take its content
_PREFIX: Final = "whsec_"


class Webhook(Receiver):
    """One URL. ``secret`` is the key of the signature."""

    at_once = 200

    def __init__(self, sender: Sender, secret: bytes, clock_ms: Callable[[], int] = now_ms) -> None:
        self._sender, self._secret, self._clock_ms = sender, secret, clock_ms
        self._unconfirmed = (b"", "")  # the last message, and its id

    def is_known(self, ledger: str) -> bool:
        """A webhook cannot be asked."""
        return bool(ledger)

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """One message; if its content is refused, by halves, down to the events that are refused."""
        return [place for place, _ in refused_of(self._takes, list(enumerate(changes)))]

    def _takes(self, changes: Sequence[tuple[int, Change]]) -> bool:
        body = json.dumps({"events": [event_of(each) for _, each in changes]}, separators=(",", ":")).encode()
        answer = self._sender.send("POST", self._sender.path, body, self._headers(body))
        if 200 <= answer.status < 300:
            self._unconfirmed = (b"", "")
            return True
        is_removal = len(changes) == 1 and not isinstance(changes[0][1], Put)
        if answer.status in _CONTENT and not is_removal:
            return False
        raise OutputUnavailable(f"the webhook answers {answer.shown}")

    def close(self) -> None:
        """No connection stays open."""

    def _headers(self, body: bytes) -> dict[str, str]:
        digest = hashlib.sha256(body).digest()
        if self._unconfirmed[0] != digest:
            self._unconfirmed = (digest, f"msg_{secrets.token_hex(16)}")
        name = self._unconfirmed[1]
        at_s = self._clock_ms() // 1000
        signed = hmac.digest(self._secret, f"{name}.{at_s}.".encode() + body, "sha256")
        return {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(at_s),
            "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
        }


def event_of(change: Change) -> dict[str, Any]:
    """An event: what to hold, in the layout of ``docs/indicator.schema.json``, or what to delete, by id and origin."""
    if isinstance(change, Put):
        return {"action": "put", "indicator": record_of(change.entry)}
    return {"action": "remove", "id": change.id, "origin": change.origin, "state": change.state.value}


def key_of(secret: str) -> bytes:
    """The key of a secret: ``whsec_`` and base64, or any text. Raises ConfigurationError if it is neither."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error as error:
        raise ConfigurationError(f"{_NAME}: the secret begins with {_PREFIX}, and base64 must follow") from error


def _activity(target: Target) -> Activity:
    return activity_of(target, _NAME, Activity.PASSIVE_LOCAL)


def _open(target: Target) -> Pushing:
    _activity(target)
    sender = Sender(_NAME, target.place, target.options.get("ca", ""))
    receiver = Webhook(sender, key_of(secret_of(target, _NAME, "secret")))
    return pushing(target, _NAME, receiver)


OUTPUT: Final = Output(
    name=_NAME,
    writes="signed JSON messages to an HTTPS receiver",
    place="URL",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={
        "secret": "a file with the key of the signature",
        "ca": CA,
        "activity": "what the receiver does: `passive-local` if not given, `passive-remote` or `active`",
    },
    activity_by=_activity,
)
