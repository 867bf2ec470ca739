"""Facets: bands, and the way into the decision's record and back."""

import pytest
from hypothesis import given

from schemas.markings import Marking, Pap, Tlp
from schemas.vocabulary import IndicatorType
from streams.rules.facets import Facets, confidence_band, facets_of, from_record, sort_key, to_record
from tests.rules.strategies import facets


@pytest.mark.parametrize(
    ("confidence", "band"),
    [(-1, "none"), (0, "low"), (29, "low"), (30, "medium"), (69, "medium"), (70, "high"), (100, "high")],
)
def test_confidence_falls_into_the_bands_of_stix_appendix_a(confidence: int, band: str) -> None:
    assert confidence_band(confidence) == band


@given(facets())
def test_a_record_reads_back_as_the_same_facets(one: Facets) -> None:
    assert from_record(to_record(one)) == one


@given(facets(), facets())
def test_the_sort_key_is_equal_exactly_for_equal_facets(one: Facets, other: Facets) -> None:
    assert (sort_key(one) == sort_key(other)) == (one == other)
    assert (sort_key(one) < sort_key(other)) or (sort_key(other) <= sort_key(one))


@pytest.mark.parametrize(
    ("field", "value", "expected_text"),
    [
        ("tlp", 9, "Tlp"),
        ("pap", -1, "Pap"),
        ("caveats", ["UK EYES 0NLY"], "0NLY"),
        ("confidence_band", "sure", "sure"),
        ("type", "ipv5-addr", "not an indicator type"),
        ("releasable_to", None, "recipients named"),
        ("prefix_length", 128, "not a prefix length"),
    ],
)
def test_an_altered_record_is_refused(field: str, value: object, expected_text: str) -> None:
    record = to_record(facets_of(Marking(Tlp.AMBER, Pap.CLEAR, ("JPN",)), IndicatorType.URL))
    record[field] = value  # type: ignore[literal-required]
    with pytest.raises(ValueError, match=expected_text):
        from_record(record)
