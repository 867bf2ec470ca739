"""What the measured agents are told: one command line, written by the bench and read by each agent's process."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """``name`` is of its consumer group, ``folder`` is for its state."""

    bootstrap: str
    name: str
    folder: Path
    roll_up_ms: int

    def arguments(self) -> list[str]:
        """As ``parsed`` reads them."""
        named = {"bootstrap": self.bootstrap, "name": self.name, "datadir": self.folder, "roll-up-ms": self.roll_up_ms}
        return [text for name, value in named.items() for text in (f"--{name}", str(value))]

    @classmethod
    def parsed(cls, description: str) -> Self:
        """Those of this process."""
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--bootstrap", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--datadir", type=Path, required=True)
        parser.add_argument("--roll-up-ms", type=int, required=True)
        found = parser.parse_args()
        return cls(found.bootstrap, found.name, found.datadir, found.roll_up_ms)
