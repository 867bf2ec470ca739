"""URLs by the WHATWG URL Standard, as browsers read and write them.

Beyond the standard:

- **The fragment is dropped.** It never goes over the wire, so no sensor can match it, and phishing kits put
  their victim's mail address there.
- **Credentials are dropped.** They go over the wire apart from the URL, if at all; they are either decoration
  (``https://bank.example@evil.example/``) or someone's working password, perhaps a victim's.
- Path and query stay as the standard writes them. A query may hold personal data too: it is what the address
  is made of, and taking it out is redaction's decision, not spelling.
- Only schemes with a host, from a closed list. For those that the standard does not know well (``tcp``,
  ``ldap``) the host is spelt as in an ``http`` URL, for one host to have one spelling.
- Without a scheme it is ``http``, as in a browser's address bar, if a domain name or an address comes first.
- Without a scheme, ``bins.sh`` is more often a file than a host, and refused.
- A path without a host is refused. The standard skips further slashes: its host of ``/gate.php`` and of
  ``http:///gate.php`` would be ``gate.php``.
- The host is an address or a name that DNS can carry; a single label will do (``http://intranet/``).
- A URL that ends in an ellipsis was cut short for display. It is refused, as is one that runs on into the
  Japanese sentence around it. Other punctuation at its end is legal in a URL, and kept.
"""

import re
from typing import Final

from ada_url import URL, HostType

from schemas.normalise.address import is_canonical_ipv4
from schemas.normalise.domain import dns_name, is_canonical_domain, name_in_ascii
from schemas.normalise.invalid import EMPTY, MAX_VALUE_LENGTH, TOO_LONG, Canonical, Invalid, refused
from schemas.normalise.refang import refanged_url
from schemas.normalise.tidy import folded, tidied
from schemas.vocabulary import IndicatorType

_SPECIAL: Final = frozenset({"http", "https", "ftp", "ws", "wss"})
SCHEMES: Final = _SPECIAL | frozenset(
    {
        *("ftps", "sftp", "tftp", "ssh", "telnet", "smb", "ldap", "ldaps", "rmi", "irc", "ircs", "mqtt"),
        *("mqtts", "tcp", "udp", "stratum+tcp", "stratum+ssl", "stratum+tls"),
    }
)
# Not a letter that the standard would change anywhere in a path or a query, and no defanging mark.
_PLAIN: Final = b"abcdefghijklmnopqrstuvwxyz0123456789/-._=&?%+ABCDEFGHIJKLMNOPQRSTUVWXYZ~:;,!$*@"
_NEVER_FIRST: Final = " \"'`<“‘„«‹「『（【"
_NEVER_LAST: Final = ' "<>”’»›」』】。、，'
_ELLIPSES: Final = ("…", "‥", "[...]", "[…]", "(...)")
_ONE_HOST: Final = re.compile(r"(?:[/\\]{2})?[^/\\]")  # behind a scheme's colon
_FILE: Final = re.compile(r"[^./\\:?#]+\.(?:cab|mov|ps|py|sh|so|zip)", re.IGNORECASE)
_PATH_FIRST: Final = re.compile(r"[?#\\]|/(?!/[^/\\])")
_JAPANESE_BRACKETS: Final = (("「", "」"), ("『", "』"), ("【", "】"))

_CUT_SHORT: Final = refused("the URL is cut short with an ellipsis: send it whole")
_RUNS_ON: Final = refused("the sentence around the URL runs on into it: a closing bracket 」 has no opening one")
_NO_HOST: Final = refused("not a URL: no host, or one that is neither an address nor a name that DNS can carry")
_SCHEME: Final = refused("the scheme is not one of those exchanged (http, https, ftp, ws, ldap, tcp and the like)")
_NO_SCHEME: Final = refused(
    "not a URL: without a scheme it must begin with a domain name or an address, and have no user name"
)


_MAY_BE_FILE: Final = refused("a file has such a name, too: write http:// before it if it is a host")


def canonical_url(value: str) -> Canonical | Invalid:
    """The URL as the URL Standard serialises it, without fragment and credentials."""
    url = _surely_canonical(value)
    return spelled_url(value) if url is None else (IndicatorType.URL, url)


def _surely_canonical(value: str) -> str | None:
    """The URL, if it is obviously canonical, or would be with a slash behind its host.

    Cheap, and None for many canonical URLs.
    """
    if not (value.startswith(("http://", "https://")) and value.isascii() and len(value) < MAX_VALUE_LENGTH):
        return None
    start = 7 if value[4] == ":" else 8
    slash = value.find("/", start)
    host, colon, port = value[start : slash if slash > 0 else len(value)].partition(":")
    if not (is_canonical_domain(host) or is_canonical_ipv4(host)):
        return None
    if colon and not _is_plain_port(port):
        return None
    if slash < 0:
        return value + "/"
    # Dot segments, also those spelt %2e, are resolved by the standard.
    if value.encode().translate(None, _PLAIN) or "/." in value or "/%" in value:
        return None
    return value


def _is_plain_port(port: str) -> bool:
    """Whether ASCII text is a port that the standard would leave as it is."""
    return port.isdigit() and len(port) <= 5 and port[0] != "0" and int(port) <= 0xFFFF and port not in ("80", "443")


def spelled_url(value: str) -> Canonical | Invalid:
    """``canonical_url`` without its fast path for canonical URLs."""
    tidy = tidied(value)
    if isinstance(tidy, Invalid):
        return tidy
    text = tidy.lstrip(_NEVER_FIRST).rstrip(_NEVER_LAST)
    if not text:
        return EMPTY
    if text.endswith(_ELLIPSES):
        return _CUT_SHORT
    if not text.isascii():
        if any(opening not in text and closing in text for opening, closing in _JAPANESE_BRACKETS):
            return _RUNS_ON
        text = _folded_to_host(text)
    return _parsed(refanged_url(text))


def _parsed(text: str) -> Canonical | Invalid:
    scheme, colon, _ = text.partition(":")
    scheme = scheme.lower() if colon else ""
    has_scheme = scheme in SCHEMES
    if has_scheme and scheme in _SPECIAL and not _ONE_HOST.match(text, len(scheme) + 1):
        return _NO_HOST
    if not has_scheme:
        if _PATH_FIRST.match(text):
            return _NO_SCHEME
        authority = _authority(text)
        if "://" in text[: len(authority) + 3]:
            return _SCHEME
        if "@" in authority:
            return _NO_SCHEME
        if _FILE.fullmatch(text):
            return _MAY_BE_FILE
        text = "http://" + text
    try:
        url = URL(text)
        if has_scheme and scheme not in _SPECIAL:
            url.hostname = URL(f"http://{url.hostname}/").hostname
    except ValueError:
        return _NO_HOST if has_scheme else _NO_SCHEME
    if not has_scheme:
        return _stripped(url) if _begins_with_host(text, url) else _NO_SCHEME
    return _stripped(url) if _has_good_host(url) else _NO_HOST


def _stripped(url: URL) -> Canonical | Invalid:
    href = url.href
    if "@" in href or "#" in href:
        url.username = url.password = ""
        del url.hash
        href = url.href
        if href.endswith(_ELLIPSES):
            return _CUT_SHORT
    return (IndicatorType.URL, href) if len(href) <= MAX_VALUE_LENGTH else TOO_LONG


def _begins_with_host(text: str, url: URL) -> bool:
    """Whether a value without a scheme begins with an address or a name of two labels at least.

    The standard takes a mere number for an IPv4 address: a scheme must have stated that it is a URL at all.
    """
    host = url.hostname
    if url.host_type == HostType.IPV4:
        return _authority(text.removeprefix("http://")).partition(":")[0] == host
    return host.startswith("[") or not isinstance(name_in_ascii(host), Invalid)


def _has_good_host(url: URL) -> bool:
    host = url.hostname
    if not host:
        return False
    if host[0] == "[" or url.host_type != HostType.DEFAULT:
        return True
    labels = host.split(".")
    if len(labels) > 1 and not labels[-1]:
        del labels[-1]
    return not isinstance(dns_name(labels), Invalid)


def _authority(text: str) -> str:
    """The text up to its first slash, question mark or number sign."""
    ends = [position for end in "/?#\\" if (position := text.find(end)) >= 0]
    return text[: min(ends, default=len(text))]


def _folded_to_host(text: str) -> str:
    """Full-width forms folded in scheme and host; behind them they are the URL's own letters."""
    plain = folded(text)
    start = plain.find("://")
    authority = _authority(plain[start + 3 :] if start >= 0 else plain)
    end = (start + 3 if start >= 0 else 0) + len(authority) + 1
    return plain[:end] + text[end:]
