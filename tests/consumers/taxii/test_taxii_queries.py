"""What a request may ask for, and how each one that is malformed is answered."""

from typing import Any

import pytest

from consumers.stix.identifiers import indicator_object_id
from tests.consumers.picture.topics import World
from tests.consumers.taxii.serving import ROOT, TAXII, Served, served

OBJECTS = f"{ROOT}collections/gbr-amber/objects/"
MANIFEST = f"{ROOT}collections/gbr-amber/manifest/"
UNKNOWN = "indicator--00000000-0000-5000-8000-000000000000"


def refused(server: Served, path: str, status: int, **more: Any) -> dict[str, Any]:
    """A TAXII error object with this status, which repeats nothing of the request."""
    answer = server.ask(path, **more)
    assert (answer.status, answer.headers["content-type"]) == (status, TAXII), answer.body
    found: dict[str, Any] = answer.json
    assert found["http_status"] == str(status)
    assert found["title"]
    assert found["error_id"]
    return found


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1", "limit=0", "limit=", "limit=ten", "limit=1e3", "limit=1.0", "limit=%EF%BC%91", "limit=1&limit=2",
        "limit=" + "9" * 100, "limit=%205", "added_after=yesterday", "added_after=", "added_after=2026-11-30",
        "added_after=2026-13-01T00:00:00Z", "added_after=2026-11-30T00:00:00", "added_after=2026-11-30T25:00:00Z",
        "added_after=2026-11-30T00:00:00%2B99:99", "next=", "next=AAAA",
        "next=%00", "next=" + "A" * 200, "next=..%2F..%2Fetc%2Fpasswd", "match[id]=", "match[id]=indicator",
        "match[id]=indicator--1", "match[id]=INDICATOR--00000000-0000-5000-8000-000000000000",
        "match[id]=" + ",".join([UNKNOWN] * 201), "match[type]=", "match[type]=Indicator",
        "match[type]=a'%20OR%201=1--",
        "match[version]=newest", "match[version]=", "match[spec_version]=two", "match[spec_version]=2.1,",
        "match[name]=x", "match=x", "match[id][]=x", "sort=up", "limit", "&", "limit=1&", "limit=%FF", "limit=1;next=2",
        "&".join(f"x{number}=1" for number in range(50)),
    ],
)  # fmt: skip
def test_a_malformed_query_is_a_bad_request(server: Served, query: str) -> None:
    refused(server, f"{OBJECTS}?{query}", 400)
    refused(server, f"{MANIFEST}?{query}", 400)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/taxii2/", "limit=1"), (ROOT, "added_after=2026-11-30T00:00:00Z"), (f"{ROOT}collections/", "limit=1"),
        (f"{ROOT}collections/gbr-amber/", "match[type]=indicator"), (f"{OBJECTS}{UNKNOWN}/", f"match[id]={UNKNOWN}"),
        (f"{OBJECTS}{UNKNOWN}/versions/", "match[version]=all"),
    ],
)  # fmt: skip
def test_a_parameter_of_another_endpoint_is_a_bad_request(server: Served, path: str, query: str) -> None:
    refused(server, f"{path}?{query}", 400)


@pytest.mark.parametrize(
    "path",
    [
        "/", "/taxii/", "/gbr/", "/JPN/", f"{ROOT}status/1/", f"{ROOT}collections/none/",
        f"{ROOT}collections/GBR-AMBER/",
        f"{ROOT}collections/..%2F..%2Fetc%2Fpasswd/objects/", f"{ROOT}collections/%2e%2e/", f"{ROOT}../../etc/passwd",
        f"{ROOT}collections/gbr-amber%00/", f"{ROOT}collections/gbr-amber%0d%0aX-Injected:%20yes/", f"//{ROOT}",
        f"{ROOT}collections/'%20OR%201=1/objects/", f"{OBJECTS}{UNKNOWN}/", f"{OBJECTS}{UNKNOWN}/versions/",
        f"{OBJECTS}nonsense/", f"{OBJECTS}indicator--%00/", f"{OBJECTS}a/b/c/", f"{MANIFEST}x/",
        f"{OBJECTS}identity--00000000-0000-5000-8000-000000000000/",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found_and_injects_nothing(server: Served, path: str) -> None:
    refused(server, path, 404)
    assert "x-injected" not in server.ask(path).headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_a_method_that_a_place_has_not_is_not_allowed_and_the_others_are_named(server: Served, method: str) -> None:
    refused(server, MANIFEST, 405, method=method)
    assert "GET" in server.ask(MANIFEST, method=method).headers["allow"]


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (TAXII, 200), ("application/taxii+json", 200), ("*/*", 200), ("application/*;q=0.1", 200),
        ("application/taxii+json; version=2.1", 200), ('APPLICATION/taxii+json;version="2.1"', 200),
        ("text/html, application/taxii+json;version=2.1;q=0.2", 200), ("application/taxii+json;version=2.0", 406),
        ("application/vnd.oasis.stix+json; version=2.0", 406), ("application/json", 406), ("text/*", 406), ("", 200),
        ("application/taxii+json;version=2.1;q=0", 406), ("*/*;q=0", 406), ("application/taxii+json;q=0, */*", 406),
        ("application/taxii+json;q=nonsense", 406), (";;;,,,==", 406), ("a" * 8_000, 406),
    ],
)  # fmt: skip
def test_the_media_type_is_negotiated(server: Served, accept: str, status: int) -> None:
    answer = server.ask(OBJECTS, headers={"Accept": accept})
    assert (answer.status, answer.headers["content-type"]) == (status, TAXII)


def test_objects_cannot_be_added_or_deleted_and_each_wrong_attempt_has_its_own_answer(server: Served) -> None:
    kind = {"Content-Type": TAXII}
    refused(server, OBJECTS, 403, method="POST", headers=kind, body=b'{"objects": []}')
    refused(server, OBJECTS, 415, method="POST", headers={"Content-Type": "application/json"}, body=b"{}")
    refused(server, OBJECTS, 415, method="POST", body=b"")
    refused(server, OBJECTS, 413, method="POST", headers=kind, body=b" " * 65_537)
    refused(server, f"{ROOT}collections/none/objects/", 404, method="POST", headers=kind, body=b"{}")
    [one, *_] = server.objects(match_type="indicator").objects
    refused(server, f"{OBJECTS}{one['id']}/", 403, method="DELETE")
    assert server.ask(OBJECTS, method="POST", headers=kind, body=b"{}").headers["connection"] == "close"


def test_ranges_of_items_are_of_taxii_2_0(server: Served) -> None:
    refused(server, OBJECTS, 416, headers={"Range": "items=0-9"})
    assert server.ask(OBJECTS, headers={"Range": "bytes=0-9"}).status == 200


def test_a_path_without_its_last_slash_is_the_same_place(server: Served) -> None:
    assert server.ask(OBJECTS.rstrip("/")).objects == server.ask(OBJECTS).objects
    assert server.ask("/taxii2").json["api_roots"] == [ROOT]


def test_a_head_has_the_headers_of_a_get_and_no_body(server: Served) -> None:
    head, get = server.ask(OBJECTS, method="HEAD"), server.ask(OBJECTS)
    assert head.body == b""
    for name in ("content-type", "content-length", "x-taxii-date-added-first", "x-taxii-date-added-last"):
        assert head.headers[name] == get.headers[name]


def test_filters_narrow_what_is_served(server: Served) -> None:
    every = server.objects().objects
    [first, second] = [each for each in every if each["type"] == "indicator"]
    assert server.objects(match_type="indicator").objects == [first, second]
    assert server.objects(match_type="indicator,identity").objects == [every[0], first, second]
    assert server.objects(match_type="malware").json == {}
    assert server.objects(match_id=first["id"]).objects == [first]
    assert server.objects(match_id=f"{second['id']},{first['id']},{UNKNOWN}").objects == [first, second]
    assert server.objects(match_id=first["id"], match_type="identity").json == {}
    assert server.objects(match_id=f"{first['id']},{every[0]['id']}").objects == [every[0], first]
    for version in ("last", "first", "all", first["modified"], f"first,{first['modified']}"):
        assert server.objects(match_type="indicator", match_version=version).objects == [first, second]
    assert server.objects(match_version="2020-01-01T00:00:00Z").json == {}
    assert server.objects(match_spec_version="2.1").objects == every
    assert server.objects(match_spec_version="2.0,2.1").objects == every
    assert server.objects(match_spec_version="2.0").json == {}


def test_an_object_its_versions_and_its_manifest_entry_agree(server: Served) -> None:
    for each in server.objects().objects:
        place = f"{OBJECTS}{each['id']}/"
        version = each.get("modified") or each["created"]
        assert server.ask(place).objects == [each]
        assert server.ask(f"{place}versions/").json == {"versions": [version]}
        [entry] = server.ask(MANIFEST, match_id=each["id"]).objects
        assert (entry["id"], entry["version"], entry["media_type"]) == (
            each["id"], version, "application/stix+json;version=2.1",
        )  # fmt: skip
        assert server.ask(place, match_spec_version="2.0").json == {}
        assert server.ask(place, match_version="2020-01-01T00:00:00Z").json == {}
        assert server.ask(place, added_after=entry["date_added"]).json == {}


def test_collections_are_found_by_id_and_by_alias(server: Served) -> None:
    listed = server.ask(f"{ROOT}collections/").json["collections"]
    assert [each["alias"] for each in listed] == ["jpn-amber", "gbr-amber"]
    for each in listed:
        assert server.ask(f"{ROOT}collections/{each['id']}/").json == each
        assert server.ask(f"{ROOT}collections/{each['alias']}/").json == each
        assert (each["can_read"], each["can_write"]) == (True, False)


def test_the_same_value_of_two_origins_is_found_in_each_ones_collection(world: World) -> None:
    from tests.consumers.picture.topics import TopicInMemory

    world.topics["JPN"] = TopicInMemory("indicator.national.v1")
    own = world.topics["JPN"].own("same.example")
    assert world.gbr.release("same.example") == own
    world.catch_up()
    with served(world) as server:
        for origin, alias in (("JPN", "jpn-red"), ("GBR", "gbr-amber")):
            name = indicator_object_id(origin, own)
            answer = server.ask(f"{ROOT}collections/{alias}/objects/{name}/")
            assert (answer.status, [each["name"] for each in answer.objects]) in (
                (200, ["same.example"]), (403, []),
            )  # fmt: skip


def test_without_a_picture_the_server_is_unavailable_for_now(world: World) -> None:
    with served(world) as server:
        answer = server.ask(OBJECTS)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        world.gbr.release("late.example")
        world.catch_up()
        assert server.objects().values == ["late.example"]


def test_a_picture_that_is_made_anew_is_served_from_then_on(world: World) -> None:
    world.gbr.release("one.example")
    world.catch_up()
    with served(world) as server:
        after = server.objects().headers["x-taxii-date-added-last"]
        world.path.with_suffix(".damaged").touch()
        assert world.catch_up()
        assert server.objects(added_after=after).values == ["one.example"]
