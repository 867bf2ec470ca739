"""Reads a profile from YAML, with every mistake and its line at once (``producers.yaml_document``)."""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from exchange.authority.token_key import is_token
from exchange.errors import ConfigurationError
from producers.fetch import has_scheme
from producers.live.kinds import kind_of
from producers.profile.model import SCHEMA_NAME, Profile
from producers.profile.rules import problems
from producers.source import STANDARD_INPUT
from producers.yaml_document import Kind, Mistake, read_as
from schemas.spelling import suggestion

_KIND: Final = Kind("profile", "`kakehashi sensor init` writes a profile", f"see {SCHEMA_NAME}")


class Loaded(NamedTuple):
    """A profile, which is None if there are mistakes; they are in the order of their lines."""

    profile: Profile | None
    mistakes: list[Mistake]


def loaded(path: Path, nations: tuple[str, ...]) -> Loaded:
    """The profile in this file, with its paths relative to its folder."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return Loaded(None, [Mistake(0, f"cannot be read: {error.strerror}")])
    found, read = read_as(Profile, content, _KIND)
    if found is None:
        return Loaded(None, read.mistakes)
    profile = _beside(found, path.parent)
    for each in [each for each in problems(profile, nations) if not read.is_bad(each.path)]:
        read.mistake(each.path, f"{each.value[:80]}: {each.why}{suggestion(each.value, each.known)}")
    return Loaded(None if read.mistakes else profile, sorted(read.mistakes, key=lambda each: each.line))


def _beside(profile: Profile, folder: Path) -> Profile:
    """The same, with paths that do not depend on where the command is run."""

    def beside(name: str) -> str:
        is_path = name and name != STANDARD_INPUT and not has_scheme(name) and kind_of(name) is None
        return str(folder / name) if is_path else name

    inputs = tuple(
        msgspec.structs.replace(
            each,
            at=beside(each.at),
            reviewed=beside(each.reviewed),
            credentials=beside(each.credentials),
            authorities=beside(each.authorities),
        )
        for each in profile.inputs
    )
    key = profile.key if is_token(profile.key) else beside(profile.key)
    return msgspec.structs.replace(profile, key=key, inputs=inputs)


def valid_profile(path: Path, nations: tuple[str, ...]) -> Profile:
    """The profile in this file. Raises ConfigurationError with every mistake and its line."""
    found = loaded(path, nations)
    if found.profile is None:
        listed = "\n".join(f"{path}:{each.line}: {each.text}" for each in found.mistakes)
        raise ConfigurationError(f"the profile cannot be used:\n{listed}")
    return found.profile
