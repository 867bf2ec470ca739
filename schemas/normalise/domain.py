"""Domain names, in the spelling that goes over the wire: lower-case ASCII, A-labels, no trailing dot.

- Mapping and validity are UTS #46 (non-transitional) as the URL Standard uses it, that is, as browsers do.
  IDNA2008 alone would refuse names that are registered and used in attacks, such as those with emoji or with
  look-alike letters outside its table.
- Lengths are RFC 1035's (section 2.3.4). Letters, digits, hyphens in any place, and underscores: resolvers
  take more than host names (RFC 2181, section 11), and sensors see them.
- At least two labels. The last begins with a letter (RFC 1123, section 2.1): ``192.0.2.1`` is no domain.
- A public suffix such as ``duckdns.org`` or ``co.jp`` is a valid name. Whether it may be released is a
  question of policy, answered where the public suffix list is known.
- A wildcard is refused: ``*.example.com`` is not one name. A port is dropped, as it is from an address.

The tables come with the ``idna`` package and with Python's ``unicodedata``; a newer one can change what is
valid, and with it an identity.
"""

import unicodedata
from typing import Final

import idna

from schemas.normalise.invalid import Canonical, Invalid, refused
from schemas.normalise.tidy import tidied_ascii
from schemas.vocabulary import IndicatorType

MAX_NAME_LENGTH: Final = 253
MAX_LABEL_LENGTH: Final = 63
_MAX_UNMAPPED_LENGTH: Final = 1024
_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_A_LABEL: Final = "xn--"
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})

_URL: Final = refused("this is a URL or has a path, it is not a domain name: send it as type url")
_EMAIL: Final = refused("this is an email address, not a domain name: send it as type email-addr")
_WILDCARD: Final = refused("a wildcard is not one name: send the domain itself")
_ONE_LABEL: Final = refused("a domain name needs at least two labels, such as example.com")
_NOT_A_NAME: Final = refused(
    "this is an address, a number or text, not a domain name: its last label must begin with a letter"
)
_EMPTY_LABEL: Final = refused("a domain name cannot have an empty label (two dots together, or a dot in front)")
_LABEL_TOO_LONG: Final = refused(f"a label of the domain name is longer than {MAX_LABEL_LENGTH} octets")
_NAME_TOO_LONG: Final = refused(f"the domain name is longer than {MAX_NAME_LENGTH} octets")
_CHARACTER: Final = refused("a domain name has only letters, digits, hyphens, underscores and dots")
_PUNYCODE: Final = refused("a label that begins with xn-- is not valid Punycode of an international name")


def canonical_domain(value: str) -> Canonical | Invalid:
    """The name in lower-case ASCII."""
    if is_canonical_domain(value):
        return IndicatorType.DOMAIN_NAME, value
    return spelled_domain(value)


def is_canonical_domain(value: str) -> bool:
    """Whether a name is certainly canonical. Cheap, and false for some canonical names, such as those with ``xn--``."""
    if not (4 <= len(value) <= MAX_NAME_LENGTH and value.isascii()):
        return False
    if ".." in value or _A_LABEL in value or value[0] == ".":
        return False
    top = value[value.rfind(".") + 1 :]
    if len(top) < 2 or len(top) == len(value) or not top.isalpha() or value != value.lower():
        return False
    if not value.replace(".", "a").replace("-", "a").replace("_", "a").isalnum():
        return False
    return len(value) <= MAX_LABEL_LENGTH or max(map(len, value.split("."))) <= MAX_LABEL_LENGTH


def spelled_domain(value: str) -> Canonical | Invalid:
    """``canonical_domain`` without its fast path for canonical names."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return text
    name, colon, port = text.partition(":")
    if "/" in text:
        return _URL
    if "@" in text:
        return _EMAIL
    if "*" in text:
        return _WILDCARD
    if colon and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return _CHARACTER
    ascii_name = name_in_ascii(name)
    return ascii_name if isinstance(ascii_name, Invalid) else (IndicatorType.DOMAIN_NAME, ascii_name)


def name_in_ascii(name: str) -> str | Invalid:
    """A refanged name in ASCII, with all of this page's rules applied."""
    if len(name) > _MAX_UNMAPPED_LENGTH:
        return _NAME_TOO_LONG
    try:
        labels = idna.uts46_remap(name, std3_rules=False).split(".")
    except idna.IDNAError as error:
        return _refused_by_idna(error)
    if len(labels) > 1 and not labels[-1]:
        del labels[-1]
    if len(labels) < 2:
        return _ONE_LABEL
    if not ("a" <= labels[-1][:1] <= "z" or not labels[-1].isascii()):
        return _NOT_A_NAME if labels[-1] else _EMPTY_LABEL
    if len(labels[-1]) < 2 and labels[-1].isascii():
        return refused("the last label of a domain name has at least two letters")
    return _joined(labels)


def _joined(labels: list[str]) -> str | Invalid:
    if not all(labels):
        return _EMPTY_LABEL
    if not all(label.isascii() and not label.startswith(_A_LABEL) for label in labels):
        international = _a_labels(labels)
        if isinstance(international, Invalid):
            return international
        labels = international
    return dns_name(labels)


def dns_name(labels: list[str]) -> str | Invalid:
    """Lower-case ASCII labels joined, if DNS can carry them (RFC 1035, section 2.3.4)."""
    for label in labels:
        if not label:
            return _EMPTY_LABEL
        if len(label) > MAX_LABEL_LENGTH:
            return _LABEL_TOO_LONG
        if not _NAME_CHARACTERS.issuperset(label):
            return _CHARACTER
    joined = ".".join(labels)
    return joined if len(joined) <= MAX_NAME_LENGTH else _NAME_TOO_LONG


def _a_labels(labels: list[str]) -> list[str] | Invalid:
    """Labels mapped by UTS #46, in ASCII, if they meet its validity criteria (section 4.1)."""
    if any(len(label) > MAX_LABEL_LENGTH for label in labels):
        return _LABEL_TOO_LONG
    unicode_labels: list[str] = []
    for label in labels:
        decoded = _decoded(label) if label.startswith(_A_LABEL) else label
        if decoded is None or decoded.startswith(_A_LABEL):
            return _PUNYCODE
        unicode_labels.append(decoded)
    try:
        _check_validity(unicode_labels)
    except idna.IDNAError as error:
        return _refused_by_idna(error)
    except ValueError:
        return refused("the domain name has a joiner beside a character that is in no Unicode table here")
    return [
        label if label.isascii() else _A_LABEL + label.encode("punycode").decode("ascii") for label in unicode_labels
    ]


def _decoded(label: str) -> str | None:
    """The U-label of an A-label, or ``None`` if the A-label is not the only spelling of one."""
    if not label.isascii():
        return None
    encoded = label[len(_A_LABEL) :]
    try:
        decoded = encoded.encode("ascii").decode("punycode")
        is_mapped = idna.uts46_remap(decoded, std3_rules=False) == decoded
    except UnicodeError:
        return None
    if decoded.isascii() or "." in decoded or not is_mapped:
        return None
    return decoded if decoded.encode("punycode").decode("ascii") == encoded else None


def _check_validity(labels: list[str]) -> None:
    """Combining marks, joiners and directions. Raises ``idna.IDNAError``, or ``ValueError`` from its tables."""
    for label in labels:
        if label.isascii():
            continue
        idna.check_initial_combiner(label)
        for position, character in enumerate(label):
            if character in "\u200c\u200d" and not idna.valid_contextj(label, position):
                raise idna.InvalidCodepointContext("a joiner joins nothing", code="contextj")
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for label in labels for character in label):
        for label in labels:
            idna.check_bidi(label, check_ltr=True)


def _refused_by_idna(error: idna.IDNAError) -> Invalid:
    if error.code is not None and error.code.startswith("bidi"):
        return refused("the domain name mixes writing directions in a way that RFC 5893 does not allow")
    if error.code == "contextj":
        return refused("the domain name has a joiner (U+200C or U+200D) that joins nothing")
    if error.codepoint is not None:
        return refused(f"the character U+{error.codepoint:04X} is not allowed at this position of a domain name")
    return refused("the domain name is not valid by UTS #46")
