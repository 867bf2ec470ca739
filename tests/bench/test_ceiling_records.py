"""What the ceiling writes are records of the contract."""

from bench import ceiling_records
from schemas.codec import DECISION, INDICATOR, RELEASED_INDICATOR, Codec


def test_they_are_written_and_read_as_the_contract_has_them() -> None:
    codec = Codec()
    for name, record in (
        (INDICATOR, ceiling_records.national(3)),
        (RELEASED_INDICATOR, ceiling_records.released()),
        (DECISION, ceiling_records.decision()),
    ):
        assert codec.decode(name, codec.encode(name, record)) == record
