"""Suricata's memory is what its files are: changes go by its socket, behind the files, and nothing is lost."""

import threading
from pathlib import Path

import pytest

from consumers.outputs.known import understood
from consumers.outputs.protocol import Change, Held, LeftOut, OutputUnavailable, Put, Remove
from consumers.outputs.suricata_live import SuricataMemory
from consumers.outputs.suricata_rules import sets_of
from consumers.outputs.suricata_socket import CommandSocket
from consumers.subscription.changes import State
from exchange.errors import ConfigurationError
from tests.builders import an_entry
from tests.consumers.outputs.suricata_sensor import NAMES, Sensor, coded, names_in, removal, sensor
from tests.consumers.outputs.suricata_server import SuricataSocket
from tests.consumers.outputs.test_output_laws import VALUES
from tests.polling import eventually

__all__ = ["sensor"]

FAULTS = ("hang", "half", "reset", "text", "refuse", "busy")


def test_changes_are_in_memory_without_a_load_and_never_before_they_are_in_the_file(sensor: Sensor) -> None:
    server, early = sensor.suricata(), list[str]()

    def look(command: str, arguments: dict[str, str]) -> None:
        lines = (sensor.folder / f"{NAMES}.lst").read_text().splitlines()
        if command in ("dataset-add", "dataset-remove") and (command == "dataset-add") != (
            arguments["datavalue"] in lines
        ):
            early.append(command)

    server.before = look
    sensor.change("second.example")
    sensor.change("first.example", "revoked")
    sensor.turn()
    assert names_in(server) == {"second.example"}
    assert server.loads == 1
    assert server.commands.index("dataset-remove") < server.commands.index("dataset-add")
    assert early == []


def test_while_its_socket_is_away_the_files_go_on_and_a_recall_shows_until_memory_has_lost_it(sensor: Sensor) -> None:
    assert sensor.server is not None
    old = sensor.server
    sensor.server.fault = "reset"
    sensor.change("first.example", "recalled")
    sensor.change("second.example")
    with pytest.raises(OutputUnavailable):
        sensor.turn()
    lines = (sensor.folder / f"{NAMES}.lst").read_text().splitlines()
    assert lines == [coded("second.example")]
    assert sensor.unapplied() == {sensor.files.name: 0, sensor.live.name: 1}
    assert names_in(old) == {"first.example"}
    old.fault = ""
    sensor.turn()
    assert names_in(old) == {"second.example"}
    assert set(sensor.unapplied().values()) == {0}


def test_memory_waits_until_the_files_are_there(tmp_path: Path) -> None:
    sensor = Sensor(tmp_path)
    sensor.change("first.example")
    with sensor.world.picture() as picture:
        assert not sensor.live.turn(picture)
    assert sensor.files.name in sensor.live.standing.trouble


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_its_socket_does_no_change_is_lost(fault: str, sensor: Sensor) -> None:
    server = sensor.server
    assert server is not None
    memory = SuricataMemory(sensor.folder, CommandSocket("test", str(sensor.socket), 0.2), loading_s=0.5)
    held = memory.held()
    assert held is not None
    entry = an_entry("first.example")
    changes: list[Change] = [removal(entry), Put(an_entry("second.example"))]
    now = Held(held.picture, held.selection, held.added_us + 1, held.output)
    server.fault = fault
    for _ in range(2):
        with pytest.raises(OutputUnavailable):
            memory.apply(changes, now, list)
    assert memory.held() == held
    server.fault = ""
    report = memory.apply(changes, now, list)
    assert (report.written, report.removed, memory.held()) == (1, 1, now)
    assert names_in(server) == {"second.example"}
    memory.close()


@pytest.mark.parametrize("fault", ["bare", "late"])
def test_an_answer_may_have_no_newline_or_have_it_later(fault: str, sensor: Sensor) -> None:
    assert sensor.server is not None
    sensor.server.fault = fault
    sensor.change("second.example")
    sensor.turn()
    assert names_in(sensor.server) == {"first.example", "second.example"}


def test_a_set_that_is_full_is_loaded_again_and_what_it_still_lacks_is_counted(sensor: Sensor) -> None:
    assert sensor.server is not None
    sensor.server.memcap = 1
    sensor.change("second.example")
    sensor.turn()
    assert sensor.server.loads == 3
    assert names_in(sensor.server) == {"first.example", "second.example"}  # its new set took all of the file
    memory = SuricataMemory(sensor.folder, CommandSocket("test", str(sensor.socket)))
    report = memory.apply([Put(an_entry("elsewhere.example"))], Held("p", "s", 1), list)
    assert (report.written, dict(report.left_out)) == (0, {LeftOut.LIMIT: 1})
    memory.close()


@pytest.mark.parametrize(("state", "loads"), [(State.RECALLED, 1), (State.EXPIRED, 0)])
def test_a_recall_of_what_only_a_load_takes_out_makes_it_load(state: State, loads: int, sensor: Sensor) -> None:
    assert sensor.server is not None
    memory, before = SuricataMemory(sensor.folder, CommandSocket("test", str(sensor.socket))), sensor.server.loads
    for number, (value, kind) in enumerate((("192.0.2.0/24", "ipv4-net"), ("a" * 64, "file-sha256")), 1):
        entry = an_entry(value, kind)
        gone = Remove(entry.id, entry.origin, entry.type, entry.value, state, entry.version + 1)
        report = memory.apply([gone], Held("p", "s", number), list)
        assert (report.removed, sensor.server.loads - before) == (1, loads * number)
    memory.close()


def test_a_load_that_takes_long_or_never_ends_is_waited_for_and_not_asked_for_twice(sensor: Sensor) -> None:
    server = sensor.server
    assert server is not None
    memory = SuricataMemory(sensor.folder, CommandSocket("test", str(sensor.socket)), loading_s=0.1)
    server.load_s, before = 0.4, server.loads
    asked = len([each for each in server.commands if each == "ruleset-reload-nonblocking"])
    with pytest.raises(OutputUnavailable, match="within"):
        memory.write([], Held("p", "s", 7))
    with pytest.raises(OutputUnavailable, match="in progress"):
        memory.write([], Held("p", "s", 8))
    eventually(lambda: server.loads == before + 1, 10, "the rules are loaded")
    with pytest.raises(OutputUnavailable, match="goes on"):
        memory.write([], Held("p", "s", 9))
    assert memory.held() == Held("p", "s", 7)  # it may have read the files of then
    assert [each for each in server.commands if each == "ruleset-reload-nonblocking"][asked + 2 :] == []
    memory.close()


def test_a_suricata_without_our_rules_is_a_trouble_that_names_the_rules(tmp_path: Path) -> None:
    server = SuricataSocket(tmp_path / "s", tmp_path / "none.rules").start()
    memory = SuricataMemory(tmp_path, CommandSocket("test", str(tmp_path / "s")))
    memory.write([], Held("p", "s", 1))
    with pytest.raises(OutputUnavailable, match="rules loaded"):
        memory.apply([Put(an_entry("first.example"))], Held("p", "s", 2), list)
    assert memory.held() == Held("p", "s", 1)
    memory.close()
    server.stop()


def test_an_audit_finds_what_memory_lacks_and_repairs_it(sensor: Sensor) -> None:
    server, stopping = sensor.server, threading.Event()
    assert server is not None
    server.sets[NAMES][1].clear()
    with sensor.world.picture() as picture:
        assert [each.kind for each in sensor.live.check(picture)] == ["missing"]
    before = server.loads
    thread = threading.Thread(target=sensor.live.run, args=(stopping,))
    thread.start()
    eventually(lambda: server.loads > before and names_in(server) == {"first.example"}, 10, "it is repaired")
    eventually(lambda: sensor.live.standing.differences == 1, 10, "it is counted")
    stopping.set()
    thread.join(10)


def test_each_type_of_a_set_is_taken_as_the_files_have_it(sensor: Sensor) -> None:
    assert sensor.server is not None
    entries = [an_entry(VALUES[kind][0], kind.label) for kind in sets_of()]
    memory = SuricataMemory(sensor.folder, CommandSocket("test", str(sensor.socket)))
    report = memory.apply([*map(Put, entries), Put(an_entry("not a name"))], Held("p", "s", 1), list)
    assert (report.written, dict(report.left_out)) == (len(entries), {LeftOut.VALUE: 1})
    assert list(memory.check(entries)) == []
    memory.apply([removal(each) for each in entries], Held("p", "s", 2), list)
    assert len(list(memory.check(entries))) == len(entries)
    memory.close()


@pytest.mark.parametrize("socket", ["", "/" + "a" * 107])
def test_a_path_that_can_be_no_socket_is_refused_with_a_remedy(socket: str, tmp_path: Path) -> None:
    output, target = understood(f"suricata:{tmp_path}?socket={socket}", "JPN")
    with pytest.raises(ConfigurationError, match="write the path of Suricata's command socket"):
        output.live_on(target)
