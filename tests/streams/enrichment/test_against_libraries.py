"""What enrichment finds without its libraries, because most values are plain, is what they find."""

import string
from pathlib import Path

import ada_url
import publicsuffixlist
from hypothesis import given
from hypothesis import strategies as st

from schemas.normalise import normalise
from schemas.vocabulary import IndicatorType
from streams.enrichment.enrich import host_of
from streams.enrichment.public_suffix import PublicSuffixes

_RULES = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
_LIBRARY = publicsuffixlist.PublicSuffixList(_RULES, accept_unknown=False)
_OURS = PublicSuffixes(_RULES)
_HOSTS = st.one_of(
    st.ip_addresses(v=4).map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.lists(
        st.text(string.ascii_letters + string.digits + "-é本", min_size=1, max_size=8), min_size=1, max_size=4
    ).map(".".join),
)
_URLS = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "HTTPS", "ftp", "tcp", "stratum+tcp", "ldap"]),
    st.sampled_from(["", "user@", "user:password@"]),
    _HOSTS,
    st.sampled_from(["", ":80", ":8443", ":443"]),
    st.sampled_from(["", "/", "/a/b?c=d", "?q=https://other.example/", "/@x:y", "/[1]", "#f"]),
)


def test_the_public_suffix_of_every_name_around_a_rule_is_the_library_s() -> None:
    for line in _RULES.splitlines():
        rule = line.split(" ")[0].lower()
        if not rule or rule.startswith("//"):
            continue
        name = rule.removeprefix("!").removeprefix("*.").encode("idna").decode()
        for domain in (name, f"a.{name}", f"b.a.{name}", f"c.b.a.{name}", f"a{name}", name.partition(".")[2]):
            suffix, registered = _OURS.split(domain)
            assert suffix == (_LIBRARY.publicsuffix(domain) or ""), domain
            assert registered == (_LIBRARY.privatesuffix(domain) or ""), domain


@given(_URLS)
def test_the_host_of_a_canonical_url_is_the_one_that_the_url_standard_reads(spelled: str) -> None:
    url = normalise(IndicatorType.URL, spelled)
    if isinstance(url, str):
        assert host_of(url) == ada_url.URL(url).hostname


def test_a_url_as_an_earlier_version_has_kept_it_is_read_by_the_url_standard() -> None:
    for url in ("https://user@host.example/", "https://user:80@host.example/", "HTTPS://HOST.example/"):
        assert host_of(url) == "host.example"
