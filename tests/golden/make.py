"""Made the golden files: ``python -m tests.golden.make`` writes what is missing and never changes what is there.

A golden file is a framed record as some release wrote it, for ever: ``<schema>/<case>.bin``, and beside it what
it must be read as, ``<case>.json`` (bytes as ``{"bytes": hex}``). ``fingerprints.json`` holds the SHA-256 of each
schema's parsing canonical form (Avro 1.11, "Parsing Canonical Form"): a released schema is not edited, a new
version stands in a new file.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas import codec
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType, Withdrawal
from tests.builders import (
    DAY_MS,
    NOW_MS,
    a_command,
    a_content,
    a_decision,
    a_decision_v1,
    a_decision_v2,
    a_decision_v3,
    a_decision_v4,
    a_marking_record,
    a_policy_reading,
    a_policy_record,
    a_progress,
    a_quarantined,
    a_receipt,
    a_released,
    a_report,
    a_review_pending,
    a_review_pending_v1,
    a_review_pending_v2,
    a_review_pending_v3,
    a_sensor_quality,
    a_verdict,
    an_anchor,
    an_indicator,
    an_observation,
    an_observation_block,
    facets,
)

FOLDER: Final = Path(__file__).parent
FINGERPRINTS: Final = FOLDER / "fingerprints.json"
_IPV4: Final = an_observation(
    kind=IndicatorType.IPV4_ADDR,
    value="198.51.100[.]23",
    count=1,
    confidence=-1,
    marking=SourceMarking(tlp="TLP:AMBER", pap="PAP:GREEN", releasable_to=("GBR", "JPN"), caveats=("転送禁止",)),
    labels=(),
    description="ビーコン通信",
    context=(("dest_ip", "192.0.2.7"), ("signature", "Beacon")),
)
_WIDE: Final = a_content(
    type="url",
    value="https://xn--r8jz45g.example/a?b=c",
    tlp="TLP:AMBER+STRICT",
    pap="PAP:AMBER",
    releasable_to=["GBR", "JPN"],
    caveats=["転送禁止"],
    labels=["botnet", "malicious-activity"],
    sightings=1 << 40,
    valid_until_ms=NOW_MS + 1,
    release_expires_ms=0,
    registered_domain="xn--r8jz45g.example",
    asn=64496,
    country="JP",
)


def _of_type(type: str, value: str) -> Any:
    return a_content(type=type, value=value, registered_domain="") | {"tearline": ""}


CASES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    codec.SENSOR_REPORT: {
        "two_observations": a_report([an_observation(), _IPV4]),
        "empty": a_report([]),
        "only_what_must_be": a_report(
            [an_observation()],
            first_seen_ms=[],
            last_seen_ms=[],
            counts=[],
            confidences=[],
            valid_until_ms=[],
            markings=[],
            marking_index=[],
            label_sets=[],
            label_index=[],
        ),
        "redriven": a_report(redrive_of="sensor.reports.v1-0-41-3"),
    },
    codec.SENSOR_REPORT_V2: {
        "one_withdrawn": a_report([an_observation(), an_observation(withdrawal=Withdrawal.REVOKED)]),
    },
    codec.OBSERVATION_BLOCK_V2: {
        "withdrawn": {**an_observation_block(counts=[0]), "withdrawals": bytes([Withdrawal.REMOVED])},
    },
    codec.OBSERVATION_BLOCK_V3: {
        "authenticated": {**an_observation_block(), "withdrawals": b"", "authenticated": b"\1"},
    },
    codec.OBSERVATION_BLOCK: {
        "one_row": an_observation_block(),
        "unmarked": an_observation_block(
            markings=[a_marking_record(tlp=4, releasable_to=[], caveats=["UNRECOGNISED"])]
        ),
    },
    codec.INDICATOR: {
        "one_source": an_indicator(),
        "expired": an_indicator(kind="expired", sources=[], source_count=0),
    },
    codec.RELEASED_INDICATOR: {
        "content": a_released(),
        "all_fields": a_released(content=_WIDE, recalled_through=NOW_MS - 1),
        "expired": a_released(kind="expired"),
        "revoked": a_released(kind="revoked"),
        "recalled": a_released(kind="recalled"),
    },
    codec.RELEASED_INDICATOR_V2: {
        "content": a_released(content=a_content(tearline="Seen in phishing against banks. Block it.")),
        "all_fields": a_released(content={**_WIDE, "tearline": "公開要旨\nBlock it."}, recalled_through=NOW_MS - 1),
    },
    codec.RELEASED_INDICATOR_V3: {
        "content": a_released(content=_of_type("x509-sha1", "3b" * 20)),
        "with_tearline": a_released(content=_of_type("mutex", r"Global\made-up") | {"tearline": "公開要旨\nBlock it."}),
    },
    codec.DECISION_V1: {
        "release": a_decision_v1(),
        "withhold": a_decision_v1(sequence=1, previous=bytes(32), outcome="withhold", merged=None, released_version=0),
    },
    codec.DECISION_V2: {
        "release": a_decision_v2(),
        "approved": a_decision_v2(
            review="approved", question=bytes(16), verdicts=[a_verdict()], assigned=a_marking_record()
        ),
        "vetoed": a_decision_v2(
            outcome="withhold",
            veto={
                "kind": "recall",
                "person": "a.watanabe",
                "officer": "00" * 16,
                "command_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                "at_ms": NOW_MS,
                "reason_code": "recalled-by-hand",
                "reason": "依頼により",
            },
        ),
    },
    codec.DECISION_V3: {
        "network": a_decision_v3(
            outcome="hold",
            rules=["network-wide"],
            merged=None,
            assertions=[
                {
                    "facets": facets(type="ipv4-net", prefix_length=12),
                    "sources": 1,
                    "outcome": "hold",
                    "rules": ["network-wide"],
                }
            ],
        )
    },
    codec.DECISION_V4: {
        "approved": a_decision_v4(
            review="approved",
            question=bytes(16),
            verdicts=[a_verdict()],
            labels=["T1566", "phishing"],
            assertions=[
                {
                    "facets": facets(type="url", caveats=["OFFICIAL-SENSITIVE"], local_query=True),
                    "sources": 2,
                    "outcome": "hold",
                    "rules": ["caveat-official-sensitive"],
                    "left_out": False,
                },
                {"facets": facets(tlp=4), "sources": 1, "outcome": "hold", "rules": ["tlp-unmarked"], "left_out": True},
            ],
        ),
    },
    codec.DECISION: {
        "rated": a_decision(
            outcome="hold",
            rules=["quality-low-source"],
            merged=None,
            assertions=[
                {
                    "facets": facets(rating="low"),
                    "sources": 1,
                    "outcome": "hold",
                    "rules": ["quality-low-source"],
                    "left_out": False,
                }
            ],
        ),
    },
    codec.COMMAND: {
        "recall": a_command(signature=bytes(64)),
        "verdict": a_command(
            kind="verdict", verdict="approve", partner="JPN", question=bytes(16), marking=a_marking_record()
        ),
    },
    codec.REVIEW_PENDING_V1: {
        "open": a_review_pending_v1(),
        "half_approved": a_review_pending_v1(needed=2, verdicts=[a_verdict()]),
    },
    codec.REVIEW_PENDING_V2: {"open": a_review_pending_v2()},
    codec.REVIEW_PENDING_V3: {"open": a_review_pending_v3(labels=["T1566", "phishing"])},
    codec.REVIEW_PENDING: {"open": a_review_pending()},
    codec.QUARANTINED: {
        "observation": a_quarantined(),
        "too_large": a_quarantined(reason="too-large", original=None, excerpt='{"kind"', size=50_000_000),
    },
    codec.RECEIPT: {
        "received": a_receipt(),
        "refused": a_receipt(code="refused", reason="forbidden-marking"),
    },
    codec.PROGRESS: {"one_input": a_progress()},
    codec.WINDOW_DIGEST: {
        "two": {"window_ms": NOW_MS, "length_ms": 3_600_000, "count": 2, "sum": bytes(range(16)), "at_ms": NOW_MS + 1}
    },
    codec.AUDIT_ANCHOR: {"signed": an_anchor(signature=bytes(64))},
    codec.POLICY_READING: {"one_refused": a_policy_reading()},
    codec.SENSOR_QUALITY: {"one": a_sensor_quality()},
    codec.POLICY_RECORD: {
        "set": a_policy_record(texts={"joint/v1/tlp.cedar": "// 転送禁止"}),
        "activation": a_policy_record(kind="activation", activate_at_ms=NOW_MS + DAY_MS),
        "border": a_policy_record(
            kind="border",
            version="",
            partner="JPN",
            state="closed",
            approvals=[{"officer": "00" * 16, "signature": bytes(64)}],
        ),
    },
}


def as_json(record: Mapping[str, Any]) -> str:
    """A record as people and diffs can read it."""
    return json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True, default=_bytes_as_json) + "\n"


def _bytes_as_json(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is not a type of the contract")
    return {"bytes": value.hex()}


def fingerprint_of(name: str) -> str:
    """SHA-256 of the schema's parsing canonical form, in hex."""
    return fingerprint(to_parsing_canonical_form(codec.schema(name)), "SHA-256")


def main() -> None:
    """Write what is missing."""
    writer = codec.Codec()
    for name, cases in CASES.items():
        (FOLDER / name).mkdir(exist_ok=True)
        for case, record in cases.items():
            binary = FOLDER / name / f"{case}.bin"
            if not binary.exists():
                binary.write_bytes(writer.encode(name, record))
                binary.with_suffix(".json").write_text(as_json(record), "utf-8")
                sys.stdout.write(f"made {binary.relative_to(FOLDER)}\n")
    known = json.loads(FINGERPRINTS.read_text("utf-8")) if FINGERPRINTS.exists() else {}
    known = {name: fingerprint_of(name) for name in CASES} | known
    FINGERPRINTS.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
