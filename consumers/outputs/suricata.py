"""Suricata's datasets, hash lists, IP reputation, and the rules that use them, in a folder.

Sources: Suricata 7's user guide, "Datasets", "File Keywords", "JA3/JA4 Keywords", "IP Reputation". Each file is
replaced at once; the rules, whose first line has the position, come last. A set that only a rule declares is
read anew with the rules. Paths are relative to the rules. The sids never change, nor the number of the category.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

from consumers.outputs.names import is_name
from consumers.outputs.networks import network_of
from consumers.outputs.places import chosen, folder_of
from consumers.outputs.protocol import Change, Difference, Held, LeftOut, Output, Report, Target
from consumers.outputs.replace_file import replaced
from consumers.outputs.stamp import read_stamp, stamp
from consumers.outputs.suricata_rules import CATEGORY, RULES_FILE, categories, files_of, rules
from consumers.picture.entry import Entry
from schemas.markings import Activity
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

_NAME: Final = "suricata"
_HEX: Final[Mapping[IndicatorType, re.Pattern[str]]] = {
    IndicatorType.FILE_MD5: re.compile(r"[0-9a-f]{32}"),
    IndicatorType.FILE_SHA1: re.compile(r"[0-9a-f]{40}"),
    IndicatorType.FILE_SHA256: re.compile(r"[0-9a-f]{64}"),
    IndicatorType.JA3: re.compile(r"[0-9a-f]{32}"),
}
_CATEGORIES_FILE: Final = "kakehashi-categories.txt"


class SuricataFolder:
    """The folder. ``action`` is the rules': ``alert`` or ``drop``."""

    def __init__(self, folder: Path, action: str) -> None:
        self._folder, self._action = folder, action

    def held(self) -> Held | None:
        """By the comment in the first line of the rules."""
        return read_stamp(self._folder / RULES_FILE)

    def write(self, entries: Iterable[Entry], held: Held) -> Report:
        """Replace all files. Nothing is replaced before everything is written."""
        written, left_out = Counter[IndicatorType](), Counter[LeftOut]()
        with ExitStack() as at_end:
            rule_file = at_end.enter_context(replaced(self._folder / RULES_FILE))  # first in, so last to be renamed
            at_end.enter_context(replaced(self._folder / _CATEGORIES_FILE)).write(categories().encode())
            files: dict[str, BinaryIO] = {
                name: at_end.enter_context(replaced(self._folder / name)) for name in sorted(set(files_of().values()))
            }
            for entry in entries:
                kind = TYPE_BY_LABEL[entry.type]
                line = line_of(entry, kind)
                if isinstance(line, LeftOut):
                    left_out[line] += 1
                    continue
                files[files_of()[kind]].write(f"{line}\n".encode("ascii"))
                written[kind] += 1
            rule_file.write(stamp(held) + rules(self._action, written).encode())
        return Report(written.total(), left_out=left_out)

    def apply(self, changes: Sequence[Change], held: Held, whole: Callable[[], Iterable[Entry]]) -> Report:
        """Replace all files: Suricata reads them whole."""
        del changes
        return self.write(whole(), held)

    def check(self, entries: Iterable[Entry]) -> Iterator[Difference]:
        """By the lines of the files, without the rules."""
        found = {(name, line) for name in set(files_of().values()) for line in _lines_in(self._folder / name)}
        for entry in entries:
            kind = TYPE_BY_LABEL[entry.type]
            line = line_of(entry, kind)
            if isinstance(line, LeftOut):
                continue
            if (files_of()[kind], line) not in found:
                yield Difference("missing", entry.id)
            found.discard((files_of()[kind], line))
        for name, line in sorted(found):
            yield Difference("extra", "", f"{name}: {line}")

    def close(self) -> None:
        """Nothing is open between two writes."""


def line_of(entry: Entry, kind: IndicatorType) -> str | LeftOut:
    """An indicator's line in the file of its type, or why it has none. Strings are in base64."""
    value = entry.value
    if kind in _HEX:
        if _HEX[kind].fullmatch(value) is None:
            return LeftOut.VALUE
        return _base64(value) if kind is IndicatorType.JA3 else value
    if kind is IndicatorType.DOMAIN_NAME:
        return _base64(value) if is_name(value) else LeftOut.VALUE
    network = network_of(value)
    is_address = kind in {IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR}
    if network is None or (is_address and network.prefixlen != network.max_prefixlen):
        return LeftOut.VALUE
    if is_address:
        return f"{network.network_address}"
    return f"{network},{CATEGORY},{max(1, entry.confidence or 0)}"


def _base64(value: str) -> str:
    return base64.b64encode(value.encode("ascii")).decode("ascii")


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
    options={"action": "of the rules: `alert` if not given, or `drop`, which needs PAP:GREEN or less"},
    activity_by=_activity,
    rewrites=True,
)
