"""Email addresses (RFC 5321, section 4.1.2; RFC 6531 for letters beyond ASCII).

- The domain is spelt as domain names are.
- The local part is in lower case. By the standard only its own host may say whether case matters; in practice
  no provider distinguishes two people by it, and an actor's address in two spellings would be two indicators.
- Dots may be anywhere in the local part: Japanese mobile carriers have assigned ``a..b.@`` addresses.
- Quoted local parts and address literals are refused: no provider gives them out.

The rules are few, and ``email-validator``, the library of the field, refuses the Japanese addresses above.
"""

import string
import unicodedata
from typing import Final

from schemas.normalise.domain import name_in_ascii
from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.refang import refanged
from schemas.normalise.tidy import EDGES, tidied_ascii
from schemas.vocabulary import IndicatorType

MAX_LOCAL_OCTETS: Final = 64
_ATEXT: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~.")
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_ONE_AT: Final = refused("an email address has one @, with a name before it and a domain after it")
_LOCAL: Final = refused(
    "the part before the @ has a character that mail addresses do not have, such as a space or a quote"
)
_LOCAL_TOO_LONG: Final = refused(f"the part before the @ is longer than {MAX_LOCAL_OCTETS} octets")
_STILL_DEFANGED: Final = refused("the address is defanged more than once: send it plain")


def canonical_email(value: str) -> Canonical | Invalid:
    """The address with its local part in lower case and its domain in ASCII."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() == "mailto":
        text = rest
    local, at, name = text.partition("@")
    local = _lower(local).lstrip(EDGES)
    if not (local and at and name) or "@" in name:
        return _ONE_AT
    if not all(
        character in _ATEXT if character.isascii() else character.isprintable() and not character.isspace()
        for character in local
    ):
        return _LOCAL
    if len(local.encode()) > MAX_LOCAL_OCTETS:
        return _LOCAL_TOO_LONG
    if refanged(local) != local:
        return _STILL_DEFANGED
    domain = name_in_ascii(name)
    return domain if isinstance(domain, Invalid) else (IndicatorType.EMAIL_ADDR, f"{local}@{domain}")


def _lower(text: str) -> str:
    """ASCII in lower case, in NFC. A lower-case letter can compose where its capital could not, hence twice."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).translate(_LOWER))
