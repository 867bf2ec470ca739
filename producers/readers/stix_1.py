"""Recognises STIX 1.x, which is not read, so that its refusal states what to do: in XML, in JSON, and in TAXII 1.x."""

import re
from typing import Final

_NAMESPACES: Final = (b"stix.mitre.org", b"cybox.mitre.org", b"taxii.mitre.org", b"maec.mitre.org")
_OF_JSON: Final = re.compile(
    rb'"xsi:type"\s*:\s*"\w+ObjectType"|"stix_header"\s*:|"id"\s*:\s*"[\w.-]+:(?:STIX)?[Pp]ackage-'
)
_ADVICE: Final = (
    "it is STIX 1.x in {form}, which is not read: ask its source for STIX 2.1, or convert it with OASIS's "
    "stix2-elevator, and check the markings of the result with --dry-run"
)


def advice_on_stix_1(head: bytes) -> str:
    """What to do about an input that begins like this; empty if it is not STIX 1.x."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<") and any(namespace in head for namespace in _NAMESPACES):
        return _ADVICE.format(form="XML")
    is_json = start.startswith(b"{") and b'"spec_version"' not in head and _OF_JSON.search(head)
    return _ADVICE.format(form="JSON") if is_json else ""
