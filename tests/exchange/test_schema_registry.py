"""Schema ids from a registry: registered once, looked up at start, kept for when it is away, never mistaken."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from exchange.errors import ConfigurationError, NotFound, Refused, RegistryUnavailable
from exchange.kafka.clients import Cluster
from exchange.kafka.schema_registry import MEDIA_TYPE, Registry, codec_of, register
from exchange.settings import cluster_from_env
from schemas.codec import RECEIPT, RELEASED_INDICATOR, RELEASED_INDICATOR_V2, Codec, bundled_ids, source
from tests.builders import a_receipt, a_released
from tests.kakehashi.command import kakehashi
from tests.schema_registry import running

NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def url() -> Iterator[str]:
    with running() as found:
        yield found


def fill(url: str, *names: str) -> None:
    """Register these by hand, in this order."""
    for name in names:
        subject = f"org.kakehashi.v1.{json.loads(source(name))['name']}"
        body = json.dumps({"schema": source(name)}).encode()
        request = Request(f"{url}/subjects/{subject}/versions", body, {"Content-Type": MEDIA_TYPE}, method="POST")  # noqa: S310
        with urlopen(request) as answer:  # noqa: S310
            assert answer.status == 200


def test_every_schema_is_registered_once_and_has_the_registrys_id(url: str) -> None:
    registry = Registry("GBR", url)
    assert register(registry) == register(registry) == len(bundled_ids())
    codec = codec_of(registry)
    ids = {
        codec.encode(name, record)[4] for name, record in ((RECEIPT, a_receipt()), (RELEASED_INDICATOR, a_released()))
    }
    assert len(ids) == 2
    assert max(ids) <= len(bundled_ids())
    with urlopen(f"{url}/schemas/ids/{min(ids)}") as answer:  # noqa: S310
        assert json.load(answer)["schema"] in {source(RECEIPT), source(RELEASED_INDICATOR)}


def test_two_registries_that_give_the_same_ids_to_other_schemas_are_kept_apart(url: str) -> None:
    with running() as other:
        fill(url, RECEIPT, RELEASED_INDICATOR)
        fill(other, RELEASED_INDICATOR, RECEIPT)
        names = (RELEASED_INDICATOR, RECEIPT)
        ours, theirs = codec_of(Registry("GBR", url), names), codec_of(Registry("JPN", other), names)
    assert (ours.encode(RECEIPT, a_receipt())[4], theirs.encode(RECEIPT, a_receipt())[4]) == (1, 2)
    carried = theirs.reframe(RELEASED_INDICATOR, ours.encode(RELEASED_INDICATOR, a_released()))
    assert theirs.decode(RELEASED_INDICATOR, carried) == a_released()
    assert ours.schema_of(carried) == RECEIPT  # the same number, and a mistake without the exchange of ids


def test_a_schema_that_no_one_registered_is_an_answer_that_states_what_to_do(url: str) -> None:
    with pytest.raises(NotFound, match="kakehashi topics --nation GBR"):
        codec_of(Registry("GBR", url))
    fill(url, RECEIPT)
    with pytest.raises(NotFound, match=RELEASED_INDICATOR):
        codec_of(Registry("GBR", url), (RECEIPT, RELEASED_INDICATOR))


def test_a_schema_that_another_nation_does_not_have_yet_is_left_out(url: str, tmp_path: Path) -> None:
    fill(url, RECEIPT, RELEASED_INDICATOR)
    registry = Registry("JPN", url, kept=tmp_path / "JPN.json")
    older = codec_of(registry, (RECEIPT, RELEASED_INDICATOR), (RELEASED_INDICATOR_V2,))
    assert [older.knows(name) for name in (RECEIPT, RELEASED_INDICATOR, RELEASED_INDICATOR_V2)] == [True, True, False]
    codec_of.cache_clear()  # a new process
    with pytest.raises(NotFound, match=RELEASED_INDICATOR_V2):
        codec_of(registry, (RELEASED_INDICATOR_V2,))
    fill(url, RELEASED_INDICATOR_V2)
    newer = codec_of(registry, (RECEIPT, RELEASED_INDICATOR), (RELEASED_INDICATOR_V2,))
    assert newer.knows(RELEASED_INDICATOR_V2)


def test_ids_that_were_known_are_used_while_the_registry_is_away(tmp_path: Path) -> None:
    kept = tmp_path / "registry" / "GBR.json"
    with running(first_id=700) as url:
        registry = Registry("GBR", url, kept=kept)
        fill(url, RECEIPT, RELEASED_INDICATOR)
        codec_of(registry, (RECEIPT,))
        known = codec_of(registry, (RELEASED_INDICATOR,))
    codec_of.cache_clear()  # a new process
    again = codec_of(registry, (RELEASED_INDICATOR,))
    value = again.encode(RELEASED_INDICATOR, a_released())
    assert known.decode(RELEASED_INDICATOR, value) == a_released()
    with pytest.raises(RegistryUnavailable):
        codec_of(registry)  # not all of them were known
    with pytest.raises(RegistryUnavailable):
        codec_of(Registry("GBR", NOBODY, kept=kept), (RECEIPT,))  # another registry's ids are not its
    kept.write_text("{", encoding="utf-8")
    codec_of.cache_clear()
    with pytest.raises(RegistryUnavailable):
        codec_of(registry, (RECEIPT,))


def test_a_registry_that_wants_a_password_gets_it_and_no_one_else_sees_it() -> None:
    with running(user_info="kakehashi:very secret") as url:
        registry = Registry("GBR", url, "kakehashi:very secret")
        assert register(registry) > 0
        with pytest.raises(Refused, match="401") as refused:
            register(Registry("GBR", url, "kakehashi:wrong secret"))
    assert "secret" not in f"{registry!r} {Cluster('GBR', '', {}, registry)!r} {refused.value}"


def test_a_registry_is_set_by_the_environment_and_a_mistake_is_stated() -> None:
    environ = {
        "KAKEHASHI_GBR_SCHEMA_REGISTRY_URL": "https://registry.example.com/apis/ccompat/v7",
        "KAKEHASHI_GBR_SCHEMA_REGISTRY_USER_INFO": "a:b",
        "KAKEHASHI_HOME": "home",
    }
    found = cluster_from_env(environ, "GBR", "192.0.2.1:9092").registry
    assert found == Registry(
        "GBR", environ["KAKEHASHI_GBR_SCHEMA_REGISTRY_URL"], "a:b", "", Path("home/registry/GBR.json")
    )
    assert cluster_from_env(environ, "JPN", "192.0.2.1:9092").registry is None
    for wrong in ("registry.example.com", "ftp://registry.example.com", "https://a:b@registry.example.com", "https://"):
        with pytest.raises(ConfigurationError, match="KAKEHASHI_JPN_SCHEMA_REGISTRY_"):
            Registry("JPN", wrong)
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem"):
        codec_of(Registry("JPN", "https://127.0.0.1:1", ca_location="nowhere.pem"))


def test_without_a_registry_the_ids_are_the_bundled_tables() -> None:
    value = Cluster("GBR", "").codec().encode(RECEIPT, a_receipt())
    assert value == Codec().encode(RECEIPT, a_receipt())


def test_a_command_states_that_the_registry_is_away(tmp_path: Path) -> None:
    environ = {"KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1", "KAKEHASHI_GBR_SCHEMA_REGISTRY_URL": NOBODY}
    ended = kakehashi("quarantine", "list", "--nation", "GBR", within=tmp_path, **environ)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"no answer from GBR's schema registry at {NOBODY}" in ended.stderr
