"""The canary: one reserved domain name that is reported as a test, and shows that the whole path works.

It is known by its value, which is the same in all nations: a name below ``.example`` (RFC 2606, section 2) is never
real, so no label can hide a real indicator as a test, and no one can lose the mark of one. Output for people and tools
leaves it out.
"""

from typing import Final

from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType

CANARY_VALUE: Final = "canary.kakehashi.example"
CANARY_ID: Final = indicator_id(indicator_key(IndicatorType.DOMAIN_NAME, CANARY_VALUE))
CANARY_KEY: Final = CANARY_ID.encode()
"""Its key on topics."""
