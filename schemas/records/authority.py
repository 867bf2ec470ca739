"""Records that officers sign: commands about one indicator, and policy records of a nation."""

from typing import TypedDict

from schemas.records.observed import MarkingRecord


class Command(TypedDict):
    """An officer's signed decision about one indicator."""

    command_id: str
    kind: str
    nation: str
    indicator_id: str
    partner: str
    verdict: str
    question: bytes
    about: str
    version: int
    marking: MarkingRecord | None
    reason_code: str
    reason: str
    issued_ms: int
    expires_ms: int
    officer: str
    signature: bytes


class Approval(TypedDict):
    """One officer's signature."""

    officer: str
    signature: bytes


class PolicyRecord(TypedDict):
    """A policy record of a nation: a policy set, its activation, or the state of a border."""

    record_id: str
    kind: str
    nation: str
    version: str
    texts: dict[str, str]
    activate_at_ms: int
    partner: str
    state: str
    reason: str
    issued_ms: int
    approvals: list[Approval]
