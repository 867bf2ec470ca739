"""Changes Suricata's memory by its command socket: to what the files have, at once, without a reload of the rules.

The files come first (``suricata.py``); this output is never ahead of them. So whatever Suricata has confirmed was in
the files before, and a Suricata that starts, or loads its rules, later than that reads it there. While it loads rules
its sets are hidden ("set not found"), and nothing is confirmed. One process may have read older files than another has
confirmed changes of: if the one that answers is not known to have started later, it has to load its rules again.

Only datasets take changes. Lists of hashes and IP reputation are read with the rules alone: a recall of one makes
Suricata load them, all else waits for the next such load.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from consumers.outputs.edit import Named
from consumers.outputs.protocol import (
    Change,
    Difference,
    Held,
    LeftOut,
    Output,
    OutputUnavailable,
    Put,
    Remove,
    Report,
    Target,
)
from consumers.outputs.replace_file import replaced
from consumers.outputs.suricata_keys import key_of
from consumers.outputs.suricata_rules import files_of, sets_of
from consumers.outputs.suricata_socket import Answer, CommandSocket, Process, boot, now_s
from consumers.picture.entry import Entry
from consumers.subscription.changes import State
from exchange.errors import ConfigurationError
from schemas.markings import Activity
from schemas.vocabulary import TYPE_BY_LABEL

_NAME: Final = "suricata-live"
_NOTE: Final = ".kakehashi-live"
_BUSY_S: Final = (0.01, 0.05, 0.2, 0.5)  # an entry that a packet uses now cannot be removed
_LOADING_S: Final = 120.0
_LOOK_S: Final = 0.1
_SAMPLE: Final = 10_000
_LONGEST_PATH: Final = 107  # unix(7)
Value = tuple[str, str, str]
"""The name of a dataset, its type, and a value as the socket takes it."""


class _Note(msgspec.Struct, frozen=True):
    """What Suricata has confirmed: which process, and when it has last confirmed a change."""

    held: Held
    process: Process | None = None
    boot: str = ""
    confirmed_s: float = 0.0


class SuricataMemory:
    """The writer on one socket. ``folder`` has the files, and the note of what is confirmed."""

    def __init__(
        self,
        folder: Path,
        commands: CommandSocket,
        *,
        loading_s: float = _LOADING_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._note_file, self._commands, self._loading_s, self._sleep = folder / _NOTE, commands, loading_s, sleep
        self._process: Process | None = None
        self._is_behind = True  # it may have read files that lack what is confirmed
        self._asked: tuple[object, Held] | None = None  # the time of the last load when another was asked for

    def held(self) -> Held | None:
        """By the note."""
        note = self._note()
        return None if note is None else note.held

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Let Suricata load its rules again, with all their files."""
        written, left_out = 0, Counter[LeftOut]()
        for entry in entries:
            value = value_of(entry)
            if isinstance(value, LeftOut):
                left_out[value] += 1
            else:
                written += 1
        self._connect()
        self._load(held)
        return Report(written, left_out=left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Change the datasets. Each removal is looked up afterwards."""
        del whole
        left_out, done, refused = Counter[LeftOut](), Counter[type[Change]](), list[Value]()
        if changes:
            self._connect()
            if self._is_behind or any(map(_needs_load, changes)):
                self._load(held)
        for change in changes:
            value = value_of(change.entry if isinstance(change, Put) else change)
            if isinstance(value, LeftOut):
                left_out[value] += isinstance(change, Put)
                continue
            done[type(change)] += 1
            if value is None:
                continue
            if not isinstance(change, Put):
                self._remove(value)
            elif not self._add(value):
                refused.append(value)
        if refused:  # the set is full: the rules have larger ones by now
            self._load(held)
            lost = sum(not self._has(value) for value in refused)
            left_out[LeftOut.LIMIT] += lost
            done[Put] -= lost
        self._store(held, is_confirmed=bool(changes))
        return Report(done[Put], done[Remove], left_out)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """Look up a sample of what it has to hold. Suricata lists no set, so excess entries are not found."""
        self._connect()
        for identifier, value in _sample(entries):
            if not self._has(value):
                yield Difference("missing", identifier)

    def close(self) -> None:
        """End the connection."""
        self._commands.close()

    def _connect(self) -> None:
        """Connect, if there is no connection, and find out whether the process is behind."""
        if self._commands.is_open:
            return
        before, note = self._process, self._note()
        self._process = found = self._commands.open()
        if found is None or found != before:
            self._asked = None
        self._is_behind = (
            note is None or found is None or (found != note.process and not found.is_since(note.boot, note.confirmed_s))
        )

    def _load(self, held: Held) -> None:
        """Let it load the rules, and wait for it. Raises OutputUnavailable while it does, and if it loaded older
        files."""
        before = self._ask("ruleset-reload-time")
        if self._asked is not None and self._asked[0] != before:
            loaded = self._asked[1]
            self._loaded(loaded)
            if loaded == held:
                return
            raise OutputUnavailable("Suricata has loaded the rules, and goes on from there")
        self._ask("ruleset-reload-nonblocking")
        self._asked, end_s = (before, held), time.monotonic() + self._loading_s
        while self._ask("ruleset-reload-time") == before:
            if time.monotonic() > end_s:
                raise OutputUnavailable(f"Suricata has not loaded its rules within {self._loading_s:g} s")
            self._sleep(_LOOK_S)
        self._loaded(held)

    def _loaded(self, held: Held) -> None:
        self._asked, self._is_behind = None, False
        self._store(held, is_confirmed=True)

    def _add(self, value: Value) -> bool:
        """Whether it is there now; if not, the set is full."""
        return self._on("dataset-add", value, no="failed to add data").is_ok

    def _remove(self, value: Value) -> None:
        """Raises OutputUnavailable if it is still there: an answer of "OK" may mean that a packet uses it now."""
        for wait_s in (0.0, *_BUSY_S):
            self._sleep(wait_s)
            self._on("dataset-remove", value, no="failed to remove data")  # also of what was not there
            if not self._has(value):
                return
        raise OutputUnavailable(f"Suricata has not removed an entry of {value[0]}, which it uses")

    def _has(self, value: Value) -> bool:
        return self._on("dataset-lookup", value, no="item not found in set").is_ok

    def _on(self, command: str, value: Value, no: str) -> Answer:
        """The answer, if it is "OK", or the one that means "no"."""
        name, type, data = value
        answer = self._commands.ask(command, setname=name, settype=type, datavalue=data)
        if not answer.is_ok and answer.message != no:
            raise OutputUnavailable(f"Suricata refuses {command} on {name}: {answer.message}: are the rules loaded?")
        return answer

    def _ask(self, command: str) -> object:
        answer = self._commands.ask(command)
        if not answer.is_ok:
            raise OutputUnavailable(f"Suricata refuses {command}: {answer.message}")
        return answer.message

    def _note(self) -> _Note | None:
        try:
            return msgspec.json.decode(self._note_file.read_bytes(), type=_Note)
        except (OSError, msgspec.DecodeError):
            return None

    def _store(self, held: Held, *, is_confirmed: bool) -> None:
        before = self._note()
        note = _Note(held, self._process, boot(), now_s())
        if not is_confirmed and before is not None:
            note = msgspec.structs.replace(before, held=held)
        with replaced(self._note_file, mode=0o600) as file:
            file.write(msgspec.json.encode(note))


def value_of(about: Named) -> Value | LeftOut | None:
    """An indicator as the socket takes it; None if only a load takes it, or why nothing does. Strings are in base64, as
    in the files."""
    kind = TYPE_BY_LABEL[about.type]
    key = key_of(about, kind)
    if isinstance(key, LeftOut):
        return key
    return (*sets_of()[kind], key) if kind in sets_of() else None


def _needs_load(change: Change) -> bool:
    """Whether Suricata must not know it any more, and forgets it only with a load."""
    return isinstance(change, Remove) and change.state is State.RECALLED and value_of(change) is None


def live_output(target: Target) -> Output | None:
    """The output on the socket that a target of the files names; None if it names none.

    Raises ConfigurationError if there can be no such socket.
    """
    path = target.options.get("socket")
    if path is None:
        return None
    if not 0 < len(os.fsencode(path)) <= _LONGEST_PATH:
        raise ConfigurationError(
            f"suricata:{target.place}: socket={path}: write the path of Suricata's command socket, of at most "
            f"{_LONGEST_PATH} bytes"
        )
    commands = CommandSocket(f"Suricata's socket {path}", path)
    return Output(
        name=_NAME,
        writes="datasets in memory, by the command socket",
        place="SOCKET",
        carries=frozenset(files_of()),
        activity=Activity.PASSIVE_LOCAL,
        merges=True,
        open=lambda opened: SuricataMemory(Path(opened.place), commands),
    )


def _sample(entries: Iterable[Entry]) -> list[tuple[str, Value]]:
    """Each entry is in it with the same chance."""
    chance, found, count = Random(), list[tuple[str, Value]](), 0  # noqa: S311  # no secret
    for entry in entries:
        value = value_of(entry)
        if value is None or isinstance(value, LeftOut):
            continue
        count += 1
        place = len(found) if len(found) < _SAMPLE else chance.randrange(count)
        if place == len(found):
            found.append((entry.id, value))
        elif place < _SAMPLE:
            found[place] = (entry.id, value)
    return found
