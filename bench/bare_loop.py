"""The bare bridge's process: released records to the partner's inbox, unread and unguarded, in transactions."""

import argparse
import threading
from collections.abc import Sequence

from confluent_kafka import Message

from bench.loop import Written, run_hop, run_threads
from bench.stand import HOME, PARTNER
from exchange.kafka.clients import Cluster
from schemas import topics


def copied(messages: Sequence[Message]) -> list[Written]:
    """The same records for the inbox."""
    inbox = topics.inbox(HOME)
    return [
        Written(inbox, message.partition() or 0, message.key() or b"", message.value() or b"") for message in messages
    ]


def main() -> None:
    """Copy until stopped."""
    parser = argparse.ArgumentParser(description="The benchmark's bare bridge.")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--to", dest="target", required=True)
    options = parser.parse_args()
    source, target = Cluster(HOME, options.source), Cluster(PARTNER, options.target)

    def copy(stopping: threading.Event) -> None:
        run_hop(source, target, topics.released(PARTNER), topics.bridge_step(HOME), copied, stopping)

    run_threads([copy])


if __name__ == "__main__":
    main()
