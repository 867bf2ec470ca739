"""Entries of the picture."""

from typing import Any

import msgspec

from consumers.picture.entry import Entry, of_partner
from schemas.vocabulary import TYPE_BY_LABEL
from tests.builders.changed import DOMAIN, HOME, NOW_MS, an_id
from tests.builders.released import a_content


def an_entry(value: str = DOMAIN, type: str = "domain-name", **changes: Any) -> Entry:
    """What JPN holds from GBR: live, TLP:GREEN, with the id of its type and value."""
    entry = of_partner(
        a_content(type=type, value=value),
        id=an_id(TYPE_BY_LABEL[type], value),
        origin=HOME,
        version=NOW_MS,
        received_ms=NOW_MS,
        now_ms=NOW_MS,
    )
    return msgspec.structs.replace(entry, **changes)
