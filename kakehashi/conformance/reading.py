"""How the files of a conformance check are read: as the sensor reads them, by its profile or by options."""

from pathlib import Path

import msgspec
import typer

from exchange.settings import Settings
from kakehashi.profile_of_options import checked, inputs_of
from producers.fetch import is_url
from producers.follow.places import files_at, files_of
from producers.inputs import name_in_utf8
from producers.live.kinds import kind_of
from producers.profile.document import valid_profile
from producers.profile.model import InputEntry, MarkingEntry, Profile


def reading_of(
    files: list[str],
    path: Path | None,
    settings: Settings,
    nation: str,
    sensor: str,
    format: str,
    encoding: str,
    tlp: str,
    home_nets: list[str],
    *,
    beside_topic: bool,
) -> Profile:
    """A sensor's profile with the inputs to be read: the one in ``path``, or one of the options.

    Files that are named take the place of the profile's inputs, and are read as its first one. Beside what was
    published (``beside_topic``) only its snapshots are read. Raises ``typer.BadParameter``, and ConfigurationError for
    a profile with mistakes.
    """
    if path is not None:
        if tlp or home_nets or format != "auto" or encoding != "utf-8":
            raise typer.BadParameter("--sensor-profile states how its files are read: change them there")
        found = valid_profile(path, settings.nations)
        of_files = [each for each in found.inputs if not is_url(each.at) and kind_of(each.at) is None]
        if beside_topic:  # only a snapshot is all that its source asserts
            of_files = [each for each in of_files if each.snapshot]
        elif len(of_files) < len(found.inputs) and not files:
            raise typer.BadParameter(f"{path} reads servers, too: name files, or --topic for what was published")
        inputs = [
            msgspec.structs.replace(each, at=str(at), follow=False)
            for each in of_files
            for at in (files_at(each.at) if each.follow else files_of(each.at))
        ]
        like = msgspec.structs.replace(of_files[0], follow=False) if of_files else InputEntry(at="")
        named = [msgspec.structs.replace(like, at=name, snapshot=False, feed="") for name in _named(files)]
        return msgspec.structs.replace(found, inputs=tuple(named or inputs))
    entry = InputEntry(at="", format=format, encoding=encoding)
    made = Profile(
        nation=nation or settings.nations[0],
        sensor=sensor or "feed",
        marking=MarkingEntry(tlp=tlp),
        home_networks=tuple(home_nets),
        inputs=inputs_of(_named(files), entry),
    )
    return checked(made, settings.nations, entry)


def _named(places: list[str]) -> list[str]:
    """The files that are named, also by their folder or a pattern."""
    found = []
    for place in places:
        try:
            files = files_of(place)
        except OSError as error:
            raise typer.BadParameter(f"{name_in_utf8(place)} cannot be read: {error.strerror}") from error
        if not files:
            raise typer.BadParameter(f"there is no file at {name_in_utf8(place)}")
        found += files
    return found
