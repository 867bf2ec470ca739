"""Live inputs in a sensor's profile: named by their addresses, and checked with their lines."""

from pathlib import Path

from producers.profile.document import valid_profile
from producers.profile.options import plans_of
from tests.producers.test_profile import NATIONS, mistakes


def test_live_inputs_are_named_by_their_addresses_and_checked_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "misp.key").write_text("key")
    file = tmp_path / "edge-1.yaml"
    file.write_text(
        "nation: GBR\nsensor: hub-1\ninputs:\n"
        "- at: misp+https://misp.example/\n  credentials: misp.key\n  follow: true\n"
        "- at: kafka+tls://broker.example:9093/alerts\n  format: suricata-eve\n  follow: true\n"
        "- at: /var/log/eve.json\n  follow: true\n"
        "- at: https://feeds.example/list.txt\n  follow: true\n  snapshot: true\n"
    )
    plans = plans_of(valid_profile(file, NATIONS), NATIONS)
    assert [plan.is_followed for plan in plans] == [True] * 4
    assert plans[0].credentials == tmp_path / "misp.key"
    assert plans[0].options.defaults.parties == {"GBR", "JPN"}
    found = mistakes(
        tmp_path,
        "nation: GBR\nsensor: hub-1\ninputs:\n"
        "- at: misp+https://misp.example/\n  format: csv-list\n"
        "- at: kafka://broker.example:9092/alerts\n"
        "- at: syslog+tls://0.0.0.0:6514\n  format: suricata-eve\n"
        "- at: taxii+https://taxii.example/c/\n  snapshot: true\n"
        "- at: https://feeds.example/list.txt\n  authorities: edge-1.yaml\n",
    )
    assert [line for line, _ in found] == [5, 6, 7, 10, 12]
    assert all(
        part in text
        for part, (_, text) in zip(
            ("misp-event", "state it", "unless it is followed", "no snapshot", "live input"), found, strict=True
        )
    )


def test_each_list_that_is_followed_is_a_snapshot_by_itself(tmp_path: Path) -> None:
    lists = "".join(f"- at: https://feeds.example/{name}\n  follow: true\n  snapshot: true\n" for name in "ab")
    [(line, text)] = mistakes(tmp_path, f"nation: GBR\nsensor: hub-1\ninputs:\n{lists}")
    assert (line, "give each list a feed of its own" in text) == (3, True)
    named = lists.replace("/b\n", "/b\n  feed: second\n")
    assert mistakes(tmp_path, f"nation: GBR\nsensor: hub-1\ninputs:\n{named}") == []
    file = "- at: list.txt\n  follow: true\n  snapshot: true\n"
    [(_, text)] = mistakes(tmp_path, f"nation: GBR\nsensor: hub-1\ninputs:\n{file}")
    assert "goes not with snapshot" in text
