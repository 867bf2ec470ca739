"""A release's end and a partner's receipt in words, for a person."""

from typing import TYPE_CHECKING, Final

from kakehashi.terminal import printable, utc
from schemas.vocabulary import EndReason, SearchResult

if TYPE_CHECKING:
    from schemas.records import Receipt, ReleasedIndicator

_ENDS: Final = {
    EndReason.AGED_OUT: "it was not seen for a long time",
    EndReason.VALIDITY_ENDED: "its validity has ended",
    EndReason.RELEASE_ENDED: "the release was for a limited time",
    EndReason.FALSE_POSITIVE: "it was a false positive",
    EndReason.WITHDRAWN: "its source withdrew it",
    EndReason.MARKING_TIGHTENED: "its marking no longer allows the release",
    EndReason.POLICY_CHANGED: "the rules no longer allow the release",
    EndReason.RECALLED_BY_HAND: "by an officer",
}


def release(released: "ReleasedIndicator") -> str:
    """What was released last, and why it ended: ``content``, ``recalled: by an officer``."""
    reason = released["reason"]
    if not reason:
        return released["kind"]
    return f"{released['kind']}: {_ENDS[EndReason(reason)] if reason in _ENDS else printable(reason)}"


def deed(receipt: "Receipt") -> tuple[str, str]:
    """What was done, and why, behind a comma: ``applied``; ``refused`` and ``, malformed-content``; ``searched`` and
    ``, not seen``."""
    if receipt["reason"] == SearchResult.NOT_SEEN:
        return "searched", ", not seen"
    return receipt["code"].replace("_", " "), f", {printable(receipt['reason'])}" if receipt["reason"] else ""


def dispute(receipt: "Receipt", nation: str) -> str:
    """A dispute, as a sentence for a reader of ``nation``."""
    return f"{_who(receipt, nation)} disputes it: {receipt['reason']}."


def search(receipt: "Receipt", nation: str) -> str:
    """A search without a result, as a sentence for a reader of ``nation``."""
    at = f"{utc(receipt['at_ms'])} UTC"
    return f"{_who(receipt, nation)} searched for it and had not seen it by {at} (version {receipt['version']})."


def _who(receipt: "Receipt", nation: str) -> str:
    return nation if receipt["nation"] == nation else f"An analyst of {receipt['nation']}"
