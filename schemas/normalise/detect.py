"""Detects the type of a value, for lists that do not state it. No answer is better than a wrong one.

In order: URL with a scheme, email address, address or network, hash of a file by its length (JA3, imphash and the
fingerprint of a certificate look alike, and are never guessed), JA4, ``AS64500`` with its letters, URL without a
scheme, domain name, file name. User agents, mutexes and registry keys are never guessed either.

A domain name must end in a suffix of the ICANN section of the Public Suffix List, and have a label before it.
Some of those suffixes are also extensions of files. ``invoice.zip`` is more often a file than a name, so
``.zip`` is never guessed; of ``install.sh`` and its kin a name of two labels is not guessed, one of three is a
domain. Others (``.com``, ``.pl``, ``.md``) are domains, but for the likes of ``README.md``.
"""

import re
from functools import cache
from typing import Final

from publicsuffixlist import PublicSuffixList

from schemas.normalise.address import canonical_address
from schemas.normalise.autonomous_system import canonical_as_number
from schemas.normalise.domain import canonical_domain
from schemas.normalise.email_address import canonical_email
from schemas.normalise.file_name import canonical_file_name
from schemas.normalise.fingerprint import FILE_HASHES, HEX_DIGITS, canonical_ja4, spelled_hash
from schemas.normalise.invalid import Canonical, Invalid
from schemas.normalise.refang import refanged_url
from schemas.normalise.tidy import tidied_ascii
from schemas.normalise.url import SCHEMES, canonical_url
from schemas.vocabulary import IndicatorType

_BY_DIGITS: Final = {HEX_DIGITS[kind]: kind for kind in FILE_HASHES}
_NEVER_GUESSED: Final = frozenset({"zip"})
_SCRIPTS_AND_ARCHIVES: Final = frozenset({"cab", "mov", "ps", "py", "sh", "so"})
_REPOSITORY_FILES: Final = frozenset({"changelog.md", "contributing.md", "license.md", "readme.md", "security.md"})
# Alternative roots that attackers use and the list does not have.
_OTHER_ROOTS: Final = frozenset({"bit", "i2p"})
_EXTENSIONS: Final = frozenset(
    {
        *("7z", "ace", "apk", "arj", "asp", "aspx", "avi", "bat", "bin", "bmp", "bz2", "chm", "class", "cmd"),
        *("cpl", "csv", "dat", "deb", "dex", "dll", "dmg", "doc", "docm", "docx", "dotm", "drv", "dylib"),
        *("elf", "eml", "exe", "gif", "gz", "hlp", "hta", "htm", "html", "hwp", "ico", "img", "inf", "ini"),
        *("ipa", "iso", "jar", "jpeg", "jpg", "js", "jse", "json", "jsp", "ko", "lnk", "log", "lzh", "mp3"),
        *("mp4", "msg", "msi", "msp", "ocx", "odp", "ods", "odt", "pdf", "php", "pif", "pkg", "png", "ppt"),
        *("pptm", "pptx", "ps1", "psd1", "psm1", "pyc", "pyd", "rar", "rb", "reg", "rpm", "rtf", "scr", "sct"),
        *("svg", "swf", "sys", "tar", "tgz", "tmp", "txt", "vba", "vbe", "vbs", "vhd", "vhdx", "wll", "wsf"),
        *("wsh", "xll", "xls", "xlsb", "xlsm", "xlsx", "xml", "xpi", "xz"),
    }
)


# Texts that follow an address by mistake: a prefix length, a mask, a second address, a port or a protocol.
_NO_PATH: Final = re.compile(r"[\d./-]+|tcp|udp|icmp|sctp", re.IGNORECASE)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True, accept_unknown=False)


def detect(value: str) -> IndicatorType | None:
    """The type that a value's canonical form has, or ``None`` if that is ambiguous."""
    text = tidied_ascii(value)
    if isinstance(text, Invalid):
        return None
    scheme, colon, _ = refanged_url(text).partition(":")
    if colon and scheme.lower() in SCHEMES:
        return _kind(canonical_url(value))
    if "@" in text and "/" not in text:
        return _kind(canonical_email(value))
    return (
        _kind(canonical_address(value))
        or _fingerprint(text)
        or _as_number(text)
        or (_schemeless_url(text, value) if "/" in text else _domain(value) or _file_name(value))
    )


def _kind(spelled: Canonical | Invalid) -> IndicatorType | None:
    return None if isinstance(spelled, Invalid) else spelled[0]


def _fingerprint(text: str) -> IndicatorType | None:
    kind = _BY_DIGITS.get(len(text))
    if kind is not None:
        return _kind(spelled_hash(kind, text))
    return _kind(canonical_ja4(text))


def _as_number(text: str) -> IndicatorType | None:
    return _kind(canonical_as_number(text)) if text[:2].upper() == "AS" else None


def _schemeless_url(text: str, value: str) -> IndicatorType | None:
    host, _, path = text.partition("/")
    if " " in text:
        return None  # a sentence
    if _kind(canonical_address(host)) is not None:
        return None if _NO_PATH.fullmatch(path) else _kind(canonical_url(value))
    return _kind(canonical_url(value)) if _domain(host) is not None else None


def _domain(value: str) -> IndicatorType | None:
    spelled = canonical_domain(value)
    if isinstance(spelled, Invalid):
        return None
    labels = spelled[1].split(".")
    if spelled[1] in _REPOSITORY_FILES:
        return None
    if labels[-1] in _NEVER_GUESSED or (len(labels) == 2 and labels[-1] in _SCRIPTS_AND_ARCHIVES):
        return None
    suffix = _suffixes().publicsuffix(spelled[1])
    is_known = labels[-1] in _OTHER_ROOTS or (suffix is not None and suffix != spelled[1])
    return spelled[0] if is_known else None


def _file_name(value: str) -> IndicatorType | None:
    spelled = canonical_file_name(value)
    if isinstance(spelled, Invalid) or " " in spelled[1]:
        return None
    stem, _, extension = spelled[1].rpartition(".")
    return spelled[0] if stem and extension.lower() in _EXTENSIONS else None
