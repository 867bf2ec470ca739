"""User agents, mutexes, registry keys, imphashes: what harmless machines have, and what names a person."""

import pytest

from schemas.vocabulary import IndicatorType
from streams.enrichment.enrich import NOTHING_KNOWN, Enricher
from streams.enrichment.installed import installed_enricher
from tests.streams.enrichment_builders import an_enricher

AGENT, MUTEX, KEY = IndicatorType.USER_AGENT, IndicatorType.MUTEX, IndicatorType.REGISTRY_KEY
IMPHASH = IndicatorType.IMPHASH


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return an_enricher()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (
            AGENT,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 "
            "Safari/537.36 Edg/127.0.0.0",
        ),
        (AGENT, "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"),
        (AGENT, "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"),
        (AGENT, "Mozilla/5.0"),
        (AGENT, "curl/8.1.2"),
        (MUTEX, "Global\\_MSIExecute"),
        (MUTEX, "ZonesCounterMutex"),
        (KEY, "HKEY_LOCAL_MACHINE\\software\\microsoft\\windows\\currentversion\\run"),
        (KEY, "HKEY_CURRENT_USER\\software\\wow6432node\\microsoft\\windows\\currentversion\\runonce"),
        (IMPHASH, "f34d5f2d4577ed6d9ceec516c1f5a744"),
        (IMPHASH, "d41d8cd98f00b204e9800998ecf8427e"),
    ],
)
def test_what_harmless_machines_have_is_benign_and_nothing_local(
    enricher: Enricher, kind: IndicatorType, value: str
) -> None:
    found = enricher.enrich(kind, value)
    assert (found.benign, found.warninglists, found.local_query) == (True, ("well-known-of-hosts",), False)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AGENT, "Mozilla/5.0 (compatible; made-up/1.0)"),
        (AGENT, "made-up curl/8.1.2"),
        (MUTEX, "zonescountermutex"),
        (MUTEX, "Global\\{f7b0e2e8-2d2c-4a44-8a5b-1f7a2a6a0001}"),
        (KEY, "HKEY_LOCAL_MACHINE\\software\\microsoft\\windows\\currentversion\\run\\made-up"),
        (IMPHASH, "0" * 32),
    ],
)
def test_of_anything_else_nothing_is_known(enricher: Enricher, kind: IndicatorType, value: str) -> None:
    assert enricher.enrich(kind, value) == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (AGENT, "made-up/1.0 (someone@example.com)"),
        (AGENT, "made-up/1.0 (192.168.7.9)"),
        (AGENT, "made-up/192.168.7.9"),
        (AGENT, "made-up ip:192.168.7.9"),
        (AGENT, "made-up pc7.corp.local"),
        (AGENT, "made-up C:\\Users\\someone\\a.exe"),
        (MUTEX, "CTF.LBES.MutexDefaultS-1-5-21-1004336348-1177238915-682003330-1001"),
        (MUTEX, "/home/someone/.lock"),
        (KEY, "HKEY_LOCAL_MACHINE\\software\\profilelist\\s-1-12-1-1-2-3-4"),
        (KEY, "HKEY_CURRENT_USER\\software\\someone@example.com"),
        (KEY, "HKEY_CURRENT_USER\\software\\d0:0d:f0:0d:ca:fe"),
    ],
)
def test_what_names_an_account_a_person_or_a_machine_is_local(
    enricher: Enricher, kind: IndicatorType, value: str
) -> None:
    assert enricher.enrich(kind, value).local_query


def test_the_certificate_of_a_well_known_authority_is_on_its_warninglist() -> None:
    enricher = installed_enricher()
    found = enricher.enrich(IndicatorType.X509_SHA1, "010c0695a6981914ffbf5fc6b0b695ea29e912a6")
    assert (found.benign, found.warninglists) == (True, ("mozilla-CA",))
    assert enricher.enrich(IndicatorType.X509_SHA256, "0" * 64) == NOTHING_KNOWN
