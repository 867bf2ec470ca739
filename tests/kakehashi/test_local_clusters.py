"""``up``, ``status`` and ``down``: two clusters that outlive the command, with ports and data of their own."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.errors import ConfigurationError, Exit
from exchange.kafka.clients import Cluster, end_offset
from localkafka.persistent import find_bootstrap
from schemas.topics import POLICY
from tests.kakehashi.command import kakehashi
from tests.localkafka.kafka import committed_values, make_topic, producer_of, write

pytestmark = pytest.mark.kafka


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder to work in, in which nothing runs any more afterwards."""
    yield tmp_path
    kakehashi("down", "--wipe", within=tmp_path)


def _status(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in kakehashi("status", within=folder).stdout.splitlines()]


def test_clusters_go_down_and_come_up_on_their_ports_with_their_data(folder: Path) -> None:
    up = kakehashi("up", within=folder, KAKEHASHI_BROKER_PROVIDER="local")
    assert up.returncode == Exit.OK, up.stderr
    environ = {"KAKEHASHI_HOME": str(folder / ".kakehashi")}
    gbr, jpn = find_bootstrap("GBR", environ), find_bootstrap("JPN", environ)
    assert gbr != jpn
    before = _status(folder)
    assert [cluster["answers"] for cluster in before] == [True, True]
    assert all(int(str(cluster["topics"])) > 0 for cluster in before), "the topics of the contract are there"
    make_topic(gbr, "kept")
    write(producer_of(gbr, "sensor"), "kept", b"1", commit=True)

    assert kakehashi("up", within=folder).returncode == Exit.OK
    assert [cluster["runs_as"] for cluster in _status(folder)] == [cluster["runs_as"] for cluster in before]

    assert kakehashi("down", within=folder).returncode == Exit.OK
    down = kakehashi("status", within=folder)
    assert down.returncode == Exit.UNAVAILABLE
    lines = [json.loads(line) for line in down.stdout.splitlines()]
    assert [(each["nation"], each["state"], each["bootstrap"]) for each in lines] == [
        ("GBR", "down", gbr),
        ("JPN", "down", jpn),
    ]

    assert kakehashi("up", within=folder).returncode == Exit.OK
    assert committed_values(gbr, "kept") == [b"1"]

    # A cluster that was killed is seen to be down, and comes back too.
    os.kill(int(str(_status(folder)[1]["runs_as"]).split()[1]), signal.SIGKILL)
    assert [cluster["running"] for cluster in _status(folder)] == [True, False]
    assert kakehashi("up", within=folder).returncode == Exit.OK
    # A broker answers before it leads what it has. Who asks for an end of a partition then waits; it is no error.
    assert [end_offset(Cluster("JPN", jpn), POLICY, 0) for _ in range(5)] == [0] * 5
    assert kakehashi("status", within=folder).returncode == Exit.OK

    values = folder / ".kakehashi" / "picture" / "JPN.sqlite"
    values.parent.mkdir()
    values.touch()
    assert kakehashi("down", "--wipe", within=folder).returncode == Exit.OK
    assert _status(folder) == []
    assert not values.parent.exists(), "nothing of the wiped clusters can be searched any more"


def test_one_nation_s_cluster_goes_up_and_down_alone(folder: Path) -> None:
    up = kakehashi("up", "--nation", "JPN", within=folder, KAKEHASHI_BROKER_PROVIDER="local")
    assert up.returncode == Exit.OK, up.stderr
    assert [json.loads(line)["nation"] for line in up.stdout.splitlines()] == ["JPN"]
    one = kakehashi("status", within=folder)
    assert one.returncode == Exit.UNAVAILABLE, "GBR's is missing"
    assert [(each["nation"], each["answers"]) for each in _status(folder)] == [("JPN", True)]

    assert kakehashi("up", within=folder, KAKEHASHI_BROKER_PROVIDER="local").returncode == Exit.OK
    before = {each["nation"]: each["runs_as"] for each in _status(folder)}
    down = kakehashi("down", "--nation", "GBR", "--wipe", within=folder)
    assert (down.returncode, "GBR stopped" in down.stdout, "JPN" in down.stdout) == (Exit.OK, True, False)
    assert [(each["nation"], each["runs_as"]) for each in _status(folder)] == [("JPN", before["JPN"])]
    assert not (folder / ".kakehashi" / "GBR").exists()


def test_without_clusters_and_settings_the_way_to_get_one_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="kakehashi up") as raised:
        find_bootstrap("GBR", {"KAKEHASHI_HOME": str(tmp_path)})
    assert f"{tmp_path} has no cluster of it" in str(raised.value)
    assert "KAKEHASHI_HOME" in str(raised.value)
    assert find_bootstrap("GBR", {"KAKEHASHI_GBR_BOOTSTRAP": "192.0.2.1:9092"}) == "192.0.2.1:9092"


def test_the_doctor_finds_this_machine_fit(tmp_path: Path) -> None:
    done = kakehashi("doctor", within=tmp_path)
    assert done.returncode == Exit.OK, done.stdout
    assert "Java" in done.stdout
