"""Splits a domain name into its public suffix and the registered name."""

import hashlib
from pathlib import Path
from typing import ClassVar

import publicsuffixlist
from publicsuffixlist import PublicSuffixList

from schemas.markings import Activity


class PublicSuffixes:
    """The Public Suffix List, ICANN and private sections, as ``publicsuffixlist`` ships it.

    The private section counts: ``victim.github.io`` is a registration of its own under the public suffix
    ``github.io``, because one registrant's control, and so a block, reaches that far.
    """

    __slots__ = ("_named", "_patterns", "_suffixes", "version")
    activity: ClassVar = Activity.PASSIVE_LOCAL

    def __init__(self, rules: str) -> None:
        """Take the list in its published format (publicsuffix.org); IDNs match in their A-label form too."""
        self._suffixes = PublicSuffixList(rules, accept_unknown=False)
        self._named, self._patterns = _names(rules)
        self.version = hashlib.sha256(rules.encode()).hexdigest()[:16]

    @classmethod
    def load(cls) -> "PublicSuffixes":
        """Load the list that is installed."""
        return cls(Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8"))

    def split(self, domain: str) -> tuple[str, str]:
        """Return the public suffix and the registered domain of a canonical domain name.

        Both are empty under a top-level domain that the list does not know, such as an internal one;
        the registered domain is empty for a name that is itself a public suffix.
        """
        suffix = domain
        while suffix not in self._named:
            suffix = suffix.partition(".")[2]
            if not suffix:
                return "", ""
        if suffix in self._patterns:  # a wildcard or an exception applies
            suffix = self._suffixes.publicsuffix(domain) or ""
        if len(suffix) == len(domain):
            return suffix, ""
        above = domain[: -len(suffix) - 1]
        return suffix, f"{above.rpartition('.')[2]}.{suffix}"


def _names(rules: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that rules are about, and those of them with a wildcard below or that are an exception from one: the
    suffix of most names is the longest one above them, and follows without the library."""
    named, patterns = set(), set()
    for line in rules.splitlines():
        rule = line.lower().split(" ")[0].rstrip()
        if not rule or rule.startswith("//"):
            continue
        name = rule.removeprefix("!").removeprefix("*.")
        names = {name, name.encode("idna").decode()}
        named |= names
        if name != rule:
            patterns |= names
    return frozenset(named), frozenset(patterns)
