"""What the inbound guard refuses whatever the marking is: versions from the future, and what is inside a network."""

import pytest

from schemas.vocabulary import RejectReason
from streams.receive.inbound import RefusedRecord
from tests.builders import DAY_MS, NOW_MS, a_released
from tests.streams.receive.test_inbound import judged, with_content


@pytest.mark.parametrize("kind", ["expired", "revoked", "recalled"])
@pytest.mark.parametrize("version", [NOW_MS + DAY_MS + 1, 1 << 62])
def test_a_record_from_the_future_is_refused_even_without_content(kind: str, version: int) -> None:
    verdict = judged(a_released(kind=kind, version=version, recalled_through=1))
    assert isinstance(verdict, RefusedRecord)
    assert (verdict.refused.reason, verdict.recall) == (RejectReason.TIME_OUT_OF_RANGE, None)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("ipv4-addr", "10.0.0.5"), ("ipv6-addr", "fd00::1"), ("domain-name", "db.internal"), ("url", "http://10.0.0.5/a")],
)
def test_what_is_inside_a_network_is_refused(kind: str, value: str) -> None:
    verdict = judged(with_content(type=kind, value=value, registered_domain=""))
    assert isinstance(verdict, RefusedRecord)
    assert verdict.refused.reason is RejectReason.INVALID_VALUE
