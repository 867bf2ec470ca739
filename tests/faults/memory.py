"""How much memory the exchange's processes hold, looked at whenever all is at rest."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tests.integration.role import Role

# At rest nothing waits in a queue, and by its second look a process has done everything once. What may fill up after
# that has limits: 32 MiB of blocks and write buffers for each of the eight states of a worker with two shards. Who has
# grown by more than all of them together does not give something back.
LOOKS: Final = 4
MOST_MIB: Final = 256


class Memory:
    """The resident memory of every life of every role, in MiB: one that was started again begins again."""

    def __init__(self) -> None:
        self._lives: dict[tuple[str, int], list[int]] = {}

    def look(self, roles: Iterable[Role]) -> None:
        """Note what each holds that runs."""
        for role in roles:
            resident = role.resident_bytes
            if resident is not None:
                self._lives.setdefault((role.name, role.starts), []).append(resident >> 20)

    @property
    def longest(self) -> Mapping[str, list[int]]:
        """Of each role the life that was looked at most often: what it held, look by look."""
        found: dict[str, list[int]] = {}
        for (name, _), looks in sorted(self._lives.items()):
            found[name] = max(found.get(name, []), looks, key=len)
        return found

    @property
    def findings(self) -> list[str]:
        """Who has grown beyond doubt."""
        return [
            f"{name}, life {life}, held {looks[1]} MiB at its second audit and {looks[-1]} at its last: {looks}"
            for (name, life), looks in sorted(self._lives.items())
            if has_grown(looks)
        ]


def has_grown(looks: Sequence[int]) -> bool:
    """Whether a process that held so much, look by look (MiB), has grown beyond doubt."""
    return len(looks) >= LOOKS and looks[-1] - looks[1] > MOST_MIB
