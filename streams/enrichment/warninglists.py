"""The MISP warninglists as published: well-known values that often end up in threat feeds by mistake."""

import enum
import hashlib
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import msgspec

from schemas.vocabulary import IndicatorType


class WarninglistCategory(enum.StrEnum):
    """The meaning of a match, as MISP names it."""

    FALSE_POSITIVE = "false-positive"
    """The value is benign."""
    KNOWN_IDENTIFIER = "known-identifier"
    """The value is recognised, which is no evidence for or against it."""


class WarninglistError(ValueError):
    """A file is not a warninglist: names the file and the reason."""


class Warninglist(msgspec.Struct, frozen=True):
    """One list."""

    name: str
    """The list's folder in the misp-warninglists repository: short and stable, for example ``tranco10k``."""
    title: str
    """Its name as MISP shows it."""
    category: WarninglistCategory
    is_open_to_anyone: bool
    """It lists services where anyone can get a name, a page or a file."""
    form: str
    """How entries match: string, substring, hostname, cidr or regex."""
    attributes: frozenset[str]
    """The MISP attribute types that it is meant for; none means all."""
    entries: list[str]
    digest: str
    """SHA-256 of the file."""


MISP_ATTRIBUTES: dict[IndicatorType, frozenset[str]] = {
    IndicatorType.IPV4_ADDR: frozenset({"ip-src", "ip-dst"}),
    IndicatorType.IPV6_ADDR: frozenset({"ip-src", "ip-dst"}),
    IndicatorType.IPV4_NET: frozenset({"ip-src", "ip-dst"}),
    IndicatorType.IPV6_NET: frozenset({"ip-src", "ip-dst"}),
    IndicatorType.DOMAIN_NAME: frozenset({"domain", "hostname"}),
    # a URL is looked up by its host
    IndicatorType.URL: frozenset({"url", "uri", "domain", "hostname", "ip-src", "ip-dst"}),
    IndicatorType.FILE_MD5: frozenset({"md5"}),
    IndicatorType.FILE_SHA1: frozenset({"sha1"}),
    IndicatorType.FILE_SHA256: frozenset({"sha256"}),
    IndicatorType.FILE_SHA512: frozenset({"sha512"}),
    IndicatorType.EMAIL_ADDR: frozenset({"email", "email-src", "email-dst"}),
    IndicatorType.AUTONOMOUS_SYSTEM: frozenset({"AS"}),
    IndicatorType.JA3: frozenset({"ja3-fingerprint-md5"}),
    IndicatorType.JA4: frozenset(),
    IndicatorType.FILE_NAME: frozenset({"filename"}),
    IndicatorType.X509_SHA1: frozenset({"x509-fingerprint-sha1"}),
    IndicatorType.X509_SHA256: frozenset({"x509-fingerprint-sha256"}),
    IndicatorType.USER_AGENT: frozenset({"user-agent"}),
    IndicatorType.MUTEX: frozenset({"mutex"}),
    IndicatorType.REGISTRY_KEY: frozenset({"regkey"}),
    IndicatorType.IMPHASH: frozenset({"imphash"}),
}
"""The MISP attribute types that an indicator type answers to."""


class _ListFile(msgspec.Struct, rename={"form": "type", "entries": "list"}):
    name: str
    form: str
    entries: list[str]
    matching_attributes: list[str] = []
    category: str = ""


def installed_folder() -> Path:
    """The folder of the lists of the installed ``pymispwarninglists``: one folder with a ``list.json`` per list.

    The package is found and not imported: only its data is used, and its code takes a second of every start if
    ``jsonschema`` and its parser of IRIs are installed too.

    :raises WarninglistError: the package is not installed.
    """
    package = find_spec("pymispwarninglists")
    if package is None or package.origin is None:
        raise WarninglistError("pymispwarninglists is not installed: install requirements.lock")
    return Path(package.origin).parent / "data" / "misp-warninglists" / "lists"


def our_categories() -> dict[str, dict[str, str]]:
    """The lists that are not false-positive lists, by section of ``data/warninglist_categories.toml``."""
    content = (files(__package__) / "data" / "warninglist_categories.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


def read_warninglists(folder: Path) -> Iterator[Warninglist]:
    """Read all lists of a folder in the order of their names, one at a time: they are large.

    Raises ``WarninglistError`` if a file is not a warninglist.
    """
    categories = our_categories()
    open_to_anyone = categories["open-to-anyone"].keys()
    known = open_to_anyone | categories["known-identifier"].keys()
    for path in sorted(folder.glob("*/list.json")):
        content = path.read_bytes()
        try:
            found = msgspec.json.decode(content, type=_ListFile)
        except msgspec.MsgspecError as error:
            raise WarninglistError(f"{path} is not a warninglist: {error}") from error
        name = path.parent.name
        yield Warninglist(
            name=name,
            title=found.name,
            category=_category(found.category, name in known),
            is_open_to_anyone=name in open_to_anyone,
            form=found.form,
            attributes=frozenset(found.matching_attributes),
            entries=found.entries,
            digest=hashlib.sha256(content).hexdigest(),
        )


def _category(stated: str, is_known: bool) -> WarninglistCategory:
    """MISP's category (``false_positive``, ``known``) if a list has one; the lists of 2025 have none."""
    if stated == "known" or (not stated and is_known):
        return WarninglistCategory.KNOWN_IDENTIFIER
    return WarninglistCategory.FALSE_POSITIVE
