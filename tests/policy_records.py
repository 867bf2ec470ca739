"""Policy records for tests: signed by made-up officers, and judged as a process that reads them does."""

from collections.abc import Mapping
from typing import Any, Final

from exchange.authority.policy_record import Approved, NotApproved, key_of, read_policy_record
from exchange.authority.policy_watch import Published
from schemas.codec import POLICY_RECORD, Codec
from schemas.links import POLICY_FOLDER
from schemas.records import PolicyRecord
from schemas.signing import approved_policy
from streams.rules.policy_set import compiled, read_texts
from tests.builders import NOW_MS, a_policy_record
from tests.officers import ALICE, BOB, ROSTER
from tests.officers import key_of as officer_key

CODEC: Final = Codec()
LEAD_MS: Final = 60_000
TEXTS: Final = read_texts("GBR", POLICY_FOLDER)
STRICTER_RULE: Final = """
@id("gbr-no-domains")
@title("No domain name leaves, for a test")
@title_ja("試験用の規則")
@basis("a test")
@owner("a test")
@outcome("withhold")
forbid (principal, action == Action::"release", resource)
when { resource.type == IndicatorType::"domain-name" };
"""


def stricter() -> dict[str, str]:
    """The shipped texts, and one rule more."""
    return {**TEXTS, "national/GBR/v1/test.cedar": STRICTER_RULE}


def a_set(texts: Mapping[str, str], number: int = 1, **changes: Any) -> PolicyRecord:
    """A set with its version, not signed."""
    version = changes.pop("version", None) or compiled(texts, "GBR").version
    return a_policy_record(record_id=f"set-{number}", version=version, texts=dict(texts), **changes)


def an_activation(version: str, at_ms: int, number: int = 1, **changes: Any) -> PolicyRecord:
    """An activation, not signed."""
    return a_policy_record(
        record_id=f"on-{number}", kind="activation", version=version, activate_at_ms=at_ms, **changes
    )


def a_border(state: str, number: int = 1, **changes: Any) -> PolicyRecord:
    """A border to JPN, not signed."""
    fields = {"record_id": f"border-{number}", "kind": "border", "version": "", "partner": "JPN", "state": state}
    return a_policy_record(**(fields | changes))


def signed(record: PolicyRecord, *people: str | tuple[str, int]) -> PolicyRecord:
    """The record, approved by these people (alice and bob, if none are given), or by a second key of theirs."""
    for person in people or (ALICE, BOB):
        name, number = (person, 1) if isinstance(person, str) else person
        record = approved_policy(CODEC, record, officer_key(name, number))
    return record


def judged(record: PolicyRecord, *, appended_ms: int = NOW_MS, offset: int = 0) -> Approved | NotApproved:
    """What a process makes of it."""
    return read_policy_record(
        CODEC.encode(POLICY_RECORD, record),
        key_of(record),
        CODEC,
        ROSTER,
        appended_ms=appended_ms,
        offset=offset,
        lead_ms=LEAD_MS,
        partners=("JPN",),
    )


class Topic:
    """What the topic says, as a worker that reads it has it: always fresh."""

    def __init__(self) -> None:
        self._published = Published()

    def append(self, record: PolicyRecord, at_ms: int) -> str:
        """Write a record; why it does nothing, empty where it holds."""
        found = judged(record, appended_ms=at_ms, offset=len(self._published.approved) + len(self._published.refused))
        if isinstance(found, NotApproved):
            self._published = Published(at_ms, self._published.approved, (*self._published.refused, found))
            return found.detail
        self._published = Published(at_ms, (*self._published.approved, found), self._published.refused)
        return ""

    def published(self, at_ms: int) -> Published:
        """For a decision at any time."""
        return Published(at_ms, self._published.approved, self._published.refused)
