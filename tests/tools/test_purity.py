"""The check of purity refuses what a pure file must not import, and accepts what is there."""

from pathlib import Path
from typing import Final

import pytest

from tools import purity

PURE: Final = purity.pure_files()
STAGES: Final = (
    "streams.correlate.releases",
    "streams.intake.collapse",
    "streams.receive.inbound",
    "streams.settle.settlement",
    "streams.rules.decide",
    "streams.enrichment.enrich",
    "streams.audit.entry",
    "schemas.markings",
)
REFUSED: Final = {
    "import time": "imports time",
    "import os.path": "imports os.path",
    "import threading as quiet": "imports threading",
    "from subprocess import run": "imports subprocess.run",
    "import confluent_kafka": "imports confluent_kafka",
    "from faust import App": "imports faust.App",
    "from prometheus_client import Counter": "imports prometheus_client.Counter",
    "from exchange.kafka.clients import topic_ids": "no value type",
    "from exchange import clock": "no value type",
    "import exchange.kafka.log": "no value type",
    "from streams.worker import workshop": "is not pure",
    "from streams.rules.rulebook import Rulebook": "is not pure",
    "def late() -> None:\n    import time": "imports time",
    "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)": "calls now",
    "import importlib\n\nTIME = importlib.import_module('time')": "calls import_module",
}


@pytest.mark.parametrize("module", STAGES)
@pytest.mark.parametrize("patch", REFUSED)
def test_a_stage_that_is_patched_with_a_forbidden_import_is_refused(module: str, patch: str) -> None:
    source = PURE[module].read_text("utf-8")
    (found,) = purity.findings(f"{source}\n\n{patch}\n", module)
    assert REFUSED[patch] in found


def test_the_repository_is_pure_where_it_has_to_be() -> None:
    assert [each for name, path in PURE.items() for each in purity.findings(path.read_text("utf-8"), name)] == []


@pytest.mark.parametrize("module", purity.IMPURE)
def test_what_is_listed_as_impure_exists_and_would_be_refused(module: str) -> None:
    path = purity.ROOT / Path(*module.split("."))
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    assert any(list(purity.findings(each.read_text("utf-8"), module)) for each in files)


@pytest.mark.parametrize("module", sorted(purity.VALUES))
def test_what_is_listed_as_a_value_type_is_imported_by_a_pure_file(module: str) -> None:
    room, _, name = module.rpartition(".")
    wanted = (f"from {module} import", f"from {room} import {name}")
    assert any(each in path.read_text("utf-8") for path in PURE.values() for each in wanted)
