"""The joint standard: its groups and numbered requirements, from ``standard.yaml`` beside this file."""

import enum
from collections.abc import Mapping
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files
from typing import Final

import msgspec

from producers.yaml_document import Kind, Mistake, read_as

PROFILE: Final = "profile"
"""The source of a requirement whose number the profile states."""
_KIND: Final = Kind("standard", "it is part of the software: install it again", "see producers/conformance/standard.py")


class Level(enum.StrEnum):
    """How much a requirement binds: BCP 14 (RFC 2119 and RFC 8174), in lower case."""

    MUST = "must"
    SHOULD = "should"


class Status(enum.StrEnum):
    """Whether a standard or a profile is agreed. None is, as long as no one has approved one."""

    DRAFT = "draft-not-approved"


class Shown(enum.StrEnum):
    """What a requirement can be judged from: inputs, what was published, or both beside each other."""

    FILE = "file"
    TOPIC = "topic"
    COMPARISON = "comparison"


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence in both languages."""

    en: str
    ja: str

    def of(self, language: str) -> str:
        """The sentence in ``en`` or ``ja``."""
        return self.ja if language == "ja" else self.en


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A chapter of the standard."""

    id: str
    en: str
    ja: str

    @property
    def title(self) -> Text:
        """Its name."""
        return Text(self.en, self.ja)


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One requirement. ``shown_by`` is what it can be judged from; ``bound`` names the profile's bound of it."""

    id: str
    level: Level
    shown_by: tuple[Shown, ...]
    en: str
    ja: str
    why_en: str
    why_ja: str
    do_en: str
    do_ja: str
    sources: tuple[str, ...]
    bound: str = ""

    @property
    def group(self) -> str:
        """The id of its chapter: ``MRK`` of ``KKH-MRK-01``."""
        return self.id.split("-")[1]

    @property
    def text(self) -> Text:
        """What it demands."""
        return Text(self.en, self.ja)

    @property
    def why(self) -> Text:
        """The reason for it."""
        return Text(self.why_en, self.why_ja)

    @property
    def remedy(self) -> Text:
        """What to do if it is not met."""
        return Text(self.do_en, self.do_ja)


class Standard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """The whole standard, in the order of its chapters."""

    version: str
    status: Status
    owner_en: str
    owner_ja: str
    groups: tuple[Group, ...]
    requirements: tuple[Requirement, ...]

    @property
    def owner(self) -> Text:
        """Who answers for the standard."""
        return Text(self.owner_en, self.owner_ja)

    @cached_property
    def by_id(self) -> Mapping[str, Requirement]:
        """The requirements by their numbers."""
        return {each.id: each for each in self.requirements}

    def of_group(self, group: str) -> tuple[Requirement, ...]:
        """The requirements of one chapter, in order."""
        return tuple(each for each in self.requirements if each.group == group)


def standard_text() -> bytes:
    """The bytes of ``standard.yaml``."""
    return (files("producers.conformance") / "standard.yaml").read_bytes()


def standard_digest() -> str:
    """The SHA-256 of the standard's text, in hex: what a report was made by."""
    return sha256(standard_text()).hexdigest()


def read_standard(content: bytes) -> tuple[Standard | None, list[Mistake]]:
    """The standard in a text, and every mistake with its line."""
    found, read = read_as(Standard, content, _KIND)
    if found is not None and not read.mistakes:
        seen: set[str] = set()
        groups = {group.id for group in found.groups}
        for at, each in enumerate(found.requirements):
            path = ("requirements", at, "id")
            parts = each.id.split("-")
            if len(parts) != 3 or parts[0] != "KKH" or parts[1] not in groups or not parts[2].isdigit():
                read.mistake(path, f"{each.id}: KKH, a group of {', '.join(sorted(groups))}, and a number")
            if each.id in seen:
                read.mistake(path, f"{each.id}: is there twice")
            seen.add(each.id)
            if not each.sources:
                read.mistake(("requirements", at, "sources"), "a requirement has a source")
    return (None if read.mistakes else found), sorted(read.mistakes)


@cache
def standard() -> Standard:
    """The standard of this version of the software. Raises RuntimeError if its file is damaged: a defect of ours."""
    found, mistakes = read_standard(standard_text())
    if found is None:
        raise RuntimeError(f"standard.yaml: {mistakes}")
    return found
