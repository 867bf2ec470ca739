"""Judges a feed by a profile of the joint standard, and makes the report of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from typing import Any, Final

import msgspec

from kakehashi.conformance.of_inputs import Inputs
from kakehashi.conformance.of_topic import Published
from producers.conformance.facts import Fact, Question
from producers.conformance.judge import Judgement, outcome
from producers.conformance.of_statements import HOUR_MS
from producers.conformance.profile import ConformanceProfile, IncidentKind, Starts
from producers.conformance.report import Due, Fed, Of, Report
from producers.conformance.standard import Shown, Standard, standard_digest
from producers.produce import Options
from producers.profile.model import Profile
from schemas.vocabulary import TYPE_BY_LABEL

_NO_SETTING: Final = frozenset({"nation", "sensor", "key", "inputs", "rate", "deadline_s"})


@dataclass(frozen=True, slots=True)
class Asked:
    """The inputs to be judged, and the standard.

    ``runs`` are inputs; beside ``published`` they are the source's own list. ``starts`` are times that start clocks.
    """

    standard: Standard
    profile: ConformanceProfile
    profile_digest: str
    incident: str
    now_ms: int
    nation: str = ""
    sensor: str = ""
    runs: tuple[Options, ...] = ()
    published: Published | None = None
    settings: Profile | None = None
    starts: Mapping[Starts, int] = field(default_factory=dict)
    values: bool = False

    @property
    def shown(self) -> tuple[Shown, ...]:
        """What these inputs can show."""
        if self.published is None:
            return (Shown.FILE,)
        return (Shown.TOPIC, Shown.COMPARISON) if self.runs else (Shown.TOPIC,)


def judged(asked: Asked) -> Report:
    """The report. Raises ConfigurationError, Refused, NotFound and BrokerUnavailable, as its inputs do."""
    incident = asked.profile.incident(asked.incident)
    question = Question(
        nation=asked.nation,
        sensor=asked.sensor,
        now_ms=asked.now_ms,
        aware_ms=asked.starts.get(Starts.AWARE, 0),
        bounds=incident.bounds,
        types=frozenset(TYPE_BY_LABEL[label] for label in incident.types),
    )
    judgement = Judgement(asked.standard, incident, question, asked.shown, values=asked.values)
    inputs = Inputs(asked.nation, asked.sensor, asked.now_ms)
    judgement.take(_facts(asked, inputs))
    feed = (*inputs.fed, *(() if asked.published is None else asked.published.fed))
    results = judgement.results()
    return Report(
        software=f"kakehashi {version('kakehashi')}",
        made_at_ms=asked.now_ms,
        standard=_standard(asked.standard),
        profile=_profile(asked.profile, asked.profile_digest),
        profile_title=asked.profile.title,
        incident=incident.name,
        incident_title=incident.title,
        bounds=incident.bounds,
        nation=asked.nation,
        sensor=asked.sensor,
        aware_at_ms=asked.starts.get(Starts.AWARE, 0),
        shown=asked.shown,
        settings={} if asked.settings is None else settings_of(asked.settings),
        feed=feed,
        feed_sha256=feed_digest(feed),
        counts=judgement.counts,
        outcome=outcome(results, asked.standard, asked.shown),
        results=results,
        clocks=tuple(_dues(asked, incident)),
    )


def _facts(asked: Asked, inputs: Inputs) -> Iterator[Fact]:
    for options in asked.runs:
        yield from inputs.facts(options) if asked.published is None else inputs.listed(options)
    if asked.published is not None:
        yield from asked.published.facts()


def feed_digest(feed: Iterable[Fed]) -> str:
    """The SHA-256 over the digests of all inputs, in the order in which they were read; in hex."""
    return sha256(b"".join(bytes.fromhex(each.sha256) for each in feed)).hexdigest()


def settings_of(profile: Profile) -> dict[str, str]:
    """The settings of a sensor that change what its inputs state, if they were changed; of its networks the number."""
    plain, default = _flat(profile), _flat(Profile(nation=profile.nation, sensor=profile.sensor))
    found = {name: value for name, value in plain.items() if name not in _NO_SETTING and value != default[name]}
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode() for name, value in found.items()
    }


def _flat(profile: Profile) -> dict[str, Any]:
    """The fields by their names, those of the marking among them."""
    found: dict[str, Any] = msgspec.to_builtins(profile)
    found["home_networks"] = len(profile.home_networks)  # a report leaves the company, and they are its own
    marking: dict[str, Any] = found.pop("marking")
    return found | marking


def _standard(standard: Standard) -> Of:
    return Of(
        name="joint-standard",
        version=standard.version,
        status=standard.status,
        owner=standard.owner,
        sha256=standard_digest(),
    )


def _profile(profile: ConformanceProfile, digest: str) -> Of:
    return Of(name=profile.name, version=profile.version, status=profile.status, owner=profile.owner, sha256=digest)


def _dues(asked: Asked, incident: IncidentKind) -> Iterator[Due]:
    for clock in asked.profile.clocks_of(incident.name):
        start_ms = asked.starts.get(clock.starts, 0)
        due_ms = tuple(start_ms + round(hours * HOUR_MS) for hours in clock.hours) if start_ms else ()
        yield Due(clock=clock, due_ms=due_ms)
