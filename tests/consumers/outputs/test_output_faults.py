"""Which test shows what of each output: faults, and values that could break a format. A new output needs its line.

What every output has in common is not here: `test_output_laws.py` takes all of them.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from consumers.outputs.known import outputs

_FOLDER: Final = Path(__file__).parent
ON_DISK: Final = frozenset(name for name, output in outputs().items() if output.place in {"FILE", "DIR"})
HTTP: Final = frozenset({"webhook", "splunk", "kvstore", "elastic"})
PUSHED: Final = HTTP | {"syslog", "kafka"}

KILLED: Final[Mapping[str, frozenset[str]]] = {
    "test_follower_kill.test_a_target_on_a_disk_is_whole_whenever_its_process_dies_and_loses_no_removal": ON_DISK,
    "test_output_kill.test_a_killed_output_leaves_a_whole_target_and_goes_on": ON_DISK,
    "test_follower_kill.test_a_receiver_holds_what_it_has_to_whenever_the_process_that_pushes_dies": HTTP,
    "test_follower_kill.test_a_log_of_changes_leads_to_what_there_is_whenever_the_process_that_sends_dies": frozenset(
        {"syslog"}
    ),
    "test_follower_kill.test_a_topic_holds_what_it_has_to_whenever_the_process_that_writes_dies": frozenset({"kafka"}),
    "test_suricata_dies.test_a_process_of_ours_that_is_killed_at_any_step_loses_nothing": frozenset({"suricata"}),
}
FULL_DISK: Final[Mapping[str, frozenset[str]]] = {
    # of what is pushed, the ledger: it is one for all of them
    "test_full_disk.test_every_output_keeps_its_target_on_a_full_disk_and_goes_on_when_there_is_room": ON_DISK | PUSHED,
}
AWAY: Final[Mapping[str, frozenset[str]]] = {
    "test_http_outputs.test_a_receiver_that_fails_gets_everything_once_it_is_well_and_the_position_waits": HTTP,
    "test_syslog.test_a_receiver_that_does_not_close_in_order_has_confirmed_nothing": frozenset({"syslog"}),
    "test_kafka_json.test_a_broker_that_is_away_confirms_nothing": frozenset({"kafka"}),
    "test_suricata_live.test_whatever_its_socket_does_no_change_is_lost": frozenset({"suricata"}),
}
RECALLED_MEANWHILE: Final[Mapping[str, frozenset[str]]] = {
    "test_follower_kill.test_a_target_on_a_disk_is_whole_whenever_its_process_dies_and_loses_no_removal": ON_DISK,
    "test_push_after_outage.test_recalls_come_first_after_an_outage_and_are_counted_until_then": HTTP,
    "test_syslog.test_recalls_come_first_after_an_outage_and_are_counted_until_then": frozenset({"syslog"}),
    "test_kafka_json.test_recalls_come_first_after_an_outage_and_are_counted_until_then": frozenset({"kafka"}),
    "test_suricata_live.test_while_its_socket_is_away_the_files_go_on_and_a_recall_shows_until_memory_has_lost_it": (
        frozenset({"suricata"})
    ),
}
READ_BACK: Final[Mapping[str, frozenset[str]]] = {
    "test_hosts.test_whatever_comes_each_line_is_an_address_and_one_name": frozenset({"hosts"}),
    "test_lists.test_unbound_gets_one_zone_for_each_name": frozenset({"unbound"}),
    "test_lists.test_a_plain_list_has_each_value_on_a_line_or_leaves_it_out": frozenset({"values"}),
    "test_lists.test_a_list_of_networks_holds_exactly_the_addresses_in_the_fewest_networks": frozenset({"addresses"}),
    "test_lists.test_an_nftables_script_replaces_both_sets": frozenset({"nftables"}),
    "test_lists.test_csv_is_that_of_the_rfc_without_formulas_and_hidden_characters": frozenset({"csv"}),
    "test_rpz.test_each_name_has_its_wildcard_beside_it_and_nothing_else_is_there": frozenset({"rpz"}),
    "test_suricata.test_whatever_comes_a_file_has_lines_of_its_type_alone": frozenset({"suricata"}),
    "test_zeek.test_every_value_is_read_back_as_it_is_or_left_out": frozenset({"zeek"}),
    "test_misp.test_a_value_that_misp_would_change_is_left_out": frozenset({"misp"}),
    "test_stix.test_a_strict_parser_reads_back_each_indicator_as_it_is": frozenset({"stix"}),
    "test_http_outputs.test_every_value_and_label_is_read_back_as_it_is": HTTP,
    "test_syslog.test_every_value_is_read_back_as_it_is_or_left_out": frozenset({"syslog"}),
    "test_kafka_json.test_every_value_and_label_is_read_back_as_it_is": frozenset({"kafka"}),
}
NEEDED: Final[Mapping[str, tuple[Mapping[str, frozenset[str]], frozenset[str]]]] = {
    "its process is killed": (KILLED, ON_DISK | PUSHED),
    "its disk is full": (FULL_DISK, ON_DISK | PUSHED),
    "its receiver hangs, fails or resets": (AWAY, PUSHED | {"suricata"}),
    "a recall comes while it is away": (RECALLED_MEANWHILE, ON_DISK | PUSHED),
    "any value and label is read back by another parser": (READ_BACK, ON_DISK | PUSHED),
}


def test_every_output_is_on_a_disk_or_pushes() -> None:
    assert outputs().keys() == ON_DISK | PUSHED


@pytest.mark.parametrize("kind", NEEDED)
def test_each_output_has_its_test(kind: str) -> None:
    tests, wanted = NEEDED[kind]
    assert frozenset().union(*tests.values()) == wanted


@pytest.mark.parametrize("kind", NEEDED)
def test_each_test_that_is_named_is_there(kind: str) -> None:
    tests, _ = NEEDED[kind]
    assert [each for each in tests if each.partition(".")[2] not in _tests_in(each.partition(".")[0])] == []


@cache
def _tests_in(name: str) -> frozenset[str]:
    tree = ast.parse((_FOLDER / f"{name}.py").read_text("utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef))
