"""What a run makes of a profile: the defaults of readers, and which inputs are read together."""

from ipaddress import ip_network
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from producers.produce import Options
from producers.profile.model import InputEntry, Profile
from producers.profile.rules import settings_of
from producers.readers.reading import Defaults
from producers.reviewed import reviewed_values
from producers.spool.batch import Sensor
from schemas.markings import SourceMarking
from schemas.vocabulary import TYPE_BY_LABEL

_ANY: Final = InputEntry(at="")


class Plan(NamedTuple):
    """Inputs that are read together."""

    options: Options
    is_followed: bool
    credentials: Path | None
    authorities: Path | None
    reviewed: Path | None


def plans_of(
    profile: Profile, nations: tuple[str, ...] = (), *, again: bool = False, accept_removals: bool = False
) -> list[Plan]:
    """What is to be read, in order: inputs that end first. Without an input, a plan that sends waiting reports.

    The profile is a valid one, ``nations`` are the parties of the exchange. Raises ConfigurationError if a list of
    reviewed values cannot be read.
    """
    alike: dict[bytes, list[InputEntry]] = {}
    for entry in sorted(profile.inputs, key=lambda entry: entry.follow):
        alike.setdefault(settings_of(entry), []).append(entry)
    groups = list(alike.values()) or [[]]
    return [_plan(profile, entries, nations, again=again, accept_removals=accept_removals) for entries in groups]


def _plan(
    profile: Profile, entries: list[InputEntry], nations: tuple[str, ...], *, again: bool, accept_removals: bool
) -> Plan:
    entry = entries[0] if entries else _ANY
    options = Options(
        sensor=Sensor(profile.nation, profile.sensor),
        files=tuple(each.at for each in entries),
        format=entry.format,
        defaults=defaults_of(profile, entry, nations),
        rate=profile.rate,
        again=again,
        snapshot=entry.feed if entry.snapshot else None,
        accept_removals=accept_removals,
        deadline_s=profile.deadline_s or None,
    )
    return Plan(options, entry.follow, _path(entry.credentials), _path(entry.authorities), _path(entry.reviewed))


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def defaults_of(profile: Profile, entry: InputEntry = _ANY, nations: tuple[str, ...] = ()) -> Defaults:
    """What applies if the input itself states nothing. Raises ConfigurationError for a bad list of reviewed values."""
    return Defaults(
        marking=marking_of(profile),
        confidence=profile.confidence,
        labels=labels_of(profile),
        encoding=entry.encoding,
        columns=entry.columns,
        date_format=entry.date_format,
        home_networks=tuple(ip_network(text, strict=False) for text in profile.home_networks),
        include=frozenset(profile.include),
        reviewed=reviewed_values(Path(entry.reviewed)) if entry.reviewed else None,
        mapping=entry.mapping,
        time_zone=ZoneInfo(profile.time_zone),
        types=frozenset(TYPE_BY_LABEL[label] for label in profile.types),
        confidence_ceiling=profile.confidence_ceiling,
        parties=frozenset((profile.nation, *nations)),
    )


def marking_of(profile: Profile) -> SourceMarking:
    """The marking that joins each source's own."""
    marking = profile.marking
    return SourceMarking(marking.tlp, marking.pap, marking.releasable_to, marking.caveats)


def labels_of(profile: Profile) -> tuple[str, ...]:
    """The labels of all observations. The sector's stays in the nation: it is in no vocabulary (docs/adr/0042)."""
    return (*profile.labels, *((f'kakehashi:sector="{profile.sector}"',) if profile.sector else ()))
