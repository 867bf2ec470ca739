"""What a hostile partner can write into our inbox: here its victim is JPN, and the attacker holds GBR's bridge."""

from typing import Any, Final

from exchange.clock import now_ms
from schemas import topics
from schemas.codec import RELEASED_INDICATOR
from schemas.records import ReleasedIndicator
from tests.attack.attack import Attack
from tests.attack.field import HOME, PARTNER, Field
from tests.attack.insiders import FAR, by_hand
from tests.builders import a_released

WHO: Final = "hostile partner"


def _held(field: Field, record: ReleasedIndicator) -> list[dict[str, Any]]:
    return field.decoded(PARTNER, topics.accepted(HOME), RELEASED_INDICATOR, record["id"])


def forbidden(field: Field) -> str:
    """What must never arrive: RED, prohibitions, a foreign origin, a loop, local values."""
    bad = (
        by_hand(tlp="TLP:RED"),
        by_hand(caveats=["転送禁止"]),
        by_hand(caveats=["配付禁止"]),
        by_hand(type="ipv4-addr", value="10.1.2.3", registered_domain=""),
        by_hand(value="intranet.internal", registered_domain=""),
        {**by_hand(), "origin": "FRA"},
        {**by_hand(), "hops": [HOME, PARTNER]},
    )
    found = []
    for record in bad:
        key = field.sends_as_partner(record)  # type: ignore[arg-type]  # a copy of a record is one
        field.until(lambda key=key: str(field.refused(key, PARTNER) != "accepted"), "True")  # type: ignore[misc]
        passed = _held(field, record)  # type: ignore[arg-type]  # as above
        found.append("passed" if passed else field.refused(key, PARTNER).removeprefix("refused: "))
    return ", ".join(found)


def the_far_future(field: Field) -> str:
    """An end of version 2^62, so that no later record replaces it; then a record of now."""
    record = by_hand()
    key = field.sends_as_partner(a_released(id=record["id"], kind="expired", version=FAR))
    field.until(lambda: str(field.refused(key, PARTNER) != "accepted"), "True")
    field.sends_as_partner(record)
    kinds = field.until(lambda: ", ".join(each["kind"] for each in _held(field, record)), "content")
    return f"{field.refused(key, PARTNER)}; {kinds}"


def words_in_a_recall(field: Field) -> str:
    """A recall whose reason is free text: it must recall, and the text must not stay."""
    record = by_hand()
    field.sends_as_partner(record)
    field.until(lambda: ", ".join(each["kind"] for each in _held(field, record)), "content")
    recall = a_released(id=record["id"], kind="recalled", version=now_ms(), reason="x" * 64)
    field.sends_as_partner(recall)
    return field.until(
        lambda: ", ".join(f"{each['kind']} {each['reason']}".strip() for each in _held(field, record)),
        "content, recalled",
    )


ATTACKS: Final = (
    Attack(WHO, "what must never arrive",
           "forbidden-marking, forbidden-caveat, forbidden-caveat, invalid-value, invalid-value, "
           "foreign-origin, looped", forbidden),
    Attack(WHO, "an end of version 2^62", "refused: time-out-of-range; content", the_far_future),
    Attack(WHO, "free text in a recall", "content, recalled", words_in_a_recall),
)  # fmt: skip
