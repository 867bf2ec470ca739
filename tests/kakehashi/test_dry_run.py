"""A dry run says of each piece of an input what the exchange then makes of it."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from exchange.errors import Exit
from kakehashi.dry_run_view import Table
from kakehashi.fates import Fate
from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Reading, Seen, Withdrawn
from producers.spool.spool import Spool
from schemas import topics
from schemas.codec import DECISION, RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.markings import SourceMarking
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType, Withdrawal
from tests.builders import NOW_MS
from tests.door.outcomes import defaults_of, inputs, table_of
from tests.kakehashi.command import kakehashi
from tests.kakehashi.dry_running import ENRICHER, GREEN, a_dry_run, fates_of
from tests.producers.producing import SENSOR, quarantined_in, reports_in, run
from tests.streams.memory_exchange import MemoryExchange

CODEC = Codec()


def shown(fates: Iterable[Fate]) -> list[tuple[int, str, str, str]]:
    return [(fate.line, fate.value, fate.outcome, fate.reason) for fate in fates]


def test_each_line_has_its_outcome_reason_marking_and_the_place_of_the_marking() -> None:
    feed = b"domain,asn,url,tlp_level\n" + b"".join(
        b"%s,,,%s\n" % line
        for line in (
            (b"bad.kakenet-mal.org", b"TLP:GREEN"),
            (b"worse.kakenet-mal.org", b"TLP:RED"),
            (b"odd.kakenet-mal.org", b"TLP:PURPLE"),
            (b"bad..kakenet-mal.org", b"TLP:GREEN"),
        )
    )
    header, released, withheld, held, refused = fates_of(feed)
    assert (header.outcome, header.reason, header.value) == ("skip", "header", "")
    assert shown([released, withheld, held]) == [
        (2, "bad.kakenet-mal.org", "release", "tlp-green"),
        (3, "worse.kakenet-mal.org", "withhold", "tlp-red"),
        (4, "odd.kakenet-mal.org", "hold", "caveat-unrecognised"),
    ]
    assert (released.type, released.marking) == ("domain-name", "TLP:GREEN")
    assert released.marking_from == 'column 4, header "tlp_level" "TLP:GREEN"'
    assert (withheld.marking, held.marking) == ("TLP:RED", "TLP:GREEN + UNRECOGNISED")
    assert "not understood" in held.marking_from
    assert (refused.line, refused.outcome) == (5, "refuse")
    assert refused.detail


def test_a_marking_of_the_options_reports_it() -> None:
    [fate] = fates_of(b"hxxp://bad[.]kakenet-mal[.]org/a\n")
    assert (fate.value, fate.marking_from) == ("http://bad.kakenet-mal.org/a", "the operator's options")


def test_what_intake_would_refuse_is_refused_with_the_same_reason_and_beside_it_the_rest_goes() -> None:
    fates = fates_of(b"domain,count\nbad.kakenet-mal.org,0\nworse.kakenet-mal.org,1\n")
    assert [(fate.line, fate.outcome, fate.reason) for fate in fates[1:]] == [
        (2, "refuse", "count-out-of-range"),
        (3, "release", "tlp-green"),
    ]


def test_lines_with_one_value_are_decided_together() -> None:
    fates = fates_of(b"domain,tlp\nbad.kakenet-mal.org,TLP:GREEN\nBAD.kakenet-mal.org.,TLP:RED\n")
    assert [(fate.outcome, fate.marking) for fate in fates[1:]] == [("withhold", "TLP:RED")] * 2
    assert fates[1].marking_from.endswith("; other lines with this value")


def test_an_assertion_that_has_ended_is_withdrawn() -> None:
    fates = fates_of(b"domain,valid_until\nbad.kakenet-mal.org,2001-01-01T00:00:00Z\n")
    assert shown(fates[1:]) == [(2, "bad.kakenet-mal.org", "withdraw", "validity-ended")]


def seen(line: int, value: str, name: str, modified_ms: int) -> Seen:
    observation = Observation(IndicatorType.DOMAIN_NAME, value, marking=GREEN, confidence=60)
    return Seen(SourcePlace("f", line), observation, (), name, modified_ms)


def gone(line: int, value: str, name: str, modified_ms: int) -> Withdrawn:
    place, how = SourcePlace("f", line), Withdrawal.REVOKED
    kind = IndicatorType.DOMAIN_NAME
    return Withdrawn(place, "revoked", kind=kind, value=value, withdrawal=how, object_id=name, modified_ms=modified_ms)


def test_the_objects_of_a_source_count_as_in_the_spool() -> None:
    a, b = "a.kakenet-mal.org", "b.kakenet-mal.org"
    readings: list[Reading] = [
        seen(1, a, "one", 1),
        seen(2, a, "two", 1),
        gone(3, a, "one", 2),  # the other object holds
        gone(4, a, "two", 2),
        seen(5, a, "two", 1),  # an older version
        seen(6, b, "six", 1),
        seen(7, "c.kakenet-mal.org", "six", 2),  # its newer version lacks b
    ]
    found = shown(a_dry_run().fates(readings))
    assert [(line, outcome, reason) for line, _, outcome, reason in found] == [
        (1, "release", "tlp-green"),
        (2, "release", "tlp-green"),
        (3, "skip", "still-asserted"),
        (4, "withdraw", "revoked"),
        (5, "skip", "superseded"),
        (6, "release", "tlp-green"),
        (7, "release", "tlp-green"),
        (7, "withdraw", "superseded"),
    ]
    assert found[-1][1] == b


def test_fates_come_in_order_while_the_input_is_still_read() -> None:
    count = 0

    def endless() -> Iterable[Reading]:
        nonlocal count
        while True:
            count += 1
            yield seen(count, f"n{count}.kakenet-mal.org", "", 0)

    fates = a_dry_run().fates(endless())
    assert [next(fates).line for _ in range(1500)] == list(range(1, 1501))
    assert count <= 2001, "no more is read ahead than a report holds"


def test_an_input_that_rests_is_decided_up_to_there() -> None:
    run = a_dry_run()
    rested: list[int] = []

    def quiet() -> Iterator[Reading]:
        yield seen(1, "a.kakenet-mal.org", "", 0)
        rested.extend(fate.line for fate in run.rest())
        yield seen(2, "b.kakenet-mal.org", "", 0)

    assert [fate.line for fate in run.fates(quiet())] == [2]
    assert rested == [1]


def test_for_several_partners_the_strictest_outcome_is_shown_and_each_is_listed() -> None:
    marked = SourceMarking(tlp="TLP:AMBER", releasable_to=("JPN",))
    observation = Observation(IndicatorType.DOMAIN_NAME, "a.kakenet-mal.org", marking=marked, confidence=60)
    [fate] = a_dry_run(("JPN", "USA")).fates([Seen(SourcePlace("f", 1), observation)])
    assert {name: ruled.outcome for name, ruled in fate.partners.items()} == {"JPN": "release", "USA": "withhold"}
    assert fate.outcome == "withhold"
    assert fate.reason == fate.partners["USA"].reason
    lines = list(Table().lines(fate))
    assert any(line.strip().startswith("JPN: release,") for line in lines)
    assert any(line.strip().startswith("USA: withhold,") for line in lines)


# -- the same as the exchange -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", inputs(), ids=lambda path: path.name)
def test_a_dry_run_states_what_the_exchange_then_does(path: Path, tmp_path: Path) -> None:
    table = table_of(path)
    options = {key: value for key, value in table.items() if key not in {"kind", "readings", "format", "name", "note"}}
    defaults, format_name, name = defaults_of(options), table.get("format", AUTO), table.get("name", path.name)
    with path.open("rb") as stream:
        readings, _ = readings_of(OpenInput(name, stream, encoding=defaults.encoding), format_name, defaults)
        fates = list(a_dry_run().fates(readings))

    shutil.copy(path, tmp_path / name)
    exchange = MemoryExchange(ENRICHER)
    with Spool(tmp_path / "spool", SENSOR.nation, SENSOR.name, NOW_MS) as spool:
        summary = run(spool, tmp_path / name, format=format_name, defaults=defaults)
        for report in reports_in(spool):
            exchange.send(report)
        at_sensor = len(quarantined_in(spool))
    exchange.settle()

    refused = [fate for fate in fates if fate.outcome == "refuse"]
    at_intake = [record for record in exchange.log(topics.QUARANTINE) if record.value is not None]
    assert len(refused) == at_sensor + len(at_intake)
    assert sum(fate.outcome == "skip" for fate in fates) == summary.left_out.total()
    last = {(fate.type, fate.value): fate for fate in fates if fate.value and fate.outcome != "refuse"}
    kinds = {key: fate.outcome for key, fate in last.items()}
    decided: dict[str, str] = {}
    for record in exchange.log(topics.AUDIT):
        decision = CODEC.decode(DECISION, record.value)
        assert isinstance(decision, dict)
        decided[decision["indicator_id"]] = decision["outcome"]
    held: dict[str, str] = {}
    for record in exchange.log(topics.released("JPN")):
        released = CODEC.decode(RELEASED_INDICATOR, record.value)
        assert isinstance(released, dict)
        held[released["id"]] = released["kind"]
    for (label, value), outcome in kinds.items():
        name = indicator_id(indicator_key(TYPE_BY_LABEL[label], value))
        if outcome == "withdraw":
            assert held.get(name) != "content", value
        else:
            assert decided[name] == outcome, value
            assert (held.get(name) == "content") == (outcome == "release"), value
    assert len(decided) <= len(kinds)


# -- the command ----------------------------------------------------------------------------------------------------


def test_the_command_needs_no_broker_and_leaves_nothing(tmp_path: Path) -> None:
    feed = tmp_path / "feed.csv"
    feed.write_text("domain,tlp\nbad.kakenet-mal.org,TLP:GREEN\nnot a name,TLP:GREEN\n", "utf-8")
    home = tmp_path / "home"
    common = ("produce", "--nation", "GBR", "--sensor", "new", "--dry-run", str(feed))
    environ = {"KAKEHASHI_HOME": str(home), "KAKEHASHI_GBR_BOOTSTRAP": "127.0.0.1:1"}
    done = kakehashi(*common, "--json", "--partner", "JPN", within=tmp_path, **environ)
    assert (done.returncode, len(done.stdout.splitlines())) == (Exit.OK, 3), done.stderr
    assert done.stderr.startswith("3 pieces: 1 release, 1 refuse, 1 skip\n")
    strict = kakehashi(*common, "--strict", within=tmp_path, **environ)
    assert strict.returncode == Exit.REFUSED
    assert strict.stdout.splitlines()[0] == str(feed)
    assert not home.exists()


def test_options_that_do_not_fit_a_dry_run_are_usage_errors(tmp_path: Path) -> None:
    common = ("produce", "--nation", "GBR", "--sensor", "new")
    no_file = kakehashi(*common, "--dry-run", within=tmp_path)
    assert (no_file.returncode, "needs a file" in no_file.stderr) == (Exit.USAGE, True)
    no_dry_run = kakehashi(*common, "--partner", "JPN", within=tmp_path)
    assert (no_dry_run.returncode, "--partner is for --dry-run" in no_dry_run.stderr) == (Exit.USAGE, True)
