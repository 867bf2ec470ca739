"""The data that are really installed, and their compiled form on disk."""

import os
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import msgspec
import pytest

from schemas.vocabulary import IndicatorType
from streams.enrichment.enrich import Enricher
from streams.enrichment.installed import installed_enricher
from streams.enrichment.networks import NetworkTable
from streams.enrichment.warninglist_cache import WarninglistCacheError, cache_folder, compile_into, load_index

DOMAIN = IndicatorType.DOMAIN_NAME


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A folder of lists as MISP publishes them."""
    _write_list(tmp_path / "lists", "banks", ["bank.example"])
    return tmp_path / "lists"


def _write_list(folder: Path, name: str, entries: list[str]) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    content = {"name": name, "type": "hostname", "list": entries, "matching_attributes": ["domain"]}
    (folder / name / "list.json").write_bytes(msgspec.json.encode(content))


@pytest.fixture(scope="module")
def enricher() -> Enricher:
    return installed_enricher()


def test_well_known_values_are_recognised_in_the_installed_data(enricher: Enricher) -> None:
    company = enricher.enrich(DOMAIN, "www.microsoft.com")
    assert (company.registered_domain, company.benign, company.special_use) == ("microsoft.com", True, "")
    tenant = enricher.enrich(DOMAIN, "someone.duckdns.org")
    assert (tenant.registered_domain, tenant.benign) == ("someone.duckdns.org", False)
    assert "dynamic-dns" in tenant.warninglists
    hosted = enricher.enrich(IndicatorType.URL, "https://drive.google.com/uc?id=1")
    assert (hosted.warninglists != (), hosted.benign) == (True, False)
    documentation = enricher.enrich(IndicatorType.IPV4_ADDR, "192.0.2.1")
    assert (documentation.asn, documentation.country, documentation.benign) == (0, "", True)


def test_the_anycast_service_of_as112_is_in_the_embedded_tables() -> None:
    networks = NetworkTable.load()  # RFC 7534, section 4.2: addresses that AS 112 alone announces
    assert networks.of_ipv4(int(IPv4Address("192.175.48.1"))).asn == 112
    assert networks.of_ipv6(int(IPv6Address("2620:4f:8000::1"))).asn == 112


def test_all_sources_have_a_version_and_the_lists_a_title(enricher: Enricher) -> None:
    assert all(len(source.version) == 16 for source in enricher.sources)
    titles = enricher.warninglist_titles
    assert len(titles) > 100
    assert titles["tranco10k"] == "Top 10K most-used sites from Tranco"


def test_lists_are_compiled_once_and_then_opened(lists: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    index = load_index(lists, cache)
    assert index.match_domain(DOMAIN, "www.bank.example", "example").names == ("banks",)
    (kept,) = cache.glob("warninglists-*")
    made = (kept / "tables.msgpack").stat().st_mtime_ns
    assert load_index(lists, cache).version == index.version
    compile_into(lists, cache)
    assert (kept / "tables.msgpack").stat().st_mtime_ns == made


def test_changed_lists_are_compiled_again(lists: Path, tmp_path: Path) -> None:
    before = load_index(lists, tmp_path / "cache")
    _write_list(lists, "shops", ["shop.example"])
    after = load_index(lists, tmp_path / "cache")
    assert after.match_domain(DOMAIN, "shop.example", "example").names == ("shops",)
    assert after.version != before.version


def test_damaged_remains_are_replaced(lists: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    version = load_index(lists, cache).version
    (kept,) = cache.glob("warninglists-*")
    with (kept / "names.marisa").open("r+b") as names:
        names.truncate(10)
    assert load_index(lists, cache).version == version
    (kept / "tables.msgpack").unlink()
    assert load_index(lists, cache).version == version
    assert [path.name for path in cache.glob("warninglists-*")] == [kept.name]


def test_workers_that_start_together_compile_once_and_all_get_the_result(lists: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "streams.enrichment.warninglist_cache", str(lists), str(cache)]
    workers = [subprocess.Popen(command) for _ in range(3)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    assert len(list(cache.glob("warninglists-*"))) == 1


def test_the_error_of_an_unwritable_cache_folder_states_what_to_do(lists: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WarninglistCacheError, match=r"file/cache.*: .*Not a directory.*XDG_CACHE_HOME"):
        load_index(lists, tmp_path / "file" / "cache")


def test_a_file_that_is_not_a_list_is_named(lists: Path, tmp_path: Path) -> None:
    (lists / "banks" / "list.json").write_text('{"name": 1}')
    with pytest.raises(WarninglistCacheError, match=r"banks/list\.json"):
        load_index(lists, tmp_path / "cache")


def test_the_cache_folder_follows_the_xdg_specification() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/var/cache"}) == Path("/var/cache/kakehashi")
    assert cache_folder({"HOME": "/home/nobody", "XDG_CACHE_HOME": ""}) == Path("/home/nobody/.cache/kakehashi")
    assert cache_folder({}) == Path(os.sep) / ".cache" / "kakehashi"
