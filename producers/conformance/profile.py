"""How the standard applies to companies of one kind: levels and bounds by kind of incident, and the law's clocks.

A profile is a YAML file: one of ``profiles`` beside this file, or a regulator's own. It may raise a requirement's
level, and never lower it.
"""

import enum
from collections.abc import Iterator, Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from exchange.errors import ConfigurationError
from producers.conformance.standard import Level, Standard, Status, Text
from producers.json_schema import json_schema_of
from producers.yaml_document import Kind, Mistake, Path_, read_as
from schemas.vocabulary import TYPE_BY_LABEL

SCHEMA_NAME: Final = "profile.schema.json"
_KIND: Final = Kind("profile", "start from one of producers/conformance/profiles", f"see docs/standard/{SCHEMA_NAME}")
_FOLDER: Final = files("producers.conformance") / "profiles"
AWARE: Final = "aware_at"

Hours = Annotated[float, Meta(gt=0, le=8760)]
Days = Annotated[float, Meta(gt=0, le=36500)]


class LegalStatus(enum.StrEnum):
    """How far a law has come."""

    IN_FORCE = "in-force"
    BILL = "bill"
    DRAFT = "draft"


class Starts(enum.StrEnum):
    """What starts a clock of the law."""

    AWARE = AWARE
    SIGNIFICANT = "significant_at"
    RANSOM_PAID = "ransom_paid_at"


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A regime's clock: the hours after its start at which notifications are due. Empty if they are not known.

    ``incident`` names the one kind of incident that it is about; empty for all. ``fields`` are those of a notification.
    """

    regime: str
    ja: str
    jurisdiction: str
    status: LegalStatus
    source_en: str
    source_ja: str
    starts: Starts
    hours: tuple[Hours, ...]
    then_en: str = ""
    then_ja: str = ""
    incident: str = ""
    fields: tuple[Text, ...] = ()

    @property
    def name(self) -> Text:
        """The regime's name."""
        return Text(self.regime, self.ja)

    @property
    def source(self) -> Text:
        """Where the clock is from, and what was not found."""
        return Text(self.source_en, self.source_ja)

    @property
    def then(self) -> Text:
        """When the last report is due, in words."""
        return Text(self.then_en, self.then_ja)


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The numbers that requirements are held to. What is kept is a least, all others are a most."""

    observed_to_published_hours: Hours = 24
    built_to_published_hours: Hours = 24
    silence_hours: Hours = 24
    open_refusal_hours: Hours = 72
    reports_kept_days: Days = 7
    refusals_kept_days: Days = 365
    incident_published_hours: Hours = 24

    def number(self, name: str) -> float:
        """One of them."""
        return float(getattr(self, name))


LEAST: Final = frozenset({"reports_kept_days", "refusals_kept_days"})


class IncidentKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of incident: which requirements bind, to which bounds, and the types that help others find it."""

    name: str
    en: str
    ja: str
    why_en: str
    why_ja: str
    must: tuple[str, ...]
    should: tuple[str, ...]
    bounds: Bounds = Bounds()
    types: tuple[str, ...] = ()

    @property
    def title(self) -> Text:
        """Its name in words."""
        return Text(self.en, self.ja)

    def level(self, requirement: str) -> Level:
        """Whether it must or should be met."""
        return Level.MUST if requirement in self.must else Level.SHOULD


class ConformanceProfile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A profile of the joint standard for companies of one kind."""

    name: str
    version: str
    standard: str
    status: Status
    owner_en: str
    owner_ja: str
    source_en: str
    source_ja: str
    en: str
    ja: str
    scope_en: str
    scope_ja: str
    incidents: tuple[IncidentKind, ...]
    clocks: tuple[Clock, ...] = ()

    @property
    def title(self) -> Text:
        """What the companies are called."""
        return Text(self.en, self.ja)

    @property
    def owner(self) -> Text:
        """Who answers for the profile."""
        return Text(self.owner_en, self.owner_ja)

    @property
    def scope(self) -> Text:
        """The companies that it is for."""
        return Text(self.scope_en, self.scope_ja)

    def incident(self, name: str) -> IncidentKind:
        """One kind of incident; of the empty name the strictest of all of them together. Raises KeyError."""
        return strictest(self.incidents) if not name else {each.name: each for each in self.incidents}[name]

    def clocks_of(self, incident: str) -> tuple[Clock, ...]:
        """The clocks that run in such an incident; of the empty name all."""
        return tuple(each for each in self.clocks if not incident or each.incident in ("", incident))


class Found(NamedTuple):
    """A profile and the SHA-256 of its text; None if there are mistakes, which are in the order of their lines."""

    profile: ConformanceProfile | None
    digest: str
    mistakes: list[Mistake]


def strictest(incidents: tuple[IncidentKind, ...]) -> IncidentKind:
    """The kind that covers all of these: the higher level, the shorter time, the longer retention."""
    bounds = {
        name: (max if name in LEAST else min)(each.bounds.number(name) for each in incidents)
        for name in Bounds.__struct_fields__
    }
    must = tuple(dict.fromkeys(name for each in incidents for name in each.must))
    shared = [each for each in incidents[0].types if all(each in other.types for other in incidents)]
    return IncidentKind(
        name="",
        en="any incident",
        ja="全てのインシデント",
        why_en="",
        why_ja="",
        must=must,
        should=tuple(name for name in incidents[0].should if name not in must),
        bounds=Bounds(**bounds),
        types=tuple(shared),
    )


def names() -> list[str]:
    """The profiles that come with the software."""
    return sorted(each.name.removesuffix(".yaml") for each in _FOLDER.iterdir() if each.name.endswith(".yaml"))


def profile_text(name: str) -> bytes:
    """The text of a profile that comes with the software."""
    return (_FOLDER / f"{name}.yaml").read_bytes()


def read_profile(content: bytes, standard: Standard) -> Found:
    """The profile in a text, with every mistake and its line."""
    profile, read = read_as(ConformanceProfile, content, _KIND)
    if profile is not None and not read.mistakes:
        for path, text in _problems(profile, standard):
            read.mistake(path, text)
    return Found(None if read.mistakes else profile, sha256(content).hexdigest(), sorted(read.mistakes))


def valid_profile(name: str, standard: Standard) -> tuple[ConformanceProfile, str]:
    """The profile of this name, or in this file, and its digest. Raises ConfigurationError with every mistake."""
    try:
        content = profile_text(name) if name in names() else Path(name).read_bytes()
    except OSError as error:
        known = ", ".join(names())
        raise ConfigurationError(f"--profile {name}: {error.strerror}: one of {known}, or a YAML file") from error
    found = read_profile(content, standard)
    if found.profile is None:
        listed = "\n".join(f"{name}:{each.line}: {each.text}" for each in found.mistakes)
        raise ConfigurationError(f"the profile cannot be used:\n{listed}")
    return found.profile, found.digest


def json_schema() -> str:
    """The JSON Schema of a profile, for editors."""
    return json_schema_of(ConformanceProfile)


def _problems(profile: ConformanceProfile, standard: Standard) -> Iterator[tuple[Path_, str]]:
    if profile.standard != standard.version:
        yield ("standard",), f"{profile.standard}: this software has version {standard.version} of the standard"
    if not profile.incidents:
        yield ("incidents",), "at least one kind of incident"
    seen: set[str] = set()
    for at, incident in enumerate(profile.incidents):
        path: Path_ = ("incidents", at)
        if incident.name in seen or not incident.name:
            yield (*path, "name"), f"{incident.name}: a name, once"
        seen.add(incident.name)
        yield from _of_levels(path, incident, standard.by_id)
        for place, label in enumerate(incident.types):
            if label not in TYPE_BY_LABEL:
                yield (*path, "types", place), f"{label}: one of {', '.join(TYPE_BY_LABEL)}"
        yield from _of_first_clock(path, incident, profile.clocks_of(incident.name))
    for at, clock in enumerate(profile.clocks):
        if clock.incident and clock.incident not in seen:
            yield ("clocks", at, "incident"), f"{clock.incident}: one of {', '.join(sorted(seen))}"
        if list(clock.hours) != sorted(clock.hours):
            yield ("clocks", at, "hours"), "in the order in which they end"


def _of_levels(path: Path_, incident: IncidentKind, known: Mapping[str, Any]) -> Iterator[tuple[Path_, str]]:
    stated: set[str] = set()
    for level in Level:
        for at, name in enumerate(getattr(incident, level)):
            here = (*path, str(level), at)
            if name not in known:
                yield here, f"{name}: the standard has no such requirement"
            elif name in stated:
                yield here, f"{name}: is there twice"
            elif level is Level.SHOULD and known[name].level is Level.MUST:
                yield here, f"{name}: a must of the standard cannot be lowered"
            stated.add(name)
    missing = [name for name in known if name not in stated]
    if missing:
        yield (*path, "should"), f"each requirement is under must or should; missing: {', '.join(missing)}"


def _of_first_clock(path: Path_, incident: IncidentKind, clocks: tuple[Clock, ...]) -> Iterator[tuple[Path_, str]]:
    hours = incident.bounds.incident_published_hours
    for clock in clocks:
        if clock.starts is Starts.AWARE and clock.hours and hours > clock.hours[0]:
            why = f"{hours:g} hours is longer than the first clock of {clock.regime}, {clock.hours[0]:g} hours"
            yield (*path, "bounds", "incident_published_hours"), why
