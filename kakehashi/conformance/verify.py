"""Verifies a conformance report: its signature and whose it is, that a page shows it, and that the feed is the same."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from consumers.subscription.subscription import PositionLost
from exchange.authority.roster import Roster
from exchange.authority.sensor_keys import KeyState
from exchange.errors import ConfigurationError
from kakehashi.conformance.of_inputs import file_digest
from kakehashi.conformance.of_topic import Published
from kakehashi.conformance.page import BEGIN, END, page
from kakehashi.conformance.run import feed_digest
from kakehashi.conformance.words import LANGUAGES
from producers.conformance.report import (
    MOST_BYTES,
    Fed,
    Signed,
    Unreadable,
    decoded,
    is_signed_by,
)
from producers.conformance.standard import Standard, standard_digest
from schemas.signing import key_id

_PAGE: Final = re.compile(rb"\s*<!doctype html", re.IGNORECASE)


class Checked(NamedTuple):
    """One thing that was verified."""

    is_right: bool
    text: str


def verified(
    path: Path,
    standard: Standard,
    roster: Roster,
    public: bytes | None,
    files: Sequence[Path],
    published: Published | None,
) -> Iterator[Checked]:
    """What was verified, in order. ``public`` is the key that must have signed; None for any on the roster.

    Raises ConfigurationError if a file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    found = _report_in(content)
    if isinstance(found, Unreadable):
        yield Checked(False, f"{path} is no conformance report: {found.detail}")
        return
    if _PAGE.match(content):
        yield _shown(content, found, standard)
    yield _signed(found, roster, public)
    if files:
        yield from _same_files(found, files)
    elif published is not None:
        yield _same_records(found, published)
    else:
        yield Checked(True, "the feed was not compared: name its files, or --topic")


def _report_in(content: bytes) -> Signed | Unreadable:
    if not _PAGE.match(content):
        return decoded(content)
    begin, end = BEGIN.encode(), END.encode()
    if content.count(begin) != 1 or len(content) > 2 * MOST_BYTES:
        return Unreadable("the page does not hold one report as `kakehashi conformance --html` writes it")
    return decoded(content.partition(begin)[2].partition(end)[0])


def _shown(content: bytes, found: Signed, standard: Standard) -> Checked:
    """Whether the page is the one that its report gives."""
    ours = f"kakehashi {version('kakehashi')}"
    if (found.report.software, found.report.standard.sha256) != (ours, standard_digest()):
        return Checked(
            False,
            f"the page was made by {found.report.software}, standard {found.report.standard.version}, and this is "
            f"{ours}, standard {standard.version}: verify it with that version, or ask for the report as JSON",
        )
    same = any(page(found, standard, language).encode() == content for language in LANGUAGES)
    why = "the page shows what its report states" if same else "the page was changed: it is not what its report states"
    return Checked(same, why)


def _signed(found: Signed, roster: Roster, public: bytes | None) -> Checked:
    signature = found.signature
    if signature is None:
        return Checked(False, "the report is not signed: it proves nothing. `--sign-key` signs one")
    if public is not None:
        right = is_signed_by(public, found)
        return Checked(right, f"the signature is {'' if right else 'not '}valid, by the key {key_id(public)}")
    owner = _owner(roster, signature.key, found.report.made_at_ms)
    if owner is None:
        return Checked(
            False,
            f"the key {signature.key} is of no one on {roster.nation}'s roster at the time of the report, or is "
            "revoked: name the key with --public-key, or the nation with --nation",
        )
    name, key = owner
    if is_signed_by(key, found):
        return Checked(True, f"the signature is valid, by {name}, key {signature.key}")
    return Checked(False, f"the signature by {name} is not of this report: it was changed")


def _owner(roster: Roster, key: str, at_ms: int) -> tuple[str, bytes] | None:
    officer = roster.find(key)
    if officer is not None and (officer.until_ms == 0 or at_ms < officer.until_ms):
        return f"the officer {officer.person}", officer.key
    for keys in roster.sensors.by_sensor.values():
        for each in keys:
            # A report states its time itself: the holder of a revoked key could state an earlier one.
            if each.key_id == key and not each.revoked_ms and each.standing(at_ms) is KeyState.VALID:
                return f"the sensor {each.sensor}", each.key
    return None


def _same_files(found: Signed, files: Sequence[Path]) -> Iterator[Checked]:
    """The files of the report by their digests, whatever their names are now."""
    left = [each for each in found.report.feed if each.partition < 0]
    for path in files:
        digest = file_digest(path)
        match = next((each for each in left if each.sha256 == digest), None)
        if match is None:
            yield Checked(False, f"{path} is not one of the report's files: SHA-256 {digest}")
        else:
            left.remove(match)
            yield Checked(True, f"{path} is {match.name} of the report: SHA-256 {digest}")
    for each in left:
        yield Checked(False, f"{each.name} of the report was not given: SHA-256 {each.sha256}")
    if feed_digest(found.report.feed) != found.report.feed_sha256:
        yield Checked(False, "the digest of the feed is not that of its inputs")


def _same_records(found: Signed, published: Published) -> Checked:
    """The records that the report is about are on the topic as they were."""
    then: list[Fed] = [each for each in found.report.feed if each.partition >= 0]
    if not then:
        return Checked(False, "the report is not about a topic: name its files")
    names = ", ".join(each.name for each in then)
    try:
        now = published.fingerprints({each.partition: (each.begin, each.end) for each in then})
    except PositionLost:
        return Checked(False, f"the records of {names} are not all there any more: they were deleted by retention")
    same = now == then
    return Checked(same, f"the records of {names} are {'the same as' if same else 'not the same as'} then")
