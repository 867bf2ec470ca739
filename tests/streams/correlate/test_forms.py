"""What a record repeats is known by all that it follows from: one that differs in any field has nothing of another."""

from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import RELEASED_INDICATOR, Codec
from schemas.row_writer import Form
from streams.correlate import repeated
from streams.correlate.released import released
from streams.correlate.repeated import Repeated
from streams.correlate.row import Sent
from tests.builders import a_content

_CODEC: Final = Codec()
_FEW: Final = {
    "type": st.sampled_from(["domain-name", "url"]),
    "value": st.sampled_from(["a.example", "b.example"]),
    "tlp": st.sampled_from(["TLP:CLEAR", "TLP:GREEN"]),
    "pap": st.sampled_from(["", "PAP:GREEN"]),
    "releasable_to": st.sampled_from([["JPN"], ["FRA", "JPN"]]),
    "caveats": st.sampled_from([[], ["INCIDENT"], ["JPN"]]),
    "labels": st.sampled_from([[], ["c2"], ["c2", "phishing"], ["JPN"]]),
    "confidence": st.integers(-1, 3),
    "sightings": st.integers(1, 3),
    "asn": st.sampled_from([0, 64496]),
    "country": st.sampled_from(["", "JP"]),
    "registered_domain": st.sampled_from(["", "a.example"]),
    "tearline": st.sampled_from([None, "text"]),
}


@given(
    changes=st.lists(st.fixed_dictionaries(_FEW), min_size=2, max_size=6),
    nation=st.sampled_from(["GBR", "JPN"]),
    version=st.integers(1, 3),
)
@settings(max_examples=60)
def test_a_release_is_the_record_of_its_own_content(changes: list[dict[str, Any]], nation: str, version: int) -> None:
    for change in changes:
        content = a_content(**{name: value for name, value in change.items() if value is not None})
        sent = Sent("JPN", "content", version, recalled_through=version - 1)
        record = {
            "id": "indicator--1",
            "kind": "content",
            "version": version,
            "recalled_through": version - 1,
            "origin": nation,
            "hops": [nation],
            "reason": "",
            "content": content,
        }
        expected = _CODEC.encode(RELEASED_INDICATOR, record)
        assert released(_CODEC, "indicator--1", nation, sent, "", content) == expected


def test_the_table_of_what_repeats_is_bounded_in_bytes() -> None:
    form = Form({"type": "record", "name": "R", "fields": [{"name": "text", "type": "string"}]}, ())
    table = Repeated(form)
    large = "x" * (repeated.KNOWN_BYTES // 8)
    for number in range(10):
        table.cut(number, {"text": large})
        assert sum(len(part) for cut in table.values() for part in cut) <= repeated.KNOWN_BYTES
    assert table[9] == form.cut({"text": large})
