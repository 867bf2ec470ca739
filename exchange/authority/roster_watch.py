"""A nation's roster as its file is now: a process does not have to be restarted for a change of officers (ADR 34)."""

import logging
from pathlib import Path

from exchange.authority.roster import Roster, load_roster
from exchange.errors import ConfigurationError
from exchange.file_identity import identity

_log = logging.getLogger(__name__)


class RosterWatch:
    """Reads the file again if it has changed. A file that is gone or invalid leaves the last valid roster in force.

    Called, it returns the roster: the same object while the file is the same. One thread calls it.
    """

    def __init__(self, nation: str, folder: Path) -> None:
        """Read it. Raises ConfigurationError for a file that cannot be read as a roster."""
        self._nation, self._folder = nation, folder
        self._seen = identity(self._file)
        self._roster = load_roster(nation, folder)

    def __call__(self) -> Roster:
        """The roster as the file is now."""
        found = identity(self._file)
        if found == self._seen:
            return self._roster
        self._seen = found
        if found is None:
            _log.error("roster.missing nation=%s folder=%s: the last roster stays in force", self._nation, self._folder)
            return self._roster
        try:
            self._roster = load_roster(self._nation, self._folder)
        except ConfigurationError as error:
            _log.error("roster.invalid nation=%s: the last roster stays in force: %s", self._nation, error)
        else:
            _log.warning("roster.changed nation=%s officers=%d", self._nation, len(self._roster.officers))
        return self._roster

    @property
    def _file(self) -> Path:
        return self._folder / f"{self._nation}.toml"
