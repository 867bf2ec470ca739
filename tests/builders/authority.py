"""What officers sign."""

from typing import Any

from schemas.records import Command, PolicyRecord
from tests.builders.changed import DAY_MS, HOME, NOW_MS, an_id, changed


def a_command(**changes: Any) -> Command:
    """An officer of GBR recalls the domain from everyone; not signed."""
    command = Command(
        command_id="7c9e6679-7425-40de-944b-e07fc1f90ae7",
        kind="recall",
        nation=HOME,
        indicator_id=an_id(),
        partner="",
        verdict="",
        question=b"",
        about="",
        version=0,
        marking=None,
        reason_code="recalled-by-hand",
        reason="the source asked for it back",
        issued_ms=NOW_MS,
        expires_ms=NOW_MS + DAY_MS,
        officer="00" * 16,
        signature=b"",
    )
    return changed(command, changes)


def a_policy_record(**changes: Any) -> PolicyRecord:
    """A policy set of GBR without texts; no one has approved it."""
    record = PolicyRecord(
        record_id="5f0c7b1e-2a55-4a55-9a40-3c8f5a1f6b02",
        kind="set",
        nation=HOME,
        version="ab" * 32,
        texts={},
        activate_at_ms=0,
        partner="",
        state="",
        reason="agreed by the joint sharing board",
        issued_ms=NOW_MS,
        approvals=[],
    )
    return changed(record, changes)
