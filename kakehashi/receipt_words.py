"""A partner's receipt in words, for a person."""

from kakehashi.terminal import printable, utc
from schemas.records import Receipt
from schemas.vocabulary import SearchResult


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
