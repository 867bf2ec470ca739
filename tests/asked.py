"""Which settings the software reads."""

from typing import Any


class Asked(dict[str, str]):
    """An environment that is empty and remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return default
