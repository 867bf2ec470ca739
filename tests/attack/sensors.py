"""What a hostile sensor can try, and an ordinary day of thousands of honest ones."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from exchange.authority.sensor_keys import SensorKey, sensor_entry
from exchange.clock import now_ms
from schemas import topics
from schemas.codec import SENSOR_REPORT
from schemas.records import SensorReport
from schemas.signing import public_of
from schemas.vocabulary import CommandKind, IndicatorType
from tests.attack.attack import Attack
from tests.attack.field import CODEC, HOME, Field, Target, a_target
from tests.builders import a_report
from tests.officers import ALICE, REVIEWER, SIGNING, key_of, signed_by, write_key

WHO: Final = "hostile sensor"
CROWD: Final = 1_000
MANY: Final = 400
MOST_BYTES: Final = 64 << 10
MOST_KIB: Final = 1 << 20
CONTEXT: Final = (
    ("signature", "ET MALWARE Observed DNS Query to Known Malware Domain in Suspected Botnet Traffic"),
    ("signature_id", "2035466"),
    ("src_ip", "192.0.2.17"),
    ("host", "sensor-of-an-ordinary-site.example"),
)
VAULT: Final = SIGNING[0]
DAY_MS: Final = 24 * 60 * 60 * 1000


def a_crowd(field: Field) -> str:
    """Thousands of sensors report one indicator with ordinary context; then an officer recalls it."""
    popular = a_target()
    seen = popular.seen("TLP:GREEN", context=CONTEXT)
    _send(field, [a_report([seen], sensor=f"crowd-{number}", epoch=1) for number in range(CROWD)])
    sources = field.until(lambda: str((field.national(popular) or [{}])[-1].get("source_count")), str(CROWD), 120)
    recalled = field.commands(ALICE, CommandKind.RECALL, popular, reason_code="recalled-by-hand")
    kind = field.until(lambda: field.kinds(popular).split(", ")[-1], "recalled")
    return f"{sources} sources, recall {recalled}, {kind}; {_bounded(field)}"


def endless_markings(field: Field) -> str:
    """One sensor gives an indicator hundreds of different recipients."""
    target = a_target()
    words = ["".join(chr(ord("A") + number // 26**place % 26) for place in range(3)) for number in range(MANY)]
    seen = [target.seen("TLP:AMBER", releasable_to=(each, "JPN")) for each in words]
    _send(field, [a_report([each], sensor="mallory-1", epoch=1, sequence=place) for place, each in enumerate(seen)])
    return field.after_a_probe(lambda: _bounded(field))


def endless_gaps(field: Field) -> str:
    """One sensor leaves out every other number, in empty reports."""
    _send(field, [a_report([], sensor="mallory-2", epoch=1, sequence=2 * number) for number in range(MANY)])
    return field.after_a_probe(lambda: _bounded(field))


def _send(field: Field, reports: Sequence[SensorReport]) -> None:
    field.nations.send(HOME, reports)
    field.nations.flush()


def _bounded(field: Field) -> str:
    """Whether all rows are small, and all roles still in their first life."""
    steps = ("intake", "correlate")
    sizes = [len(each.value or b"") for step in steps for each in field.records(HOME, topics.changelog(step))]
    ended = [role.name for role in field.nations.all_roles if not role.runs]
    return "rows bounded" if max(sizes) < MOST_BYTES and not ended else f"a row of {max(sizes)} bytes, ended: {ended}"


def damaged_bytes(field: Field) -> str:
    """A report cut short, one of an unknown schema, one with columns that do not fit."""
    value = CODEC.encode(SENSOR_REPORT, a_report([a_target().seen("TLP:CLEAR")], sensor="mallory-3"))
    bent = CODEC.encode(SENSOR_REPORT, a_report([a_target().seen("TLP:CLEAR")], sensor="mallory-3", counts=[1, 1]))
    keys = [field.sends("mallory-3", each) for each in (value[:-4], b"\0\0\1\x86\x9f" + value[5:], bent)]
    reasons = "undecodable or truncated, unknown-schema, mismatched-columns"

    def found() -> str:
        first, *rest = (field.refused(key).removeprefix("refused: ") for key in keys)
        first = "undecodable or truncated" if first in ("undecodable", "truncated") else first
        return ", ".join((first, *rest))

    return field.until(found, reasons)


def a_newer_epoch(field: Field) -> str:
    """Under the name of a sensor without a key, with a newer epoch: its TLP:RED is to be forgotten."""
    target = a_target()
    field.reports("plain-1", target.seen("TLP:RED"))
    field.reports("plain-1", target.seen("TLP:CLEAR"), later_ms=30_000)
    return field.after_a_probe(lambda: field.kinds(target))


def _impersonated(field: Field, by: str, *, other_bytes: bool = False) -> str:
    target = a_target()
    field.reports(VAULT, target.seen("TLP:RED"), by=VAULT)
    if other_bytes:
        of = a_report([target.seen("TLP:RED")], sensor=VAULT, epoch=1)
        forged = CODEC.encode(SENSOR_REPORT, a_report([target.seen("TLP:CLEAR")], sensor=VAULT, epoch=2))
        key = field.sends(VAULT, forged, signed_by(VAULT, CODEC.encode(SENSOR_REPORT, of)))
    else:
        key = field.reports(VAULT, target.seen("TLP:CLEAR"), by=by, later_ms=20_000)
    return field.after_a_probe(lambda: f"{field.refused(key)}; {field.kinds(target)}")


def unsigned_name(field: Field) -> str:
    """Under the name of a sensor with a key, without a signature."""
    return _impersonated(field, "")


def another_key(field: Field) -> str:
    """Under the name of a sensor with a key, signed by a key of one's own."""
    return _impersonated(field, "mallory")


def anothers_key(field: Field) -> str:
    """Under the name of a sensor with a key, signed by another sensor's key."""
    return _impersonated(field, SIGNING[1])


def an_old_signature(field: Field) -> str:
    """With a signature that the sensor has made for another report."""
    return _impersonated(field, VAULT, other_bytes=True)


def a_loosening_owner(field: Field) -> str:
    """Not an attack: the sensor itself loosens its marking in a newer epoch, signed."""
    target = a_target()
    field.reports(VAULT, target.seen("TLP:RED"), by=VAULT)
    field.reports(VAULT, target.seen("TLP:GREEN"), by=VAULT, later_ms=40_000)
    return field.until(lambda: field.kinds(target), "content")


def anothers_redrive(field: Field) -> str:
    """A refused observation's quarantine key is used up by someone else, before its officer redrives it."""
    wrong = a_target()
    bad = Target("no hash", IndicatorType.FILE_SHA256)
    entry = field.reports("plain-2", bad.seen("TLP:GREEN")).removesuffix("--1") + "-0"
    field.until(lambda: field.refused(entry), "refused: invalid-value")
    burnt = [
        field.reports("plain-2", wrong.seen("TLP:CLEAR"), by=by, sequence=900 + place, redrive_of=entry)
        for place, by in enumerate(("", "mallory", VAULT, REVIEWER))
    ]
    reasons = field.until(
        lambda: ", ".join(field.refused(key).removeprefix("refused: ") for key in burnt),
        "unsigned, unknown-key, unknown-key, not-authorised",
    )
    right, key = a_target(), _key_file(field)
    done = field.command_line(
        "quarantine", "redrive", entry, "--nation", HOME, "--set", f"value={right.value}", "--key", str(key)
    )
    kind = field.until(lambda: field.kinds(right), "content")
    return f"{reasons}; then redriven: exit {done.returncode}, {kind}"


def _key_file(field: Field) -> str:
    return str(write_key(ALICE, field.folder))


def a_stolen_key(field: Field) -> str:
    """A sensor's stolen key signs what is false; then it is revoked, and what it did is found and recalled."""
    roster = field.nations.folder / "officers" / f"{HOME}.toml"
    before, stolen = roster.read_text("utf-8"), SensorKey("stolen-1", public_of(key_of("stolen-1")))
    roster.write_text(before + sensor_entry(stolen), "utf-8")
    false = a_target()
    field.reports("stolen-1", false.seen("TLP:GREEN"), by="stolen-1")
    first = field.until(lambda: field.kinds(false), "content")
    roster.write_text(before + sensor_entry(replace(stolen, revoked_ms=now_ms())), "utf-8")
    refused = field.until(
        lambda: field.after_a_probe(
            partial(field.refused, field.reports("stolen-1", a_target().seen("TLP:GREEN"), by="stolen-1"))
        ),
        "refused: revoked-key",
    )
    of = ("--nation", HOME, "--sensor", "stolen-1", "--since", "1h", "--json")
    found = [
        json.loads(line) for line in field.command_line("sensor", "signed", stolen.key_id, *of).stdout.splitlines()
    ]
    [listed] = [each for each in found if each["value"] == false.value]
    recalled = field.commands(ALICE, CommandKind.RECALL, false, reason_code="recalled-by-hand")
    last = field.until(lambda: field.kinds(false).split(", ")[-1], "recalled")
    return f"{first}; {refused}; listed, released to {', '.join(listed['released_to'])}; recall {recalled}, {last}"


def a_future_epoch(field: Field) -> str:
    """With an epoch of next year, so that no report of the real sensor is ever newer."""
    key = field.reports("plain-3", a_target().seen("TLP:CLEAR"), later_ms=365 * DAY_MS)
    return field.until(lambda: field.refused(key), "refused: future-epoch")


def special_use(field: Field) -> str:
    """Private addresses in IPv6 clothes, and a network that contains private ones."""
    targets = [
        Target("64:ff9b::a01:203", IndicatorType.IPV6_ADDR),
        Target("2002:a01:203::", IndicatorType.IPV6_ADDR),
        Target("8.0.0.0/6", IndicatorType.IPV4_NET),
        Target("intranet.internal", IndicatorType.DOMAIN_NAME),
    ]
    field.reports("mallory-4", *(each.seen("TLP:CLEAR") for each in targets))
    return field.after_a_probe(lambda: "; ".join(field.kinds(each) for each in targets))


def nothing_but_commas(field: Field) -> str:
    """A STIX file of tens of MiB of empty lists."""
    path = field.folder / "commas.json"
    path.write_bytes(b'{"type": "bundle", "objects": [' + b"[]," * (21 << 20) + b"[]]}")
    command = ("produce", "--nation", HOME, "--sensor", "mallory-5", "--format", "stix-bundle", "--dry-run", "--json")
    process = subprocess.Popen(
        [sys.executable, "-m", "kakehashi", *command, str(path)],
        env=field.nations.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    reported = process.stdout.read() if process.stdout is not None else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    is_bounded = usage.ru_maxrss < MOST_KIB and len(reported) < MOST_BYTES
    return "bounded" if is_bounded else f"{usage.ru_maxrss >> 10} MiB, {len(reported)} bytes of answers"


ATTACKS: Final = (
    Attack(WHO, f"{CROWD:,} honest sensors on one indicator, then its recall",
           f"{CROWD} sources, recall obeyed, recalled; rows bounded", a_crowd),
    Attack(WHO, f"{MANY} markings of one sensor", "rows bounded", endless_markings),
    Attack(WHO, f"{MANY} gaps of one sensor", "rows bounded", endless_gaps),
    Attack(WHO, "damaged reports", "undecodable or truncated, unknown-schema, mismatched-columns", damaged_bytes),
    Attack(WHO, "a newer epoch under a name without a key", "nothing", a_newer_epoch),
    Attack(WHO, "an unsigned report under a name with a key", "refused: unsigned; nothing", unsigned_name),
    Attack(WHO, "a report signed by a key of one's own", "refused: unknown-key; nothing", another_key),
    Attack(WHO, "a report signed by another sensor", "refused: unknown-key; nothing", anothers_key),
    Attack(WHO, "a signature of another report", "refused: bad-signature; nothing", an_old_signature),
    Attack("no one", "the sensor itself loosens, signed", "content", a_loosening_owner),
    Attack(WHO, "to use up another's redrive",
           "unsigned, unknown-key, unknown-key, not-authorised; then redriven: exit 0, content", anothers_redrive),
    Attack(WHO, "to sign with a stolen key that is revoked later",
           "content; refused: revoked-key; listed, released to JPN; recall obeyed, recalled", a_stolen_key),
    Attack(WHO, "an epoch of next year", "refused: future-epoch", a_future_epoch),
    Attack(WHO, "a STIX file of 63 MiB of commas", "bounded", nothing_but_commas),
    Attack(WHO, "special-use addresses and names", "nothing; nothing; nothing; nothing", special_use),
)  # fmt: skip
