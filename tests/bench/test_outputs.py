"""The part on outputs: a whole picture into each of them, with receivers that answer as the real ones do."""

import json
import tempfile
from pathlib import Path

import pytest

from bench import snapshot
from bench.goals import goals
from bench.outputs import LEFT_OUT, path_of_sink, snapshots
from bench.picture import Records, built
from bench.sinks import sink
from bench.stand import PARTNER, Stand
from bench.tables import outputs as shown
from consumers.outputs.known import outputs
from exchange.clock import now_ms

SIZE = 300


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("picture"), Records(SIZE, 1, now_ms()))


@pytest.mark.parametrize("name", [name for name in outputs() if name not in LEFT_OUT | {"kafka"}])
def test_every_output_takes_all_that_it_can_carry(
    name: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret").write_text("bench\n")
    with sink() as url:
        place = outputs()[name].place
        target = f"{url}{path_of_sink(name, tmp_path / 'secret')}" if place == "URL" else f"{tmp_path}/{name}"
        if place == "DIR":
            Path(target).mkdir()
        snapshot.main(str(picture), PARTNER, f"{name}:{target}", str(tmp_path))
    found = json.loads(capsys.readouterr().out)
    carried = {"hosts": 90, "unbound": 90, "addresses": 120, "nftables": 120, "rpz": 210, "suricata": 270}
    assert (found["output"], found["written"]) == (name, carried.get(name, SIZE))
    assert found["peak_mib"] >= found["more_mib"] >= 0


def test_each_target_has_its_own_line_and_is_gone_before_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = snapshots(Stand({}, tmp_path), SIZE, 1, ("suricata", "stix"))
    assert [(each["output"], each["written"]) for each in found] == [
        ("suricata", 270), ("stix", SIZE), ("stix, a folder", SIZE),
    ]  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_change_has_a_goal_for_each_tool() -> None:
    change = {"tool": "TAXII answer", "held": 1_000_000, "rate": 1_000, "probes": 5, "p50_ms": 90, "p99_ms": 2_001}
    data = {"indicators": 1, "snapshots": [], "changes": [change | {"max_ms": 3_000}]}
    [line] = [line for line in goals({"outputs": {"data": data}}).splitlines() if "TAXII answer" in line]
    assert "1000/s beside 1 000 000" in line
    assert "short" in line
    assert "TAXII answer" in shown(data)
