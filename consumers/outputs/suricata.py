"""Suricata's datasets, hash lists, IP reputation, and the rules that use them, in a folder.

Sources: Suricata 7's user guide, "Datasets", "File Keywords", "JA3/JA4 Keywords", "SSL/TLS Keywords", "HTTP Keywords",
"IP Reputation". Each file is replaced at once; the rules, whose first line has the position, come last. A set that only
a rule declares is read anew with the rules. Paths are relative to the rules. The sids never change, nor the number of
the category.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from consumers.outputs.edit import Edit
from consumers.outputs.places import chosen, folder_of
from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Output, Put, Remove, Report, Target
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.outputs.suricata_keys import key_of
from consumers.outputs.suricata_live import live_output
from consumers.outputs.suricata_rules import CATEGORY, RULES_FILE, categories, files_of, rules
from consumers.picture.entry import Entry
from exchange.file_identity import Identity, identity
from schemas.markings import Activity
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

_NAME: Final = "suricata"
_CATEGORIES_FILE: Final = "kakehashi-categories.txt"
_NAMES: Final = tuple(sorted(set(files_of().values())))
_NETWORKS: Final = files_of()[IndicatorType.IPV4_NET]


class SuricataFolder:
    """The folder. ``action`` is the rules': ``alert`` or ``drop``."""

    def __init__(self, folder: Path, action: str) -> None:
        self._folder, self._action = folder, action
        self._counts = Counter[str]()
        self._own: tuple[Identity | None, ...] = ()

    def held(self) -> Held | None:
        """By the comment in the first line of the rules."""
        return read_stamp(self._folder / RULES_FILE)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace all files. Nothing is replaced before everything is written."""
        counts, left_out = Counter[str](), Counter[LeftOut]()
        with self._replacing(held, counts) as opened:
            opened(_CATEGORIES_FILE).write(categories().encode())
            files = {name: opened(name) for name in _NAMES}
            for entry in entries:
                kind = TYPE_BY_LABEL[entry.type]
                key = key_of(entry, kind)
                if isinstance(key, LeftOut):
                    left_out[key] += 1
                    continue
                name = files_of()[kind]
                files[name].write(_line(key, entry, kind))
                counts[name] += 1
        return Report(counts.total(), left_out=left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Edit the files that the changes are about, if all are as this process wrote them; otherwise replace all."""
        if not self._own or self._own != self._identities():
            return self.write(whole(), held)
        edits, left_out, done = defaultdict[str, Edit](Edit), Counter[LeftOut](), Counter[type[Change]]()
        for change in changes:
            about = change.entry if isinstance(change, Put) else change
            kind = TYPE_BY_LABEL[about.type]
            key = key_of(about, kind)
            if isinstance(key, LeftOut):
                left_out[key] += isinstance(change, Put)
                continue
            done[type(change)] += 1
            edit, found = edits[files_of()[kind]], _found_by(key, kind)
            if isinstance(change, Put):
                edit.put(found, _line(key, change.entry, kind))
            else:
                edit.remove(found)
        counts = Counter(self._counts)
        with self._replacing(held, counts) as opened:
            for name, edit in edits.items():
                key_in = _network_in if name == _NETWORKS else None
                counts[name] = edit.write(self._folder / name, 0, opened(name), key_in)
        return Report(done[Put], done[Remove], left_out)

    @contextmanager
    def _replacing(self, held: Held, counts: Counter[str]) -> Iterator[Callable[[str], BinaryIO]]:
        """What opens a file to replace it. At the end come the rules, for as many lines as ``counts`` has by then."""
        self._own = ()
        with ExitStack() as at_end:
            rule_file = at_end.enter_context(replaced(self._folder / RULES_FILE))  # first in, so last to be renamed
            yield lambda name: at_end.enter_context(replaced(self._folder / name))
            by_type = {kind: counts[name] for kind, name in files_of().items()}
            rule_file.write(stamp(held) + rules(self._action, by_type).encode())
        self._counts, self._own = counts, self._identities()

    def _identities(self) -> tuple[Identity | None, ...]:
        return tuple(identity(self._folder / name) for name in (*_NAMES, RULES_FILE))

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the lines of the files, without the rules."""
        found = {(name, line) for name in set(files_of().values()) for line in _lines_in(self._folder / name)}
        for entry in entries:
            kind = TYPE_BY_LABEL[entry.type]
            key = key_of(entry, kind)
            if isinstance(key, LeftOut):
                continue
            wanted = (files_of()[kind], _line(key, entry, kind).decode("ascii").rstrip("\n"))
            if wanted not in found:
                yield Difference("missing", entry.id)
            found.discard(wanted)
        for name, line in sorted(found):
            yield Difference("extra", "", f"{name}: {line}")

    def close(self) -> None:
        """Nothing is open between two writes."""


def _line(key: str, entry: Entry, kind: IndicatorType) -> bytes:
    """Networks have a category and a score after the key."""
    if files_of()[kind] == _NETWORKS:
        return f"{key},{CATEGORY},{max(1, entry.confidence or 0)}\n".encode("ascii")
    return f"{key}\n".encode("ascii")


def _found_by(key: str, kind: IndicatorType) -> bytes:
    """By what an edit finds the line: a network has another line when its score changes."""
    return key.encode("ascii") if files_of()[kind] == _NETWORKS else f"{key}\n".encode("ascii")


def _network_in(line: bytes) -> bytes:
    return line.partition(b",")[0]


def _lines_in(path: Path) -> list[str]:
    try:
        return path.read_text("ascii", "replace").splitlines()
    except OSError:
        return []


def _action(target: Target) -> str:
    return chosen(target, _NAME, "action", ("alert", "drop"))


def _activity(target: Target) -> Activity:
    return Activity.ACTIVE if _action(target) == "drop" else Activity.PASSIVE_LOCAL


def _open(target: Target) -> SuricataFolder:
    return SuricataFolder(folder_of(target, _NAME), _action(target))


OUTPUT: Final = Output(
    name=_NAME,
    writes="datasets, hash lists, IP reputation, their rules",
    place="DIR",
    carries=frozenset(files_of()),
    activity=Activity.PASSIVE_LOCAL,
    merges=True,
    open=_open,
    options={
        "action": "of the rules: `alert` if not given, or `drop`, which needs PAP:GREEN or less",
        "socket": "Suricata's command socket: changes of datasets then reach it at once, without a reload",
    },
    activity_by=_activity,
    rewrites=True,
    live=live_output,
)
