"""The parameters of a request, understood or refused (TAXII 2.1, 3.4 and 3.5)."""

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from consumers.taxii.refusal import bad_request
from consumers.taxii.times import moment_of, position_of

PAGE: Final = 1_000
MOST: Final = 5_000
_MOST_VALUES: Final = 200
_MOST_PARAMETERS: Final = 20
_STIX_ID: Final = re.compile(r"[a-z][a-z0-9-]{2,249}--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_STIX_TYPE: Final = re.compile(r"[a-z][a-z0-9-]{2,249}", re.ASCII)
_SPEC_VERSION: Final = re.compile(r"\d+\.\d+", re.ASCII)
_VERSIONS: Final = frozenset({"first", "last", "all"})
_LIMIT: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
PAGED: Final = frozenset({"added_after", "limit", "next"})
OF_OBJECTS: Final = PAGED | {"match[id]", "match[type]", "match[version]", "match[spec_version]"}
OF_AN_OBJECT: Final = PAGED | {"match[version]", "match[spec_version]"}
OF_VERSIONS: Final = PAGED | {"match[spec_version]"}


class Query(msgspec.Struct, frozen=True):
    """What is asked for. Empty sets ask for everything.

    ``after_us`` is the position: the later one of ``added_after`` and ``next``. ``versions`` are microseconds since
    1970 UTC; empty if the version that there is will do. ``question`` is the same on each page of an answer.
    """

    after_us: int = 0
    limit: int = PAGE
    ids: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    versions: frozenset[int] = frozenset()
    spec_versions: frozenset[str] = frozenset()
    question: bytes = bytes(8)

    def of(self, stix_id: str) -> "Query":
        """The same, of one object."""
        return msgspec.structs.replace(self, ids=frozenset({stix_id}))


def is_stix_id(text: str) -> bool:
    """Whether it has the form of one."""
    return _STIX_ID.fullmatch(text) is not None


def understood(text: bytes, known: frozenset[str], place: str) -> Query:
    """The query string of a request to ``place``, of which these parameters are ``known``. Raises a Refusal."""
    given = _given(text, known)
    ids = _values(given, "match[id]", _STIX_ID, "a STIX id")
    types = _values(given, "match[type]", _STIX_TYPE, "a STIX type")
    spec_versions = _values(given, "match[spec_version]", _SPEC_VERSION, "2.1, for example")
    versions, any_version = _versions(given)
    added_after_us = max(0, moment_of(given["added_after"], "added_after")) if "added_after" in given else 0
    asked = [place, sorted(ids), sorted(types), sorted(versions), any_version, sorted(spec_versions)]
    question = sha256(msgspec.json.encode(asked)).digest()[:8]
    after_us = position_of(given["next"], question) if "next" in given else added_after_us
    return Query(
        after_us=max(after_us, added_after_us),
        limit=_limit(given),
        ids=ids,
        types=types,
        versions=frozenset() if any_version else versions,
        spec_versions=spec_versions,
        question=question,
    )


def _given(text: bytes, known: frozenset[str]) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(
            text.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise bad_request(f"the query is not name=value pairs in UTF-8, at most {_MOST_PARAMETERS}") from error
    given = dict(pairs)
    if len(given) < len(pairs):
        raise bad_request("a parameter is given twice: give several values with commas")
    if given.keys() - known:
        raise bad_request(f"a parameter is not known here: there are {', '.join(sorted(known)) or 'none'}")
    return given


def _limit(given: Mapping[str, str]) -> int:
    if "limit" not in given:
        return PAGE
    if not _LIMIT.fullmatch(given["limit"]) or int(given["limit"]) == 0:
        raise bad_request("limit: a whole number from 1 on")
    return min(int(given["limit"]), MOST)


def _values(given: Mapping[str, str], name: str, form: re.Pattern[str], what: str) -> frozenset[str]:
    found = _listed(given, name)
    if not all(form.fullmatch(each) for each in found):
        raise bad_request(f"{name}: {what}, or several with commas")
    return frozenset(found)


def _versions(given: Mapping[str, str]) -> tuple[frozenset[int], bool]:
    """The versions that are asked for by time, and whether the present one will do."""
    found = set(_listed(given, "match[version]"))
    times = frozenset(moment_of(each, "match[version]") for each in found - _VERSIONS)
    return times, bool(found & _VERSIONS) or not found


def _listed(given: Mapping[str, str], name: str) -> Sequence[str]:
    found = given[name].split(",") if name in given else []
    if len(found) > _MOST_VALUES:
        raise bad_request(f"{name}: at most {_MOST_VALUES} values")
    return found
