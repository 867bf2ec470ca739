"""A process that keeps a picture of a topic made from a seed, and is killed: ``python -m … HOME SEED RECORDS``."""

import sys
from pathlib import Path
from random import Random

from consumers.picture import feed
from tests.builders import NOW_MS
from tests.consumers.picture.topics import CODEC, TopicInMemory, World

INDICATORS = 60


def topic_of(seed: int, records: int) -> TopicInMemory:
    """Releases, changes, ends, recalls and deletions of a few indicators, in an order that the seed gives."""
    chance, topic = Random(seed), TopicInMemory()
    for number in range(records):
        value = f"h{chance.randrange(INDICATORS)}.example"
        version = NOW_MS + number
        kind = chance.choices(["content", "expired", "revoked", "recalled", "deleted"], [12, 1, 1, 2, 1])[0]
        if kind == "deleted":
            indicator = topic.release(value, version=version, record="revoked")
            topic.delete(indicator)
        elif kind == "content":
            topic.release(value, version=version, content={"confidence": number % 101, "labels": [f"l{number % 7}"]})
        else:
            topic.release(value, version=version, record=kind)
    return topic


def _show(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Catch up, and say so."""
    home, seed, records = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    # A transaction for every few records, of the first reading, too: more moments to be killed at.
    feed.BATCH = feed._FIRST_BATCH = 3  # type: ignore[misc]
    world = World(home, GBR=topic_of(seed, records))
    with world.keeper() as keeper:
        _show("begins")
        keeper.catch_up(world.origins(), CODEC)
        _show("ends")


if __name__ == "__main__":
    main()
