"""How a sensor signs its reports: with its own key, when they are published (docs/adr/0043)."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from exchange.authority.private_key import read_key
from schemas.codec import Codec
from schemas.report_signature import signature_header

Sign = Callable[[bytes], tuple[str, bytes]]
"""From a report's bytes to the header with its signature."""


def signing(codec: Codec, key: Path | None) -> Sign | None:
    """How to sign with the key in this file; None without one. Raises ConfigurationError if the file is no key, or if
    others than its owner and group can read it."""
    if key is None:
        return None
    return partial(signature_header, codec, private=read_key(key, "kakehashi sensor keygen", group_reads=True))
