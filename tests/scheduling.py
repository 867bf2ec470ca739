"""Which tests run one after the other in one process, and which tests start first.

`make test` runs the suite in several processes at once (pytest-xdist). Files that share a world, that is, nations or
brokers that their tests change for those after them, stay in one process and in their order. Every other file may run
in any of them. What takes longest starts first, so that no process is left alone with it at the end.
"""

from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_OF_THEIR_OWN: Final = (
    "tests/integration/test_door.py",
    "tests/integration/test_upgraded_rules.py",
    "tests/integration/test_three_nations.py",
)
"""Files in the folder of a shared world that start nations of their own."""

_WORLDS: Final = {
    "tests/integration/": "nations",
    "tests/faults/test_hostile.py": "supervised nations",
    "tests/faults/test_kill.py": "supervised nations",
    "tests/faults/test_link.py": "supervised nations",
    "tests/link/": "brokers",  # and of the secured cluster
}
"""Files, by the beginning of their path, that share a world."""

_ON_BROKERS: Final = {
    "tests/consumers/": "borders",
    "tests/faults/test_steps": "borders",
    "tests/exchange/": "brokers",
    "tests/laws/": "brokers",
    "tests/producers/": "brokers",
    "tests/localkafka/": "brokers",
    "tests/streams/settle/": "brokers",
}
"""The worlds of the files in ``_USERS``, by the beginning of their path."""

_USERS: Final = frozenset(
    f"tests/{name}.py"
    for name in (
        *("consumers/outputs/test_follower_kill", "consumers/outputs/test_kafka_json", "consumers/test_bad_releases"),
        *("consumers/test_border_closed", "consumers/test_explain_command", "consumers/test_fast_lane"),
        *("consumers/test_obedience", "consumers/test_quarantine_command", "consumers/test_recall_after_a_week"),
        *("consumers/test_reconcile", "consumers/test_released_command", "consumers/test_signed"),
        *("consumers/test_subscription_on_kafka", "consumers/test_tail_command", "consumers/test_topic_reader"),
        *("consumers/test_wait_command", "exchange/test_answer", "exchange/test_consumed_feed", "exchange/test_feed"),
        *("exchange/test_hinted_feed", "exchange/test_kafka_log", "exchange/test_resting_feed"),
        *("exchange/test_restore_apart", "exchange/test_shard_faults", "exchange/test_standby"),
        *("exchange/test_topics_admin", "exchange/test_urgent_feed", "exchange/test_witnessed_clock"),
        *("faults/test_steps", "laws/test_feed_laws", "laws/test_log_laws", "producers/test_api"),
        *("producers/test_produce_command", "producers/test_produce_marking", "producers/test_publisher"),
        *("producers/test_sensor_run", "localkafka/test_provider", "producers/test_topic_lines"),
        *("streams/settle/test_copies",),
    )
)
"""Files whose tests use the run's two clusters. A process that runs one of them starts the pair, and each cluster takes
two per cent of a core until the end: so only two processes do. A file that is missing here may cost a third pair."""

_LONG: Final = ("tests/integration/", "tests/faults/", "tests/demo/", "tests/streams/", "tests/exchange/")
"""The parts that take minutes, the longest first."""

_SLOW: Final = (
    "tests/properties/",
    "tests/fuzz/",
    "tests/streams/correlate/test_many_sources.py",
    "tests/streams/correlate/test_sources_under_attack.py",
    "tests/leaks/",
    "tests/bench/test_outputs.py::test_each_target_has_its_own_line",
    "tests/rules/test_alike.py",
    "tests/rules/test_demands.py",
    "tests/rules/test_prove.py",
    "tests/rules/test_difference.py",
    "tests/rules/test_engine.py::test_both_nations_sets_decide_as_the_prose_states",
    "tests/rules/test_ratings.py",
    "tests/rules/test_rulebook.py",
    "tests/kakehashi/test_dry_run.py",
    "tests/kakehashi/test_dry_run_options.py",
    "tests/kakehashi/test_hits.py",
    "tests/kakehashi/test_hostile_hits.py",
    "tests/kakehashi/test_in_use.py",
    "tests/kakehashi/test_policy_command.py",
    "tests/kakehashi/test_roles.py",
    "tests/kakehashi/test_sensor_keys.py",
    "tests/exchange/test_shard_laws.py",
    "tests/laws/test_feed_laws.py",
    "tests/laws/test_log_laws.py",
    "tests/consumers/picture/test_kill.py",
    "tests/consumers/picture/test_erased_beside_changes.py",
    "tests/consumers/outputs/test_follower_kill.py",
    "tests/consumers/outputs/test_output_kill.py",
    "tests/consumers/outputs/test_http_outputs.py",
    "tests/consumers/outputs/test_syslog.py",
    "tests/consumers/taxii/test_taxii_objects.py",
    "tests/consumers/taxii/test_taxii_paging.py",
    "tests/producers/test_csv_alike.py",
    "tests/producers/test_misp_kills.py",
    "tests/producers/test_misp_server.py",
    "tests/producers/test_live_follow.py",
    "tests/producers/test_maildir.py",
    "tests/recordings/test_recordings.py",
    "tests/producers/test_syslog_lines.py",
    "tests/producers/test_syslog_stops.py",
    "tests/producers/test_unpacking.py",
    "tests/producers/test_topic_lines.py",
    "tests/producers/test_api.py",
    "tests/producers/test_bounds.py",
    "tests/producers/test_produce_pipe.py",
    "tests/producers/test_taxii.py",
    "tests/producers/test_taxii_20.py::test_each_version_is_taken_once",
    "tests/producers/test_follow.py",
    "tests/producers/test_spool_crash.py",
    "tests/producers/test_new_reader.py",
    "tests/producers/test_produce.py::test_every_recorded_feed_gives_what_its_manifest_states",
    "tests/producers/test_produce.py::test_no_one_answering_costs_time_and_nothing_else",
    "tests/producers/test_produce.py::test_a_full_spool_holds_reading_back",
    "tests/producers/test_produce_command.py::test_a_cluster_that_does_not_answer_is_reported_and_the_deadline_kept",
    "tests/producers/test_profile.py",
    "tests/producers/test_reader_laws.py",
    "tests/schemas/test_row_writer.py",
    "tests/door/test_differential.py",
    "tests/door/test_differential_lists.py",
    "tests/streams/test_recorded_feeds.py",
    "tests/streams/enrichment/test_enrich_installed_data.py",
    "tests/streams/enrichment/test_warninglists_as_misp.py",
    "tests/streams/repair/test_rebuilt_rows.py",
)
"""Files, or tests, by the beginning of their name: proofs, long searches and whole processes, without a broker."""

_KAFKA: Final = frozenset({"brokers", "own_broker", "secured_jpn", "nations"})
"""The fixtures that start brokers."""

_WITH_KAFKA: Final = ("tests/integration/", "tests/consumers/quality/test_quality_on_kafka.py")
"""Files, by the beginning of their path, that start brokers without these fixtures."""


def world_of(path: str) -> str:
    """The world of a test file: its tests run in one process, in their order."""
    if path in _OF_THEIR_OWN:
        return path
    worlds = _ON_BROKERS if path in _USERS else _WORLDS
    return next((world for start, world in worlds.items() if path.startswith(start)), path)


def arrange(items: list[pytest.Item]) -> None:
    """Mark what needs a broker and what is slow, and put first what takes longest; else the order stays as it is."""
    for item in items:
        if item.nodeid.startswith(_SLOW):
            item.add_marker("slow")
        if item.nodeid.startswith(_WITH_KAFKA) or _KAFKA & set(getattr(item, "fixturenames", ())):
            item.add_marker("kafka")
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    """Kafka's long parts, the rest of Kafka's, then what is slow or may have to build Helm, then all else."""
    if item.get_closest_marker("kafka") is None:
        return len(_LONG) + (1 if item.get_closest_marker("slow") or item.get_closest_marker("helm") else 2)
    return next((rank for rank, start in enumerate(_LONG) if item.nodeid.startswith(start)), len(_LONG))


class ByWorld(LoadScopeScheduling):  # type: ignore[misc]  # the package has no types
    """Gives a whole world to the next process that is free."""

    def _split_scope(self, nodeid: str) -> str:
        return world_of(nodeid.split("::", 1)[0])
