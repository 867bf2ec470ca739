"""Whether a value carries something local: what a victim's machine or a phishing kit wrote into it. Pure.

The check-in of a bot names the user, the password and the address of the machine that it runs on; a phishing link names
the address that it was sent to. Malware writes the same into its user agent, and names mutexes and registry keys after
the account or the machine. Such a value leaves only if an officer lets it (``policy/joint/v1/urls.cedar``).
"""

import hashlib
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from streams.enrichment.special_use import special_use_of_domain, special_use_of_ipv4, special_use_of_ipv6

# Names of parameters whose value is about a person, an account or a machine, without "-" and "_", in lower case.
_PRIVATE: Final = frozenset(
    {
        *("user", "users", "usr", "uname", "username", "userid", "login", "loginid", "account", "acct"),
        *("pw", "pwd", "pass", "passwd", "password", "passphrase", "pin", "otp", "secret", "credential", "credentials"),
        *(
            "token",
            "accesstoken",
            "refreshtoken",
            "idtoken",
            "jwt",
            "apikey",
            "auth",
            "authorization",
            "bearer",
            "cookie",
        ),
        *("session", "sessionid", "sessid", "phpsessid", "jsessionid", "sid"),
        *("email", "emailaddress", "mail", "mailto", "recipient", "rcpt", "victim"),
        *("ip", "ipaddr", "ipaddress", "lanip", "localip", "internalip", "mac", "macaddr", "hwid"),
        *(
            "host",
            "hostname",
            "computer",
            "computername",
            "compname",
            "machine",
            "machinename",
            "pc",
            "pcname",
            "workgroup",
        ),
        *("fullname", "firstname", "lastname", "phone", "tel", "mobile", "address"),
    }
)
# Each begins at one place of a run alone and gives nothing back, so the time is linear in the text.
_EMAIL: Final = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]@(?:[\w-]++\.)++[\w-]{2}")
_QUAD: Final = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
_SIX: Final = re.compile(r"(?<![0-9A-Fa-f:.])(?=[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f:.]{3,45}(?![0-9A-Fa-f:.])")
_MAC: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![0-9A-Fa-f])")
_NAME: Final = re.compile(r"(?<![A-Za-z0-9_.-])(?:[A-Za-z0-9_-]++\.)++[A-Za-z]{2,}+")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
# An account (MS-DTYP, section 2.4.2: of a domain or machine, or of Microsoft Entra), and the folder of one.
_SID: Final = re.compile(r"S-1-(?:5-21|12-1)-\d+-\d+-\d+-\d+", re.IGNORECASE)
_FOLDER: Final = re.compile(r"[\\/#](?:users|home|documents and settings)[\\/#][^\\/#\s]", re.IGNORECASE)
# Versions of browsers: `Chrome/127.0.0.0` is no address. Of any other product it may be one.
_EDITIONS: Final = re.compile(r"\b(?:Chrome|CriOS|Edge?|EdgA|EdgiOS|Firefox|FxiOS|OPR|Safari|Version)/[\d.]+")
_SEPARATORS: Final = re.compile("[&;]")
_ENCODED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_WITHOUT_MARKS: Final = str.maketrans("", "", "-_.")
_DEPTH: Final = 2  # times that a text is decoded: a parameter is often encoded once more
_EDITION: Final = 2  # of the code below: count it up if it decides differently
VERSION: Final = hashlib.sha256(repr((_EDITION, sorted(_PRIVATE))).encode()).hexdigest()[:16]


def has_local_query(url: str) -> bool:
    """Whether a canonical URL carries something local in its path or query."""
    behind = url.partition("://")[2].partition("/")[2]
    path, _, query = behind.partition("?")
    return _is_local(path, named=False) or (bool(query) and (_has_private(query) or _is_local(query, named=True)))


def is_of_a_person(text: str) -> bool:
    """Whether a user agent, mutex or registry key names a person, an account, a host inside a network or an address."""
    return (
        _SID.search(text) is not None
        or _FOLDER.search(text) is not None
        or _is_local(_EDITIONS.sub("", text), named=False)
    )


def _has_private(query: str) -> bool:
    for pair in _SEPARATORS.split(query):
        name, equals, value = pair.partition("=")
        if equals and value and _unquoted(name).lower().translate(_WITHOUT_MARKS) in _PRIVATE:
            return True
    return False


def _is_local(text: str, *, named: bool) -> bool:
    """Whether there is an e-mail address or a local host in it, however encoded; with ``named``, any address at all."""
    for each in _readings(text):
        dotted, with_colon = "." in each, ":" in each  # a pattern is not looked for without the character that it needs
        if (
            ("@" in each and _EMAIL.search(each) is not None)
            or ((with_colon or "-" in each) and _MAC.search(each) is not None)
            or (dotted and any(_is_of_host(found, named=named) for found in _QUAD.findall(each)))
            or (with_colon and any(_is_of_host(found, named=named) for found in _SIX.findall(each)))
            or (dotted and any(special_use_of_domain(name.lower()) for name in _NAME.findall(each)))
            or (each is not text and _has_private(each))
        ):
            return True
    return False


def _is_of_host(text: str, *, named: bool) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return named or bool(_use(address))


def _use(address: IPv4Address | IPv6Address) -> str:
    number = int(address)
    if isinstance(address, IPv4Address):
        return special_use_of_ipv4(number, number)
    return special_use_of_ipv6(number, number)


def _unquoted(text: str) -> str:
    """The text with its percent-encoded bytes and its blanks read."""
    if "%" not in text and "+" not in text:
        return text
    plain = text.replace("+", " ").encode()
    return _ENCODED.sub(lambda found: bytes([int(found[1], 16)]), plain).decode("utf-8", "replace")


def _readings(text: str) -> Iterator[str]:
    """The text, and its decoded forms."""
    yield text
    for _ in range(_DEPTH):
        decoded = _unquoted(text)
        if decoded == text:
            break
        yield decoded
        text = decoded
    encoded = set(_BASE64.findall(text))
    if "/" in text:  # it is a digit, or divides a path
        encoded.update(_BASE64.findall(text.replace("/", " ")))
    for found in encoded:
        try:
            read = b64decode(found.rstrip("=") + "=" * (-len(found.rstrip("=")) % 4), altchars=b"-_").decode("ascii")
        except (Error, ValueError):
            continue
        if read.isprintable():
            yield read
