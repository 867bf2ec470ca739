"""A process that writes and changes a target again and again until it is killed: ``python -m … NAME PLACE SEED``."""

import sys
from pathlib import Path
from random import Random

from consumers.outputs.known import outputs
from consumers.outputs.protocol import Change, Held, Output, Put, Target
from consumers.picture.entry import Entry
from tests.consumers.outputs.test_output_laws import entries_of, removal, whole

PICTURE = "fedcba9876543210"


def content_at(output: Output, turn: int) -> list[Entry]:
    """What the target has to hold after so many turns: each turn takes one part out and brings another in."""
    left_out = turn % 3
    return entries_of(output, [index for index in range(3) if index != left_out])


def changes_at(output: Output, turn: int) -> list[Change]:
    """What makes the content of the turn before that of this one."""
    gone, come = turn % 3, (turn - 1) % 3
    return [*map(removal, entries_of(output, [gone])), *map(Put, entries_of(output, [come]))]


def main() -> None:
    """Turn after turn, and say when the first is done."""
    name, place, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    output = outputs()[name]
    writer = output.open(Target("JPN", str(place)))
    held = writer.held()
    turn = held.added_us if held is not None else 0
    chance = Random(seed + turn)
    while True:
        turn += 1
        now, after = Held(PICTURE, "all", turn), content_at(output, turn)
        if turn == 1 or chance.random() < 0.3:
            writer.write(iter(after), now)
        else:
            writer.apply(changes_at(output, turn), now, whole(after))
        if turn % 5 == 1:
            sys.stdout.write(".\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
