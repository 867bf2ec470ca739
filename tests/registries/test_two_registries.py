"""Two nations, each with a real schema registry of its own, whose ids collide: a release arrives, and is answered.

Nothing here knows the bundled table of ids but the test that they are not it.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from exchange.kafka.schema_registry import Registry, codec_of
from schemas import topics
from schemas.codec import RECEIPT, RELEASED_INDICATOR, Codec, Undecodable, bundled_ids
from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import IndicatorType
from tests.exchange.test_schema_registry import fill
from tests.integration.nations import NATIONS, Nations, two_nations
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.reference.reading import Reading
from tests.registries import apicurio

VALUE: Final = sha256(b"two registries").hexdigest()
NAME: Final = indicator_id(indicator_key(IndicatorType.FILE_SHA256, VALUE)).encode()
WITHIN_S: Final = 60.0
pytestmark = pytest.mark.registries


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The URL of each nation's. GBR's is filled in the order of names, JPN's in another: their ids collide."""
    folder = tmp_path_factory.mktemp("registries")
    with ExitStack() as stack:
        urls = {nation: stack.enter_context(apicurio.running(folder, nation)) for nation in NATIONS}
        fill(urls["JPN"], RELEASED_INDICATOR, RECEIPT)
        yield urls


@pytest.fixture(scope="module")
def nations(registries: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nations]:
    """Both nations with a worker and a bridge each, which know their registries and no ids besides."""
    asked = {f"KAKEHASHI_{nation}_SCHEMA_REGISTRY_URL": url for nation, url in registries.items()}
    with two_nations(tmp_path_factory.mktemp("nations"), more=asked) as both:
        for nation in NATIONS:
            registered = kakehashi("topics", "--nation", nation, within=both.folder, **both.environ)
            assert registered.returncode == 0, registered.stderr
            both.add_worker(nation)
            both.add_bridge(nation)
        both.start()
        yield both


@pytest.fixture(scope="module")
def codecs(registries: dict[str, str], nations: Nations) -> dict[str, Codec]:
    """What each nation's registry states, asked again; ``nations`` has registered."""
    assert nations.roles
    return {nation: codec_of(Registry(nation, url)) for nation, url in registries.items()}


def test_the_registries_give_the_same_ids_to_other_schemas(codecs: dict[str, Codec]) -> None:
    empty = {"id": NAME.decode(), "kind": "expired", "version": 1, "recalled_through": 0}
    record = {**empty, "origin": "GBR", "hops": ["GBR"], "reason": "aged-out", "content": None}
    values = {nation: codec.encode(RELEASED_INDICATOR, record) for nation, codec in codecs.items()}
    assert codecs["GBR"].schema_of(values["JPN"]) not in (RELEASED_INDICATOR, None)
    assert codecs["JPN"].schema_of(values["GBR"]) not in (RELEASED_INDICATOR, None)
    assert all(Codec(bundled_ids()).schema_of(value) is None for value in values.values())


def test_what_is_released_arrives_under_the_partners_ids_and_its_receipt_comes_home(
    nations: Nations, codecs: dict[str, Codec], tmp_path: Path
) -> None:
    listed = tmp_path / "iocs.csv"
    listed.write_text(f"type,value,tlp\nsha256,{VALUE},TLP:GREEN\n", "utf-8")
    reported = kakehashi(
        "produce", "--nation", "GBR", "--sensor", "desk", str(listed), within=nations.folder, **nations.environ
    )
    assert reported.returncode == 0, reported.stderr
    names = [topics.inbox("GBR"), topics.accepted("GBR")]
    with Reading(nations.clusters["JPN"], names, nations.shards) as reading:

        def values(topic: str) -> list[bytes]:
            reading.look()
            return [each.value for each in reading.records[topic] if each.key == NAME and each.value is not None]

        eventually(lambda: bool(values(topics.accepted("GBR"))), WITHIN_S, "JPN has it")
        for value in [*values(topics.inbox("GBR")), *values(topics.accepted("GBR"))]:
            record = codecs["JPN"].decode(RELEASED_INDICATOR, value)
            assert not isinstance(record, Undecodable), record
            assert record["content"]["value"] == VALUE
            assert codecs["GBR"].schema_of(value) != RELEASED_INDICATOR  # without the exchange, a mistake
    shown = ""

    def is_answered() -> bool:
        nonlocal shown
        shown = kakehashi("released", "show", "--nation", "GBR", VALUE, within=nations.folder, **nations.environ).stdout
        return shown.startswith("APPLIED by JPN")

    eventually(is_answered, WITHIN_S, "the receipt has come home")


def test_a_reconciliation_reads_both_sides_with_their_own_ids(nations: Nations) -> None:
    def agree() -> bool:
        reported = ("reconcile", "--nation", "GBR", "--partner", "JPN", "--full", "--grace", "0")
        return kakehashi(*reported, within=nations.folder, **nations.environ).returncode == 0

    eventually(agree, WITHIN_S, "both sides agree")
