"""Who may read what: tokens, certificates, ceilings, PAP, and what happens to those who may not."""

import ssl
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from requests.auth import HTTPBasicAuth
from taxii2client.v21 import Server  # type: ignore[import-untyped]

from consumers.taxii.clients import digest_of, new_token, read_clients
from consumers.taxii.listening import ListenAddress
from exchange.errors import ConfigurationError
from tests.builders import a_marking_record
from tests.consumers.picture.topics import TopicInMemory, World
from tests.consumers.taxii.serving import COLLECTIONS, ROOT, TAXII, Served, basic, client, served

OBJECTS = f"{ROOT}collections/gbr-amber/objects/"


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": "Bearer nobody"},
        {"Authorization": "Basic !!!"}, {"Authorization": "Basic c29j"}, {"Authorization": "Digest soc"},
        {"Authorization": "soc"}, basic("other", "soc"), basic("soc", "other"), basic("soc", ""), basic("", ""),
        {"Authorization": f"Bearer {digest_of('soc')}"}, {"Authorization": "Bearer " + "x" * 10_000},
    ],
)  # fmt: skip
def test_who_has_no_valid_token_learns_how_to_authenticate_and_nothing_else(
    server: Served, headers: dict[str, str]
) -> None:
    for path in (OBJECTS, "/taxii2/", "/nothing/"):
        answer = server.ask(path, None, headers=headers)
        assert answer.status in (401, 429)
        assert answer.headers["content-type"] == TAXII
        assert answer.json["http_status"] == str(answer.status)
        if answer.status == 401:
            assert answer.headers["www-authenticate"].startswith("Basic ")


def test_a_token_may_come_as_basic_bearer_or_token(server: Served) -> None:
    for headers in (
        basic("soc", "soc"), basic("", "soc"), {"Authorization": "Bearer soc"}, {"Authorization": "bearer  soc"},
        {"Authorization": "Token soc"},
    ):  # fmt: skip
        assert server.ask(OBJECTS, None, headers=headers).status == 200


def released(world: World) -> None:
    """One indicator for each TLP label, named by it, and own ones with each PAP."""
    for name in ("clear", "green", "amber", "amber+strict"):
        world.gbr.release(f"{name.replace('+', '-')}.example", content={"tlp": f"TLP:{name.upper()}"})
    for pap in ("", "PAP:CLEAR", "PAP:GREEN", "PAP:AMBER", "PAP:RED"):
        name = pap.partition(":")[2].lower() or "unstated"
        world.gbr.release(f"pap-{name}.example", content={"tlp": "TLP:CLEAR", "pap": pap})
    world.catch_up()


def test_a_collection_has_what_its_ceiling_lets_through(world: World) -> None:
    released(world)
    entry = client(
        "soc", "TLP:RED", collections=[f"gbr-{each}" for each in ("clear", "green", "amber", "amber-strict", "red")]
    )
    with served(world, entry) as server:
        names = {
            each: set(server.objects(f"gbr-{each}").values)
            for each in ("clear", "green", "amber", "amber-strict", "red")
        }
    assert names["green"] - names["clear"] == {"green.example"}
    assert names["amber"] - names["green"] == {"amber.example"}
    assert names["amber-strict"] - names["amber"] == {"amber-strict.example"}
    assert names["red"] == names["amber-strict"]


def test_a_client_that_asks_above_its_ceiling_is_forbidden_to_and_an_origin_that_is_not_its_own_is_not_found(
    world: World,
) -> None:
    released(world)
    with served(world, client("low", "TLP:GREEN", collections=["gbr-green"])) as server:
        assert server.ask(f"{ROOT}collections/", "low").json["collections"][0]["alias"] == "gbr-green"
        for above in ("gbr-amber", "gbr-amber-strict", "gbr-red"):
            for name in (above, COLLECTIONS[above].id):
                for place in ("", "objects/", "manifest/", "objects/indicator--00000000-0000-5000-8000-000000000000/"):
                    answer = server.ask(f"{ROOT}collections/{name}/{place}", "low")
                    assert (answer.status, answer.json["http_status"]) == (403, "403")
        assert server.ask(f"{ROOT}collections/gbr-clear/", "low").status == 403
        assert server.ask(f"{ROOT}collections/jpn-green/", "low").status == 404
        amber = server.world.gbr.release("amber.example", content={"tlp": "TLP:AMBER"})
        assert server.ask(f"{ROOT}collections/gbr-green/objects/{amber}/", "low").status == 404


@pytest.mark.parametrize(
    ("activity", "unstated", "seen"),
    [
        ("active", "", {"unstated", "clear", "green"}),
        ("passive-remote", "", {"unstated", "clear", "green", "amber"}),
        ("passive-local", "", {"unstated", "clear", "green", "amber", "red"}),
        ("active", "PAP:RED", {"clear", "green"}),
    ],
)
def test_a_client_gets_only_what_pap_allows_its_tools(
    world: World, activity: str, unstated: str, seen: set[str]
) -> None:
    released(world)
    with served(world, client("soc", activity=activity, unstated_pap=unstated)) as server:
        names = {each for each in server.objects().values if each.startswith("pap-")}
    assert names == {f"pap-{each}.example" for each in seen}


def test_a_client_is_taken_to_block_unless_its_entry_states_another_use() -> None:
    entry = "[[client]]\nname = 'x'\nceiling = 'TLP:GREEN'\n"
    path = Path("clients.toml")
    assert _read(path, entry).use.activity.label == "active"


def _read(path: Path, entry: str) -> Any:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_text(entry)
        [found] = read_clients(file, COLLECTIONS)
        return found


def test_own_indicators_that_no_source_has_marked_are_for_the_highest_ceiling_alone(world: World) -> None:
    world.topics["JPN"] = TopicInMemory("indicator.national.v1")
    world.topics["JPN"].own("unmarked.example", marking=a_marking_record(tlp=4, releasable_to=[]))
    world.catch_up()
    with served(world, client("high", "TLP:RED"), client("low", "TLP:AMBER+STRICT")) as server:
        assert server.objects("jpn-red", "high").values == ["unmarked.example"]
        assert server.objects("jpn-amber-strict", "low").values == []


def test_a_client_that_is_taken_out_is_refused_at_its_next_request(world: World) -> None:
    released(world)
    with served(world, client("soc"), client("other")) as server:
        position = server.objects(limit=3).json["next"]
        server.file.write_text(client("other"))
        assert server.ask(OBJECTS, next=position, limit=3).status == 401
        assert server.ask(OBJECTS, "other").status == 200
        server.file.write_text(client("other", known_by="new") + client("soc"))
        assert server.ask(OBJECTS, "other").status == 401
        assert server.ask(OBJECTS, "new").status == 200
        assert server.ask(OBJECTS, next=position, limit=3).status == 200


def test_a_clients_file_that_cannot_be_read_serves_no_one_until_it_is_corrected(world: World) -> None:
    with served(world) as server:
        server.file.write_text("[[client]\n")
        assert server.ask("/taxii2/").status == 503
        server.file.unlink()
        assert server.ask("/taxii2/").status == 503
        server.file.write_text(client("soc"))
        assert server.ask("/taxii2/").status == 200


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("[[client]]\n", "name"), ("[client]\n", "array"), ("[[clients]]\n", "unknown field"), ("x", "Expected"),
        (client("a", "TLP:PURPLE"), "ceiling"), (client("a", ""), "ceiling"), (client("a", color=1), "unknown field"),
        (client("a", collections=["gbr-red"]), "above its ceiling"), (client("a", collections=["usa-green"]), "one of"),
        (client("a", activity="loud"), "activity"), (client("a", unstated_pap="PAP:PINK"), "unstated_pap"),
        (client("a", requests_a_minute=0), "requests_a_minute"), (client("a", certificates=["AB"]), "SHA-256"),
        (client("a:b"), "colon"), (client(""), "name"), (client("é"), "ASCII"), (client("a") + client("a"), "twice"),
        (client("a", known_by="same") + client("b", known_by="same"), "twice"),
    ],
)  # fmt: skip
def test_a_wrong_clients_file_is_refused_with_what_to_change(tmp_path: Path, entry: str, why: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(entry)
    with pytest.raises(ConfigurationError, match=why):
        read_clients(file, COLLECTIONS)


def test_tokens_differ_are_long_and_only_their_digests_are_in_the_file() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    for token, digest in tokens:
        assert len(token) >= 43
        assert digest == sha256(token.encode()).hexdigest()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates and keys of an authority, a server and clients; one of these is of another authority."""
    folder = tmp_path_factory.mktemp("keys")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    for name in ("ca", "strangers"):
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name, authority in (("server", "ca"), ("firewall", "ca"), ("renewed", "ca"), ("stranger", "strangers")):
        names = ("-addext", "subjectAltName=IP:127.0.0.1")
        by = ("-CA", f"{authority}.pem", "-CAkey", f"{authority}.key")
        openssl(*new, *by, "-subj", f"/CN={name}", *names, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return folder


@pytest.fixture
def secured(world: World, keys: Path) -> Iterator[Served]:
    """A server with TLS, for a client with a certificate and one with a token."""
    released(world)
    fingerprint = sha256(ssl.PEM_cert_to_DER_cert((keys / "firewall.pem").read_text())).hexdigest()
    context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
    place = ListenAddress("127.0.0.1", 0, keys / "server.pem", keys / "server.key", keys / "ca.pem")
    entries = client("firewall", "TLP:GREEN", certificates=[fingerprint]), client("soc")
    with served(world, *entries, place=place, tls=context) as found:
        yield found


def test_a_client_certificate_takes_the_place_of_a_token(secured: Served, keys: Path) -> None:
    path = f"{ROOT}collections/gbr-green/objects/"
    assert secured.ask(path, None).status == 401
    assert secured.ask("/taxii2/", "soc").status == 200
    assert secured.tls is not None
    secured.tls.load_cert_chain(keys / "firewall.pem", keys / "firewall.key")
    assert "green.example" in secured.ask(path, None).values
    assert secured.ask(OBJECTS, None).status == 403
    assert secured.ask(path, "wrong").status == 401
    secured.file.write_text(client("soc"))
    assert secured.ask(path, None).status == 401


def test_a_certificate_of_another_authority_gets_no_connection_and_one_that_is_not_named_no_answer(
    secured: Served, keys: Path
) -> None:
    assert secured.tls is not None
    secured.tls.load_cert_chain(keys / "renewed.pem", keys / "renewed.key")
    assert secured.ask("/taxii2/", None).status == 401
    secured.tls.load_cert_chain(keys / "stranger.pem", keys / "stranger.key")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secured.ask("/taxii2/", None)


def test_oasis_own_client_connects_by_tls(secured: Served, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would be used in place of `verify`
        monkeypatch.delenv(name, raising=False)
    root = Server(secured.url, auth=HTTPBasicAuth("soc", "soc"), verify=str(keys / "ca.pem")).default
    assert [each.title for each in root.collections] == ["JPN up to TLP:AMBER", "GBR up to TLP:AMBER"]


def test_tls_before_1_2_is_refused(secured: Served, keys: Path) -> None:
    with pytest.warns(DeprecationWarning, match="TLS"):
        old = ssl.SSLContext(ssl.PROTOCOL_TLSv1_1)
    old.load_verify_locations(keys / "ca.pem")
    old.set_ciphers("ALL:@SECLEVEL=0")
    secured.tls = old
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secured.ask("/taxii2/")


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (ListenAddress("0.0.0.0", 0), "in clear"),  # noqa: S104
        (ListenAddress("::", 0), "in clear"),
        (ListenAddress("taxii.example", 0), "in clear"),
        (ListenAddress("127.0.0.1", 0, key=Path("k")), "--certificate"),
        (ListenAddress("127.0.0.1", 0, Path("none.pem")), "cannot be used"),
        (ListenAddress("192.0.2.1", 0, Path("none.pem")), "cannot be used"),
    ],
)
def test_tokens_never_cross_a_network_in_clear(place: ListenAddress, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        place.tls()
