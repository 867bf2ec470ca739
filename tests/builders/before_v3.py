"""What the version before ``released_indicator.v3`` knows: its schema ids, its types, and the link that it agreed."""

from typing import Final

import msgspec
import pytest

from consumers.picture import arrival
from schemas.agreement import Agreement
from schemas.codec import RELEASED_INDICATOR_V3, Codec, bundled_ids
from schemas.links import all_agreed
from schemas.vocabulary import TYPE_BY_LABEL, TYPES_OF_V3, IndicatorType
from streams import blocks
from streams.intake import refused_observation, validate
from streams.receive import inbound_content

OLD_CODEC: Final = Codec({number: name for number, name in bundled_ids().items() if name != RELEASED_INDICATOR_V3})
OLD_TYPES: Final = {label: kind for label, kind in TYPE_BY_LABEL.items() if kind not in TYPES_OF_V3}
OLD_CODES: Final = frozenset(map(int, OLD_TYPES.values()))


def old_link(nation: str, partner: str) -> Agreement:
    """The widest agreement of before."""
    wide = all_agreed(nation, partner)
    return msgspec.structs.replace(wide, schemas=wide.schemas - {RELEASED_INDICATOR_V3})


def with_old_types(patched: pytest.MonkeyPatch) -> None:
    """Every reader of types forgets the later ones."""
    patched.setattr(arrival, "TYPE_BY_LABEL", OLD_TYPES)
    patched.setattr(inbound_content, "TYPE_BY_LABEL", OLD_TYPES)
    patched.setattr(validate, "_KINDS", OLD_CODES)
    patched.setattr(blocks, "_KINDS", {code: IndicatorType(code) for code in OLD_CODES})
    patched.setattr(refused_observation, "KNOWN", OLD_CODES)
