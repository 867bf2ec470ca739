"""Failures of files and places that are tried again: each is reported once, until it is over."""

from pathlib import Path

from producers.inputs import name_in_utf8
from producers.produce import View


class Troubles:
    """What cannot be read now, by its name."""

    def __init__(self, view: View) -> None:
        self._view, self._told = view, dict[str, str]()

    def tell(self, name: str | Path, text: str) -> None:
        """Report what is the matter with a file or place."""
        if self._told.get(str(name)) != text:
            self._told[str(name)] = text
            self._view.failed(f"{name_in_utf8(str(name))} {text}")

    def is_over(self, name: str | Path) -> None:
        """It can be read: a later failure is a new one."""
        self._told.pop(str(name), None)
