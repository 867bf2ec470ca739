"""The tables of the pages say what the code says."""

from pathlib import Path
from typing import Final

import pytest

from exchange.errors import Exit
from exchange.metrics.spec import ALL
from exchange.settings import Settings
from localkafka.settings import BrokerSettings
from producers.readers.formats import readers
from schemas.topics import DAY_MS, FOR_EVER, Topic, topics_of
from schemas.vocabulary import Outcome, RejectReason
from tests.asked import Asked
from tests.docs.pages import ROOT, code_spans, table
from tools import formats

DOCS: Final = ROOT / "docs"
NATION: Final = "GBR"
# Settings that other code reads by itself, or that are read under a name made of a nation's.
REGISTRY: Final = {f"KAKEHASHI_<NATION>_SCHEMA_REGISTRY_{name}": "" for name in ("URL", "USER_INFO", "CA_LOCATION")}
BY_OTHERS: Final = {
    "XDG_CACHE_HOME": "~/.cache",
    "KAKEHASHI_<NATION>_BOOTSTRAP": "",
    **REGISTRY,
    "KAFKA_BOOTSTRAP_SERVERS": "",
}


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "compacted"
    return "until truncated" if topic.retention_ms == FOR_EVER else f"{topic.retention_ms // DAY_MS} days"


def test_the_topics_are_those_of_the_contract() -> None:
    shown = {row[0].strip("`"): (row[1], row[2]) for row in table(DOCS / "architecture.md", "topic", "key", "kept")}
    assert shown == {topic.name: (topic.key, _kept(topic)) for topic in topics_of(NATION, ["<partner>"], 4)}


def test_every_folder_of_the_code_is_named_with_the_process_that_runs_it() -> None:
    tops = ("schemas", "exchange", "producers", "streams", "consumers", "kakehashi", "localkafka", "tools", "demo")
    packages = {file.parent for top in tops for at in ("", "*/") for file in ROOT.glob(f"{top}/{at}__init__.py")}
    folders = {str(package.relative_to(ROOT)) for package in packages} | {"schemas/avro"}
    shown = {row[0].strip("`"): row[1] for row in table(DOCS / "architecture.md", "folder", "process")}
    assert set(shown) == folders
    assert all(shown.values())


def test_the_settings_are_those_that_the_code_asks_for_with_its_defaults() -> None:
    common, brokers = Asked(), Asked()
    settings = Settings.from_env(common)
    local = BrokerSettings.from_env(brokers, [NATION])
    asked = {name for name in common.names | brokers.names if not name.startswith(f"KAKEHASHI_{NATION}_")} - {"HOME"}
    shown = {row[0].strip("`"): row[1].strip("`") for row in table(DOCS / "sre.md", "variable", "default")}
    assert set(shown) == asked | set(BY_OTHERS)
    assert shown == BY_OTHERS | {
        "KAKEHASHI_NATIONS": ",".join(settings.nations),
        "KAKEHASHI_SHARDS": str(settings.shards),
        "KAKEHASHI_ROLL_UP_MS": str(settings.roll_up_ms),
        "KAKEHASHI_SENSOR_QUOTA": str(settings.sensor_quota),
        "KAKEHASHI_SENSOR_KEY": "",
        "KAKEHASHI_HOME": str(settings.home),
        "KAKEHASHI_STATE": str(settings.state),
        "KAKEHASHI_POLICY": settings.policy_version,
        "KAKEHASHI_POLICY_FOLDER": settings.policy_folder.name,
        "KAKEHASHI_OFFICERS": str(settings.officers),
        "KAKEHASHI_METRICS_PORT": str(settings.metrics_port),
        "KAKEHASHI_METRICS_ADDRESS": settings.metrics_address,
        "KAKEHASHI_LOG_FORMAT": settings.log_format,
        "KAKEHASHI_SESSION_TIMEOUT_S": f"{settings.session_timeout_s:g}",
        "KAKEHASHI_STANDBY": str(int(settings.standby)),
        "KAKEHASHI_RECEIPT_LIMIT_S": str(settings.receipt_limit_s),
        "KAKEHASHI_RECALL_LIMIT_S": str(settings.recall_limit_s),
        "KAKEHASHI_POLICY_LEAD_S": str(settings.policy_lead_s),
        "KAKEHASHI_RECONCILE_S": str(settings.reconcile_s),
        "KAKEHASHI_BRIDGE_RATE": str(settings.bridge_rate),
        "KAKEHASHI_BROKER_PROVIDER": local.provider.value,
        "KAKEHASHI_KAFKA_IMAGE": local.image,
        "KAKEHASHI_KAFKA_HEAP": local.heap,
    }


def test_every_exit_code_is_explained_to_the_sre_and_no_other_to_anybody() -> None:
    known = {str(int(code)) for code in Exit}
    assert {row[0] for row in table(DOCS / "sre.md", "exit code", "meaning")} == known
    for page in ("sensor-operator.md", "soc-analyst.md", "release-officer.md", "compliance-officer.md"):
        assert {row[0] for row in table(DOCS / page, "code")} <= known


def test_the_table_of_formats_is_the_readers_own() -> None:
    written = {row[0].strip("`") for row in table(DOCS / "sensor-operator.md", "format", "input")}
    assert written == set(readers())
    text = formats.PAGE.read_text("utf-8")
    assert formats.page_with_formats(text) == text, "run `make formats`"


def test_every_reason_that_a_sensor_can_cause_is_explained_to_its_operator() -> None:
    of_the_border = list(RejectReason)[list(RejectReason).index(RejectReason.FORBIDDEN_MARKING) :]
    written = " ".join(cell for row in table(DOCS / "sensor-operator.md", "what came") for cell in row)
    missing = [reason for reason in RejectReason if reason not in of_the_border and f"`{reason}`" not in written]
    assert not missing


def test_every_outcome_is_explained_to_the_release_officer() -> None:
    shown = {row[0].lower() for row in table(DOCS / "release-officer.md", "outcome")}
    assert shown == set(Outcome)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_every_metric_that_is_named_exists(page: Path) -> None:
    known = {metric.full_name for metric in ALL}
    named = {span.partition("{")[0] for span in code_spans(page) if span.startswith("kakehashi_")} - {"kakehashi_"}
    assert {name for name in named if name.removesuffix("_total") not in known and name not in known} == set()
