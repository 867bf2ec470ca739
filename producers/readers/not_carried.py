"""Kinds of indicators that the exchange has no type for: each is refused by its name, and counted by it.

After MISP's attribute types, STIX 2.1's observable types, OpenIOC's terms, Zeek's Intel framework and the columns of
lists. A word is compared without case and punctuation; a value counts only if no type is stated.
"""

import re
from ipaddress import ip_address, summarize_address_range
from itertools import islice
from typing import Final

from producers.markings.remembered import remembered
from producers.readers.reading import Rejected, rejected
from producers.readers.type_words import folded
from schemas.observation import SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

OTHER: Final = "other"
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "x509-certificate": ("x509", "certificate", "certhash", "pubkeyhash", "sslfingerprint", "tlsfingerprint"),
    "tls-fingerprint": ("ja3s", "ja4", "jarm", "hassh"),
    "registry-value": ("regkey", "registry"),
    "package-name": ("packagename", "mobileapplicationid", "software", "packageurl"),
    "process-name": ("process", "servicename", "windowsservice", "scheduledtask"),
    "fuzzy-hash": ("ssdeep", "tlsh", "sdhash", "vhash", "impfuzzy", "telfhash", "fuzzyhash", "authentihash"),
    "yara-rule": ("yara",),
    "sigma-rule": ("sigma",),
    "network-rule": ("snort", "suricata", "bro", "zeek"),
    "vulnerability": ("vulnerability", "weakness", "cve"),
    "cryptocurrency-address": ("btc", "xmr", "dash", "bitcoin", "ethereum", "cryptocurrency", "wallet"),
    "payment-account": ("iban", "bic", "ccnumber", "bankaccount", "prtn"),
    "phone-number": ("phonenumber", "phone", "telfax", "imei", "imsi", "msisdn"),
    "user-account": ("account", "username", "userid", "jabber", "twitterid", "githubuser", "socialmedia"),
    "mac-address": ("macaddr", "maceui64"),
    "pdb-path": ("pdb",),
    "named-pipe": ("namedpipe", "pipename"),
    "email-text": ("emailsubject", "emailbody", "emailmessage", "emailheader", "emailthread", "emailxmailer"),
}
"""Parts of the words that name each kind."""
_WHOLE: Final = frozenset({"btc", "xmr", "dash", "bro", "zeek", "cve", "bic", "sigma", "prtn", "phone", "pdb"})
_VALUES: Final = (
    ("vulnerability", re.compile(r"CVE-\d{4}-\d{4,}", re.IGNORECASE)),
    ("fuzzy-hash", re.compile(r"\d+:[\w/+]{3,}:[\w/+]{3,}|T1[0-9A-Fa-f]{70}")),
    (
        "cryptocurrency-address",
        re.compile(
            r"bc1[a-z0-9]{25,87}|[13][1-9A-HJ-NP-Za-km-z]{25,34}|0x[0-9a-fA-F]{40}|4[0-9AB][1-9A-HJ-NP-Za-z]{93}"
        ),
    ),
    ("phone-number", re.compile(r"\+\d[\d ()-]{6,17}\d")),
    ("yara-rule", re.compile(r"rule\s+\w+.*")),
)
_UNGUESSED: Final = (
    (IndicatorType.REGISTRY_KEY, re.compile(r"(?:HKEY_[A-Z_]+|HK(?:LM|CU|CR|U|CC))\\.*", re.IGNORECASE)),
    (IndicatorType.USER_AGENT, re.compile(r"Mozilla/\d.*")),
    (IndicatorType.MUTEX, re.compile(r"(?:Global|Local)\\.+")),
)
_LONGEST: Final = 1024
_RANGE: Final = re.compile(r"([0-9A-Fa-f.:]{2,45}) ?[-–] ?([0-9A-Fa-f.:]{2,45})")
_WILDCARD: Final = re.compile(r"\*?\.[^\s*/]{1,253}|[0-9.]{2,11}\.\*")
_MOST_NETWORKS: Final = 8


@remembered(4096)
def kind_named(word: str) -> str:
    """The kind that a source's word for a type names; ``other`` if it is none of them."""
    whole = folded(word)
    for kind, parts in _WORDS.items():
        if any(whole == part if part in _WHOLE else part in whole for part in parts):
            return kind
    return OTHER


def kind_of(value: str) -> str:
    """The kind that the form of a value has; empty if it has none."""
    text = value.strip()[:_LONGEST]
    return next((kind for kind, form in _VALUES if form.fullmatch(text)), "")


def not_carried(place: SourcePlace, kind: str, detail: str, original: bytes) -> Rejected:
    """The refusal of a piece of a kind that the exchange has no type for."""
    named = f"the exchange carries no indicators of the kind {kind}: {detail}" if kind != OTHER else detail
    return rejected(place, RejectReason.UNKNOWN_TYPE, named, original, kind)


def looks_like(value: str) -> str:
    """What to do about a value that has the form of a type which is carried and never guessed; empty if it has none."""
    text = value.strip()[:_LONGEST]
    kind = next((kind for kind, form in _UNGUESSED if form.fullmatch(text)), None)
    if kind is None:
        return _many_in(text)
    return f"; it looks like a {kind.label}, which is taken if its type is stated: a column, or --columns {kind.label}"


def _many_in(text: str) -> str:
    """What to do about a text that stands for several values: a range of addresses, or a wildcard."""
    ends = _RANGE.fullmatch(text)
    if ends is not None:
        try:
            networks = summarize_address_range(ip_address(ends[1]), ip_address(ends[2]))
            found = list(map(str, islice(networks, _MOST_NETWORKS + 1)))
        except (ValueError, TypeError):
            return ""
        shown = ", ".join(found[:_MOST_NETWORKS]) + (", …" if len(found) > _MOST_NETWORKS else "")
        return f"; it is a range of addresses: write its networks, {shown}"
    if _WILDCARD.fullmatch(text):
        return "; it stands for many values: write the name or the network that is meant with all in it"
    return ""
