r"""Names of mutexes, as Windows compares them: case counts, and the namespace is part of the name.

Source: Microsoft, "CreateMutexW" (at most MAX_PATH characters, none of them a backslash behind the namespace) and
"Kernel object namespaces" (``Global\`` is seen by all sessions; without it, or with ``Local\``, a name is of its
session; both words are case-sensitive). The paths of the object manager are the same names:
``\BaseNamedObjects\x`` is ``Global\x``, ``\Sessions\1\BaseNamedObjects\x`` is ``x`` of session 1.
"""

import re
from typing import Final

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.layers import innermost, unquoted
from schemas.normalise.tidy import tidied_name
from schemas.vocabulary import IndicatorType

MAX_NAME: Final = 260
_GLOBAL: Final = "Global\\"
_OF_SESSION: Final = re.compile(r"\\Sessions\\\d{1,10}\\BaseNamedObjects\\")
_OF_ALL: Final = "\\BaseNamedObjects\\"
_NO_NAME: Final = refused("no name of a mutex: nothing but its namespace or quotes")
_PATH: Final = refused("a mutex has no backslash in its name but behind Global or Local")
_TOO_LONG: Final = refused(f"the name of a mutex has at most {MAX_NAME} characters")
_NESTED: Final = refused("the name is quoted many times over: send it plain")


def canonical_mutex(value: str) -> Canonical | Invalid:
    r"""The name, with ``Global\`` if it is of all sessions."""
    tidy = tidied_name(value)
    if isinstance(tidy, Invalid):
        return tidy
    text = innermost(tidy, _plainer)
    if text is None:
        return _NESTED
    name = text.removeprefix(_GLOBAL)
    if not name or name.isspace() or name in ("Global", "Local"):
        return _NO_NAME
    if "\\" in name:
        return _PATH
    return (IndicatorType.MUTEX, text) if len(name) <= MAX_NAME else _TOO_LONG


def _plainer(text: str) -> str:
    """One layer of quotes less, and the namespace in its one spelling."""
    text = unquoted(text)
    text = text.replace("\\\\", "\\")  # as JSON and patterns write it
    if text.startswith(_OF_ALL):
        return _GLOBAL + text.removeprefix(_OF_ALL)
    of_session = _OF_SESSION.match(text)
    return text[of_session.end() :] if of_session else text.removeprefix("Local\\")
