"""User agents of HTTP: the whole value of the header field, as it was sent (RFC 9110, sections 5.5 and 10.1.5).

Tools compare all of it, so case, blanks and order inside stay. Blanks around it are not part of a field's value; the
field's name, quotes around the whole, and defanged dots and schemes are other people's marks.
"""

import re
from typing import Final

from schemas.normalise.invalid import MAX_VALUE_LENGTH, TOO_LONG, Canonical, Invalid, refused
from schemas.normalise.layers import innermost, unquoted
from schemas.normalise.refang import refanged_name
from schemas.normalise.tidy import tidied_name
from schemas.vocabulary import IndicatorType

_FIELD: Final = re.compile(r"user-agent\s*:\s*", re.IGNORECASE)
_DEFANGED: Final = re.compile(r"\bhxxp(?=s?://)", re.IGNORECASE)
_NONE: Final = refused("no user agent: nothing but the field's name, quotes, or a mark for no value")
_NESTED: Final = refused("the user agent is quoted or defanged many times over: send it plain")


def canonical_user_agent(value: str) -> Canonical | Invalid:
    """The field's value."""
    tidy = tidied_name(value)
    if isinstance(tidy, Invalid):
        return tidy
    text = innermost(tidy, _plainer)
    if text is None:
        return _NESTED
    if text in ("", "-", "(empty)"):
        return _NONE
    return (IndicatorType.USER_AGENT, text) if len(text) <= MAX_VALUE_LENGTH else TOO_LONG


def _plainer(text: str) -> str:
    """One layer of marks less."""
    text = unquoted(text)
    text = text[field.end() :] if (field := _FIELD.match(text)) else text
    return _DEFANGED.sub("http", refanged_name(text))
