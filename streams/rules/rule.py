"""One rule of a policy set: its annotations, and the errors for its author."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from exchange.errors import ConfigurationError
from schemas.vocabulary import Outcome
from streams.rules import obligations
from streams.rules.obligations import Obligation

_REQUIRED: Final = ("id", "title", "title_ja", "basis", "owner")
_FOR_PERMIT: Final = frozenset({*_REQUIRED, "obligations"})
_FOR_WITHHOLD: Final = frozenset({*_REQUIRED, "outcome"})
_FOR_HOLD: Final = frozenset({*_REQUIRED, "outcome", "obligations", "reviewers", "deadline_hours"})


class PolicyError(ConfigurationError):
    """A policy set does not load; the message names the file, the line and the change to make."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One permit or forbid. ``outcome`` is its result if it matches: RELEASE for a permit.

    ``title`` is in English, ``title_ja`` in Japanese: the nations' officers read the same rules.

    ``reviewers`` and ``deadline_hours`` are of a hold: how many distinct officers must approve, within how many hours.
    ``body`` is the rule in Cedar's JSON form, in one canonical spelling.
    """

    id: str
    title: str
    title_ja: str
    basis: str
    owner: str
    outcome: Outcome
    obligations: tuple[Obligation, ...]
    reviewers: int
    deadline_hours: int
    place: str
    body: str

    @property
    def is_permit(self) -> bool:
        """Whether the rule permits; all others forbid."""
        return self.outcome is Outcome.RELEASE


def read_rule(policy: Mapping[str, Any], place: str) -> Rule:
    """Check one rule, given in Cedar's JSON form, found at ``place`` (file and line).

    Raises ``PolicyError`` for a missing or unknown annotation, a value out of range, obligations that contradict
    each other, and a permit without a condition.
    """
    notes = policy.get("annotations", {})
    for name in _REQUIRED:
        if not (notes.get(name) or "").strip():
            _refuse(place, notes, f'has no @{name}("…"): write one; every rule needs {", ".join(_REQUIRED)}')
    outcome = _outcome(policy, notes, place)
    known = {Outcome.RELEASE: _FOR_PERMIT, Outcome.WITHHOLD: _FOR_WITHHOLD, Outcome.HOLD: _FOR_HOLD}[outcome]
    for name in notes:
        if name not in known:
            _refuse(place, notes, f"has @{name}, unknown in a rule that leads to {outcome}: known are {_at(known)}")
    try:
        owed = obligations.parse(notes.get("obligations") or "")
    except ValueError as error:
        _refuse(place, notes, str(error))
    return Rule(
        id=notes["id"],
        title=notes["title"],
        title_ja=notes["title_ja"],
        basis=notes["basis"],
        owner=notes["owner"],
        outcome=outcome,
        obligations=owed,
        reviewers=_number(notes, "reviewers", place) if outcome is Outcome.HOLD else 0,
        deadline_hours=_number(notes, "deadline_hours", place) if outcome is Outcome.HOLD else 0,
        place=place,
        body=json.dumps(policy, sort_keys=True, ensure_ascii=False),
    )


def _outcome(policy: Mapping[str, Any], notes: Mapping[str, str], place: str) -> Outcome:
    if policy["effect"] == "forbid":
        if notes.get("outcome") not in (Outcome.HOLD, Outcome.WITHHOLD):
            found = _stated(notes)
            _refuse(place, notes, f'forbids, so it needs @outcome("hold") or @outcome("withhold"), not {found}')
        return Outcome(notes["outcome"])
    conditions = [condition["body"] for condition in policy["conditions"] if condition["kind"] == "when"]
    if all(isinstance(body, dict) and set(body) == {"Value"} for body in conditions):
        _refuse(place, notes, "permits without a condition: write a when { … } that limits it")
    return Outcome.RELEASE


def _stated(notes: Mapping[str, str]) -> str:
    return f'"{notes["outcome"]}"' if "outcome" in notes else "nothing"


def _number(notes: Mapping[str, str], name: str, place: str) -> int:
    text = notes.get(name) or ""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        _refuse(place, notes, f'holds for review, so it needs @{name}("…") with a whole number from 1, not "{text}"')
    return int(text)


def _at(names: frozenset[str]) -> str:
    return ", ".join(f"@{name}" for name in sorted(names))


def _refuse(place: str, notes: Mapping[str, str], what: str) -> NoReturn:
    name = notes.get("id")
    raise PolicyError(f"{place}: the rule {f'“{name}” ' if name else ''}{what}")
