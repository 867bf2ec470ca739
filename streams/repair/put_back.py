"""A row of correlate after its shard was at a time that had not come: the work of that time is done again. Pure.

No partner has accepted a record whose version is more than a day ahead: both guards refuse it. So what the partner
holds is older, and unknown here: the next record recalls it, and has what may be released now.
"""

from typing import Final

import msgspec

from schemas.vocabulary import RecordKind
from streams.correlate.assertion import Assertion
from streams.correlate.row import Row, Sent

_UNKNOWN: Final = bytes(8)  # the digest of no rules and of no terms: the next release is then compared with nothing


def put_back(row: Row, now_ms: int) -> Row:
    """The row, as if all that it received and reported after ``now_ms`` had been reported just before."""
    sent = tuple(_sent(each, now_ms) for each in row.sent)
    is_ahead = row.version > now_ms or row.emitted_ms > now_ms or sent != row.sent
    return msgspec.structs.replace(
        row,
        assertions=tuple(_assertion(each, now_ms) for each in row.assertions),
        sent=sent,
        rules=_UNKNOWN if sent != row.sent else row.rules,
        emitted_ms=0 if is_ahead else row.emitted_ms,
        pending=row.pending or is_ahead,
        due_ms=now_ms,
    )


def _assertion(assertion: Assertion, now_ms: int) -> Assertion:
    """A report that the broker appended in the future was appended now: otherwise it would live for as much longer."""
    latest = assertion.latest
    if latest.appended_ms <= now_ms:
        return assertion
    return msgspec.structs.replace(assertion, latest=msgspec.structs.replace(latest, appended_ms=now_ms))


def _sent(sent: Sent, now_ms: int) -> Sent:
    """A partner's last record, if it has a version that has not come: as content of just now that no one knows."""
    if sent.version <= now_ms:
        return sent
    return Sent(
        sent.partner,
        RecordKind.CONTENT,
        now_ms - 1,
        recalled_through=sent.recalled_through if sent.recalled_through <= now_ms else 0,
        decision_id=sent.decision_id,
        terms=_UNKNOWN,
    )
