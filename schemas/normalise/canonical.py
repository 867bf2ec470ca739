"""One canonical value per input: the table from type to the rules of that type."""

from collections.abc import Callable
from typing import Final

from schemas.normalise.address import canonical_address
from schemas.normalise.autonomous_system import canonical_as_number
from schemas.normalise.domain import canonical_domain
from schemas.normalise.email_address import canonical_email
from schemas.normalise.file_name import canonical_file_name
from schemas.normalise.fingerprint import HEX_DIGITS, canonical_ja4, hash_speller
from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.mutex import canonical_mutex
from schemas.normalise.registry_key import canonical_registry_key
from schemas.normalise.url import canonical_url
from schemas.normalise.user_agent import canonical_user_agent
from schemas.vocabulary import IndicatorType

_SPELLERS: Final[dict[IndicatorType, Callable[[str], Canonical | Invalid]]] = {
    IndicatorType.IPV4_ADDR: canonical_address,
    IndicatorType.IPV6_ADDR: canonical_address,
    IndicatorType.IPV4_NET: canonical_address,
    IndicatorType.IPV6_NET: canonical_address,
    IndicatorType.DOMAIN_NAME: canonical_domain,
    IndicatorType.URL: canonical_url,
    **{kind: hash_speller(kind) for kind in HEX_DIGITS},
    IndicatorType.EMAIL_ADDR: canonical_email,
    IndicatorType.AUTONOMOUS_SYSTEM: canonical_as_number,
    IndicatorType.JA4: canonical_ja4,
    IndicatorType.FILE_NAME: canonical_file_name,
    IndicatorType.USER_AGENT: canonical_user_agent,
    IndicatorType.MUTEX: canonical_mutex,
    IndicatorType.REGISTRY_KEY: canonical_registry_key,
}


def canonical(kind: IndicatorType, value: str) -> Canonical | Invalid:
    """The type and canonical value of an input with the stated type ``kind``, defanged or not.

    The type can change among the four of addresses and networks, nowhere else. Never raises for any string.
    """
    return _SPELLERS[kind](value)


def normalise(kind: IndicatorType, value: str) -> str | Invalid:
    """The canonical value of an input whose type may not change; refused if it would."""
    spelled = canonical(kind, value)
    if isinstance(spelled, Invalid):
        return spelled
    if spelled[0] != kind:
        return refused(f"this is of type {spelled[0].label}, not {kind.label}")
    return spelled[1]
