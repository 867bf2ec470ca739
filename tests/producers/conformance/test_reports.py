"""A report is signed as a whole: whatever is changed in it, or added, is found."""

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from producers.conformance.judge import Counts, Outcome
from producers.conformance.report import (
    Of,
    Report,
    Signed,
    Unreadable,
    decoded,
    encoded,
    is_signed_by,
    json_schema,
    signed,
)
from producers.conformance.standard import Shown, Status, Text
from schemas.signing import public_of
from tests.builders import NOW_MS
from tests.producers.conformance.feeds import BOUNDS, a_feed, results

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OF = Of(name="x", version="0.1", status=Status.DRAFT, owner=Text("o", "管"), sha256="0" * 64)
REPORT = Report(
    software="kakehashi 0",
    made_at_ms=NOW_MS,
    standard=OF,
    profile=OF,
    profile_title=Text("Energy", "エネルギー"),
    incident="ransomware",
    incident_title=Text("Ransomware", "ランサムウェア"),
    bounds=BOUNDS,
    shown=(Shown.FILE,),
    feed=(),
    feed_sha256="0" * 64,
    counts=Counts(
        reports=0, observations=2, withdrawals=0, refused={"b": 1, "a": 2}, left_out={}, by_type={}, by_tlp={}
    ),
    outcome=Outcome.NOT_MET,
    results=tuple(results(a_feed()[:6]).values()),
)


def plain() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(encoded(signed(REPORT, KEY)))
    return found


def read(content: bytes) -> Signed:
    found = decoded(content)
    assert isinstance(found, Signed)
    return found


def test_a_signed_report_is_read_back_and_is_by_its_key_alone() -> None:
    found = read(encoded(signed(REPORT, KEY)))
    assert found.report == REPORT
    assert is_signed_by(public_of(KEY), found)
    assert not is_signed_by(public_of(OTHER), found)
    assert not is_signed_by(public_of(KEY), signed(REPORT, None))


def test_a_copy_that_was_indented_or_sorted_is_the_same_report() -> None:
    for content in (json.dumps(plain(), indent=4), json.dumps(plain(), sort_keys=True, ensure_ascii=True)):
        assert is_signed_by(public_of(KEY), read(content.encode()))


@settings(max_examples=50)
@given(st.data())
def test_whatever_is_changed_in_a_report_its_signature_is_not_of_it(data: st.DataObject) -> None:
    found = plain()
    at: Any = found["report"]
    while True:
        keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key]:
            break
        at = at[key]
    before = at[key]
    at[key] = before + 1 if isinstance(before, int | float) else f"{before}x" if isinstance(before, str) else [1]
    changed = decoded(json.dumps(found).encode())
    assert isinstance(changed, Unreadable) or not is_signed_by(public_of(KEY), changed)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", ""),
        (b"[" * 100_000, ""),
        (b"{}", "report"),
        (encoded(signed(REPORT, KEY)).replace(b'"nation":""', b'"nation":"","nation":"GBR"'), "there twice"),
        (encoded(signed(REPORT, KEY)).replace(b'"nation":""', b'"nation":"","approved":true'), "approved"),
        (encoded(signed(msgspec.structs.replace(REPORT, format_version=1), KEY)), "of version 1"),
    ],
)
def test_what_is_no_report_is_an_answer_and_no_crash(content: bytes, why: str) -> None:
    found = decoded(content)
    assert isinstance(found, Unreadable)
    assert why in found.detail


def test_a_signature_that_is_not_base64_is_none() -> None:
    found = plain()
    found["signature"]["value"] = "%%%"
    assert not is_signed_by(public_of(KEY), read(json.dumps(found).encode()))


def test_the_schema_takes_a_report_and_no_other_field() -> None:
    validator = Draft202012Validator(json.loads(json_schema()))
    assert not list(validator.iter_errors(plain()))
    assert list(validator.iter_errors(plain() | {"approved": True}))
