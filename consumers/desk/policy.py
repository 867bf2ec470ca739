"""Where a policy record that officers have signed is written to ``policy.v1``.

It decides nothing: each process reads the record and judges it for itself (``exchange.authority.policy_record``).
"""

import json
from pathlib import Path
from typing import Final

import msgspec

from exchange.authority.policy_record import key_of
from exchange.errors import ConfigurationError, DeliveryTimeout
from exchange.kafka.clients import Cluster, idempotent_producer
from exchange.kafka.produce import produce
from schemas import topics
from schemas.codec import POLICY_RECORD
from schemas.records import PolicyRecord

_DELIVERY_S: Final = 30.0


def write(cluster: Cluster, record: PolicyRecord) -> None:
    """Put the record on its topic. Raises DeliveryTimeout where the cluster has not acknowledged it."""
    producer = idempotent_producer(cluster)
    ordered: PolicyRecord = {**record, "texts": dict(sorted(record["texts"].items()))}
    produce(producer, topics.POLICY, 0, key_of(record), cluster.codec(POLICY_RECORD).encode(POLICY_RECORD, ordered))
    if producer.flush(_DELIVERY_S):
        raise DeliveryTimeout(f"{cluster.bootstrap} has not taken it: run the same command again, twice does nothing")


def save(record: PolicyRecord, path: Path) -> None:
    """Keep a draft in a file that officers pass on to each other."""
    as_text = {**record, "approvals": [{**each, "signature": each["signature"].hex()} for each in record["approvals"]]}
    path.write_text(json.dumps(as_text, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> PolicyRecord:
    """Read a draft. Raises ConfigurationError where the file is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
        for approval in found["approvals"]:
            approval["signature"] = bytes.fromhex(approval["signature"])
        return msgspec.convert(found, PolicyRecord)
    except (OSError, ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{path} is no draft: `kakehashi policy sign FOLDER` makes one ({error})") from error
