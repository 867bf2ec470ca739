"""Which values can be written as a domain name."""

import re
from typing import Final

_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)


def is_name(value: str) -> bool:
    """Whether it is a name in ASCII and lower case, without a dot at its end, within the lengths of RFC 1035, 2.3.4."""
    return _NAME.fullmatch(value) is not None
