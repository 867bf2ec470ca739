"""An indicator's key in Suricata: the same in its files and on its socket (user guide, "Datasets")."""

import base64
import re
from collections.abc import Mapping
from typing import Final

from consumers.outputs.edit import Named
from consumers.outputs.names import is_name
from consumers.outputs.networks import network_of
from consumers.outputs.protocol import LeftOut
from schemas.normalise.fingerprint import canonical_ja4
from schemas.vocabulary import IndicatorType

_HEX: Final[Mapping[IndicatorType, re.Pattern[str]]] = {
    IndicatorType.FILE_MD5: re.compile(r"[0-9a-f]{32}"),
    IndicatorType.FILE_SHA1: re.compile(r"[0-9a-f]{40}"),
    IndicatorType.FILE_SHA256: re.compile(r"[0-9a-f]{64}"),
    IndicatorType.JA3: re.compile(r"[0-9a-f]{32}"),
    IndicatorType.X509_SHA1: re.compile(r"[0-9a-f]{40}"),
}
_LONGEST_STRING: Final = 720  # bytes: Suricata reads lines of a dataset of 1,024 characters


def key_of(about: Named, kind: IndicatorType) -> str | LeftOut:
    """The beginning of an indicator's line in the file of its type, or why it has none. Strings are in base64."""
    value = about.value
    if kind in _HEX:
        if _HEX[kind].fullmatch(value) is None:
            return LeftOut.VALUE
        if kind is IndicatorType.X509_SHA1:
            return _base64(bytes.fromhex(value).hex(":"))
        return _base64(value) if kind is IndicatorType.JA3 else value
    if kind is IndicatorType.JA4:
        return _base64(value) if canonical_ja4(value) == (kind, value) else LeftOut.VALUE
    if kind is IndicatorType.USER_AGENT:
        return _base64(value) if len(value.encode()) <= _LONGEST_STRING else LeftOut.LIMIT
    if kind is IndicatorType.DOMAIN_NAME:
        return _base64(value) if is_name(value) else LeftOut.VALUE
    network = network_of(value)
    is_address = kind in {IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR}
    if network is None or (is_address and network.prefixlen != network.max_prefixlen):
        return LeftOut.VALUE
    return f"{network.network_address}" if is_address else f"{network}"


def _base64(value: str) -> str:
    return base64.b64encode(value.encode()).decode("ascii")
