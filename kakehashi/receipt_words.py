"""A release's end and a partner's receipt in words, for a person."""

from typing import Final

from kakehashi.terminal import printable, utc
from schemas.records import Receipt, ReleasedIndicator
from schemas.vocabulary import EndReason, SearchResult

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


def release(released: ReleasedIndicator) -> str:
    """What was released last, and why it ended: ``content``, ``recalled: by an officer``."""
    reason = released["reason"]
    if not reason:
        return released["kind"]
    return f"{released['kind']}: {_ENDS[EndReason(reason)] if reason in _ENDS else printable(reason)}"


def deed(receipt: Receipt) -> str:
    """What was done: ``applied``, ``refused, malformed-content``, ``searched, not seen``."""
    if receipt["reason"] == SearchResult.NOT_SEEN:
        return "searched, not seen"
    reason = f", {printable(receipt['reason'])}" if receipt["reason"] else ""
    return f"{receipt['code'].replace('_', ' ')}{reason}"


def search(receipt: Receipt, nation: str) -> str:
    """A search without a result, as a sentence for a reader of ``nation``."""
    who = nation if receipt["nation"] == nation else f"An analyst of {receipt['nation']}"
    at = f"{utc(receipt['at_ms'])} UTC"
    return f"{who} searched for it and had not seen it by {at} (version {receipt['version']})."
