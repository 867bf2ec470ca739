"""How a sensor signs its reports: with its own key, when they are published (docs/adr/0043).

So nothing in the spool is signed, and reports that wait there through a rotation of the key are signed with the new.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from exchange.authority.private_key import read_key
from exchange.authority.token_key import TokenKey, TokenUri, is_token
from exchange.errors import ConfigurationError
from exchange.file_identity import identity
from schemas.codec import Codec
from schemas.report_signature import signature_header

Sign = Callable[[bytes], tuple[str, bytes]]
"""From a report's bytes to the header with its signature."""

_MADE_BY: Final = "kakehashi sensor keygen"
_log = logging.getLogger(__name__)


def signing(codec: Codec, key: Path | None) -> Sign | None:
    """How to sign with the key that this file has at the time, or with a token's (``exchange.authority.token_key``);
    None without one. Raises ConfigurationError if the file is no key, if others than its owner and group can read it,
    or if the token does not have the key."""
    if key is None:
        return None
    if is_token(key):
        return partial(signature_header, codec, private=TokenKey(TokenUri.of(str(key))))
    return _KeyFile(codec, key)


class _KeyFile:
    """Signs with the key in a file. If the file changes to something else than a key, the key before signs on."""

    def __init__(self, codec: Codec, path: Path) -> None:
        self._codec, self._path = codec, path
        self._seen = identity(path)
        self._private = read_key(path, _MADE_BY, group_reads=True)

    def __call__(self, report: bytes) -> tuple[str, bytes]:
        found = identity(self._path)
        if found != self._seen:
            self._seen = found
            self._read()
        return signature_header(self._codec, report, self._private)

    def _read(self) -> None:
        try:
            self._private = read_key(self._path, _MADE_BY, group_reads=True)
        except ConfigurationError as error:
            _log.error("sensor_key.invalid: the key before signs on: %s", error)
        else:
            _log.warning("sensor_key.changed file=%s", self._path)
