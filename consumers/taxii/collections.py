"""The collections of a server: one for each origin and marking ceiling, each with an id that never changes."""

import uuid
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from consumers.taxii.media import STIX
from schemas.markings import Tlp

CEILINGS: Final = (Tlp.CLEAR, Tlp.GREEN, Tlp.AMBER, Tlp.AMBER_STRICT, Tlp.RED)
_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://kakehashi.invalid/taxii/collection")


class Collection(msgspec.Struct, frozen=True):
    """What one nation sees from one origin, up to a ceiling."""

    id: str
    alias: str
    origin: str
    ceiling: Tlp

    def resource(self, nation: str) -> dict[str, Any]:
        """As TAXII shows it (TAXII 2.1, 5.2.1)."""
        unmarked = "; unmarked ones too" if self.ceiling is Tlp.RED else ""
        whose = "its own indicators" if self.origin == nation else f"the indicators that it accepted from {self.origin}"
        return {
            "id": self.id,
            "title": f"{self.origin} up to {self.ceiling.label}",
            "description": f"What {nation} sees: {whose}, up to {self.ceiling.label}{unmarked}.",
            "alias": self.alias,
            "can_read": True,
            "can_write": False,
            "media_types": [STIX],
        }


def collections_of(nation: str, origins: Iterable[str]) -> dict[str, Collection]:
    """All collections of a nation's picture with these origins, by alias: ``gbr-amber``, ``jpn-amber-strict``."""
    found = (_collection(nation, origin, ceiling) for origin in origins for ceiling in CEILINGS)
    return {each.alias: each for each in found}


def _collection(nation: str, origin: str, ceiling: Tlp) -> Collection:
    alias = alias_of(origin, ceiling)
    return Collection(str(uuid.uuid5(_NAMESPACE, f"{nation}/{alias}")), alias, origin, ceiling)


def alias_of(origin: str, ceiling: Tlp) -> str:
    """``gbr-amber-strict``."""
    return f"{origin}-{ceiling.name}".lower().replace("_", "-")
