"""What passes between two nations."""

from typing import Any, Final

from schemas.records import Content, Receipt, ReleasedIndicator
from schemas.vocabulary import TYPE_BY_LABEL
from tests.builders.changed import DAY_MS, DOMAIN, HOME, HOUR_MS, NOW_MS, PARTNER, an_id, changed


def a_content(**changes: Any) -> Content:
    """What a partner sees of the domain: TLP:GREEN, named for JPN. Without a tearline, unless one is given."""
    content = Content(
        type="domain-name",
        value=DOMAIN,
        tlp="TLP:GREEN",
        pap="",
        releasable_to=[PARTNER],
        caveats=[],
        confidence=80,
        labels=["malicious-activity"],
        first_seen_ms=NOW_MS - 2 * HOUR_MS,
        last_seen_ms=NOW_MS - HOUR_MS,
        sightings=2,
        valid_until_ms=0,
        release_expires_ms=NOW_MS + 30 * DAY_MS,
        registered_domain="example.com",
        asn=0,
        country="",
    )
    return changed(content, changes, "tearline")


def a_released(**changes: Any) -> ReleasedIndicator:
    """A live record of GBR for JPN. A change of ``content`` changes the id with it, unless one is given.

    With another ``kind`` it has no content, a reason, and (recalled) everything before it recalled.
    """
    kind = changes.get("kind", "content")
    version = changes.get("version", NOW_MS)
    content = changes.get("content", a_content() if kind == "content" else None)
    released = ReleasedIndicator(
        id=an_id(),
        kind=kind,
        version=version,
        recalled_through=version - 1 if kind == "recalled" else 0,
        origin=HOME,
        hops=[HOME],
        reason=REASON_OF_KIND[kind],
        content=content,
    )
    if content is not None and content["type"] in TYPE_BY_LABEL:
        released["id"] = an_id(TYPE_BY_LABEL[content["type"]], content["value"])
    return changed(released, changes)


REASON_OF_KIND: Final = {
    "content": "",
    "expired": "aged-out",
    "revoked": "false-positive",
    "recalled": "marking-tightened",
}


def a_receipt(**changes: Any) -> Receipt:
    """JPN has accepted the domain."""
    receipt = Receipt(indicator_id=an_id(), version=NOW_MS, code="received", reason="", nation=PARTNER, at_ms=NOW_MS)
    return changed(receipt, changes)
