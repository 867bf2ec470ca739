"""Redrives chosen entries of a quarantine, a portion at a time, and reports the result of each."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consumers.desk.redrive import NotRedrivable, Redrive, redrive, signed
from consumers.desk.sending import send
from consumers.queries.quarantine import entries
from consumers.queries.redriven import State, States, identity_of, states
from consumers.subscription.topic_reader import TopicReader
from exchange.kafka.clients import Cluster
from schemas import topics
from schemas.codec import Codec
from schemas.records import Quarantined

_PORTION: Final = 500
_ACCEPTED: Final = (
    "it was redriven and accepted, and counts once: send the right value with `kakehashi produce --nation NATION "
    "--sensor SENSOR FILE`, and end a wrong one with `kakehashi revoke VALUE --nation NATION --key KEY --reason REASON`"
)


def redriven(
    cluster: Cluster,
    codec: Codec,
    *,
    keys: frozenset[str],
    reason: str | None,
    changes: Mapping[str, str],
    now_ms: int,
    private: Ed25519PrivateKey | None,
) -> Iterator[Redrive | NotRedrivable]:
    """The entries with these keys, or of this reason, each as it was sent, or with the reason why it was not.

    An entry that was accepted is not sent again; if chosen by its reason, it is left out.
    A result is handed on once its record, signed by ``private``, is acknowledged; without a key nothing is sent.
    Raises DeliveryTimeout if the cluster does not acknowledge a record: what was sent before counts once, however often
    it is sent.
    """
    missing = set(keys)
    with TopicReader(cluster, topics.QUARANTINE) as reader:
        known = states(cluster, entries(reader, codec), codec)
        chosen = (
            entry
            for entry in entries(reader, codec)
            if entry["key"] in keys or (entry["reason"] == reason and not _is_accepted(entry, known, codec))
        )
        while portion := list(islice(chosen, _PORTION)):
            missing -= {entry["key"] for entry in portion}
            results = [
                NotRedrivable(entry["key"], _ACCEPTED)
                if _is_accepted(entry, known, codec)
                else redrive(entry, codec, now_ms=now_ms, changes=changes)
                for entry in portion
            ]
            if private is not None:
                sent = [signed(result, codec, private) for result in results if isinstance(result, Redrive)]
                send(cluster, [each.output for each in sent])
            yield from results
    for key in sorted(missing):
        yield NotRedrivable(key, f"{cluster.nation}'s quarantine has no such entry")


def _is_accepted(entry: Quarantined, known: States, codec: Codec) -> bool:
    return known.of(identity_of(entry, codec)) is State.ACCEPTED
