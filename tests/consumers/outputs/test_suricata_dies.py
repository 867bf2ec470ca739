"""Whoever is killed, Suricata or the output, Suricata's memory is then what the picture is."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from consumers.outputs.known import opened
from consumers.outputs.protocol import Held, OutputUnavailable
from consumers.outputs.suricata_rules import RULES_FILE, sets_of
from consumers.outputs.suricata_socket import CommandSocket
from consumers.picture.filters import Filter
from tests.consumers.outputs.suricata_sensor import NAMES, Sensor, coded, listen, names_in, process, sensor
from tests.consumers.outputs.suricata_server import SuricataSocket
from tests.consumers.outputs.test_follower_kill import Killed
from tests.consumers.picture.topics import NATION
from tests.polling import eventually

__all__ = ["sensor"]


def test_changes_while_suricata_was_down_are_there_when_it_is_back(sensor: Sensor) -> None:
    server = sensor.server
    assert server is not None
    server.stop()
    sensor.server = None
    sensor.change("second.example")
    with pytest.raises(OutputUnavailable):
        sensor.turn()
    late = SuricataSocket(sensor.socket, sensor.folder / RULES_FILE)  # it has read the files
    sensor.change("third.example")
    sensor.change("first.example", "revoked")
    with pytest.raises(OutputUnavailable):
        sensor.turn()
    sensor.server = late.start()
    sensor.turn()
    assert names_in(late) == {"second.example", "third.example"}


def test_a_suricata_that_is_killed_has_everything_when_it_is_back_without_a_second_load(tmp_path: Path) -> None:
    sensor = Sensor(tmp_path)
    sensor.change("first.example")
    sensor.write_files()
    with process(sensor) as first:
        sensor.turn()
        sensor.change("second.example")
        sensor.turn()
        first.kill()
    sensor.change("first.example", "revoked")
    with pytest.raises(OutputUnavailable):
        sensor.turn()
    with process(sensor):
        sensor.change("third.example")
        sensor.turn()
        commands = CommandSocket("test", str(sensor.socket))
        commands.open()
        found = {each: commands.ask("dataset-lookup", setname=NAMES, settype="string", datavalue=coded(each)).is_ok
                 for each in ("first.example", "second.example", "third.example")}  # fmt: skip
        assert found == {"first.example": False, "second.example": True, "third.example": True}
        assert "12:00:00.000001" in str(commands.ask("ruleset-reload-time").message)
        commands.close()
        sensor.live.close()


def test_a_suricata_that_read_its_files_before_another_confirmed_a_change_loads_them_again(tmp_path: Path) -> None:
    sensor = Sensor(tmp_path)
    sensor.change("first.example")
    sensor.write_files()
    with process(sensor) as first, process(sensor, listens=False) as second:
        sensor.turn()
        sensor.change("first.example", "revoked")
        sensor.turn()  # the first one has confirmed it; the second one has read the files before
        first.kill()
        first.wait()
        listen(second)
        sensor.change("second.example")
        sensor.turn()
        commands = CommandSocket("test", str(sensor.socket))
        commands.open()
        answer = commands.ask("dataset-lookup", setname=NAMES, settype="string", datavalue=coded("first.example"))
        assert answer.message == "item not found in set"
        commands.close()
        sensor.live.close()


def test_a_process_that_is_behind_confirms_nothing_until_it_has_loaded_again(sensor: Sensor) -> None:
    server, note = sensor.server, sensor.folder / ".kakehashi-live"
    assert server is not None
    content = json.loads(note.read_bytes())
    content["process"]["pid"] += 1  # another one, that confirmed a change an hour after this one has started
    content["confirmed_s"] += 3_600
    note.write_text(json.dumps(content))
    sensor.start_again()
    server.load_s, before = 0.3, server.loads
    server._reload({})  # by somebody else: it may have read the older files
    with sensor.world.picture() as picture:
        sensor.write_files()
        sensor.change("second.example")
        sensor.write_files()
        for _ in range(2):
            with pytest.raises(OutputUnavailable, match="refuses ruleset-reload"):
                sensor.live.turn(picture)
        assert json.loads(note.read_bytes())["process"] == content["process"]
        eventually(lambda: server.loads == before + 1, 10, "somebody else's load is done")
        server.load_s = 0.0
        list(sensor.live.check(picture))  # it has a connection now
        sensor.live.turn(picture)
    assert server.loads == before + 2
    assert json.loads(note.read_bytes())["process"] != content["process"]


def test_a_process_of_ours_that_is_killed_at_any_step_loses_nothing(tmp_path: Path) -> None:
    killed = Killed(tmp_path)
    folder, socket = tmp_path / "rules", tmp_path / "s"
    folder.mkdir()
    target, chance = f"suricata:{folder}?socket={socket}", Random(7)
    killed.change()
    opened(f"suricata:{folder}", NATION)[2].write([], Held("none", "", 0, "suricata"))
    server = SuricataSocket(socket, folder / RULES_FILE).start()
    steps = killed.turn(target).steps
    for dies_at in sorted(chance.sample(range(steps), min(steps, 5))):
        killed.change()
        killed.turn(target, dies_at)
        killed.turn(target)
        lines = {name: (folder / f"{name}.lst").read_text().splitlines() for name, _ in sets_of().values()}
        assert {name: len(server.sets[name][1]) for name in lines} == {name: len(each) for name, each in lines.items()}
        assert all(server.has(name, line) for name, each in lines.items() for line in each)
    server.stop()
    killed.close()


@pytest.mark.parametrize("seed", range(3))
def test_memory_is_what_the_picture_is_after_any_course_of_events(seed: int, sensor: Sensor) -> None:
    chance, alive, steps = Random(seed), {"first.example"}, list[str]()

    def change() -> None:
        value = f"n{chance.randrange(6)}.example"
        sensor.change(value, chance.choice(("content", "revoked", "recalled")) if value in alive else "content")
        with sensor.world.picture() as picture:
            alive.clear()
            alive.update(each.value for each in picture.entries(Filter()))

    def fault() -> None:
        assert sensor.server is not None
        sensor.server.fault = chance.choice(("half", "reset", "text", "refuse", ""))

    def reload() -> None:
        assert sensor.server is not None
        sensor.server._reload({})

    events: tuple[Callable[[], object], ...] = (change, change, fault, reload, sensor.suricata, sensor.start_again)
    for _ in range(15):
        event = chance.choice(events)
        steps.append(getattr(event, "__name__", ""))
        event()
        try:
            sensor.turn()
        except OutputUnavailable:
            steps.append("unavailable")
    assert sensor.server is not None
    sensor.server.fault = ""
    sensor.change("last.example")
    for _ in range(40):
        try:
            sensor.turn()
        except OutputUnavailable:
            continue
        break
    assert names_in(sensor.server) == alive | {"last.example"}, steps
