"""Owns a counting shard until it is killed: ``python -m tests.exchange.counting_worker BOOTSTRAP STEP FOLDER``.

It believes to be assigned for ever, so two of them take the shard from each other again and again.
"""

import sys
from pathlib import Path
from typing import Final

from exchange.kafka.clients import TRANSACTION_TIMEOUT_MS, Cluster
from exchange.metrics.kinds import Role
from exchange.protocol.thread import ShardThread
from exchange.role import end_at_once, metrics_of
from tests.exchange.kafka_step import KafkaStep

RETAKE_S: Final = 0.3


def thread_of(step: KafkaStep, folder: Path, *, timeout_ms: int = TRANSACTION_TIMEOUT_MS) -> ShardThread:
    """A thread that counts; what breaks it ends the process."""
    return ShardThread(
        "intake",
        0,
        lambda: step.shard(folder, timeout_ms=timeout_ms),
        metrics_of(Role.STREAMS, "GBR", ("JPN",), ("intake",)),
        on_broken=end_at_once,
        retake_after_s=RETAKE_S,
    )


if __name__ == "__main__":
    bootstrap, name, place = sys.argv[1:]
    thread = thread_of(KafkaStep(Cluster("GBR", bootstrap), name), Path(place))
    thread.start()
    sys.stdin.read()  # until its parent is gone
