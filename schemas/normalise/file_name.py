"""File names: the last part of a path, in NFC.

Directories go, with slashes of both kinds: they hold user names, and differ from machine to machine. Case
stays, since most servers tell names apart by it. Control characters are refused; a right-to-left override is
part of the name, being a trick that analysts look for.
"""

import unicodedata
from typing import Final

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.layers import innermost, unquoted
from schemas.normalise.refang import refanged_name
from schemas.normalise.tidy import tidied_name
from schemas.vocabulary import IndicatorType

MAX_NAME_OCTETS: Final = 255
_NO_NAME: Final = refused("no file name: the path ends in a slash, or in a dot that means a directory")
_TOO_LONG: Final = refused(f"the file name is longer than {MAX_NAME_OCTETS} octets in UTF-8")
_NESTED: Final = refused("the file name is quoted or defanged many times over: send it plain")


def canonical_file_name(value: str) -> Canonical | Invalid:
    """The name without its directories."""
    tidy = tidied_name(value)
    if isinstance(tidy, Invalid):
        return tidy
    name = innermost(unicodedata.normalize("NFC", tidy), _plainer)
    if name is None:
        return _NESTED
    if name in ("", ".", ".."):
        return _NO_NAME
    if len(name.encode()) > MAX_NAME_OCTETS:
        return _TOO_LONG
    return IndicatorType.FILE_NAME, name


def _plainer(name: str) -> str:
    """One layer of blanks, quotes, directories and defanging less."""
    name = unquoted(name).replace("\\", "/")
    return refanged_name(name[name.rfind("/") + 1 :])
