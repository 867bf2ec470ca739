"""GBR with two workers of its own, whose rules change."""

import time
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from shutil import copytree
from typing import Any, Final

from exchange import clock
from exchange.errors import Exit
from schemas import topics
from schemas.codec import DECISION, RELEASED_INDICATOR
from schemas.identity import indicator_id, indicator_key
from schemas.links import POLICY_FOLDER
from schemas.markings import SourceMarking
from schemas.vocabulary import IndicatorType
from streams.rules.policy_set import load
from tests.builders import HOUR_MS, a_report, an_observation
from tests.integration.decoded import Decoded
from tests.integration.nations import Nations
from tests.kakehashi.command import kakehashi
from tests.officers import ALICE, BOB, write_key
from tests.reference.reading import Reading

LEAD_S: Final = 8
SPARE_S: Final = 30  # an activation is refused if its commands take until its lead: they share the machine
VALUES: Final = 50
NO_JA3: Final = """
@id("gbr-no-ja3")
@title("No JA3 fingerprint leaves, for a test")
@title_ja("試験用の規則")
@basis("a test")
@owner("a test")
@outcome("withhold")
forbid (principal, action == Action::"release", resource)
when { resource.type == IndicatorType::"ja3" };
"""
DOUBTFUL: Final = "doubtful"


class Bench:
    """GBR with two workers of its own, whose rules change."""

    def __init__(self, nations: Nations, folder: Path, home: Reading) -> None:
        self.nations, self.folder = nations, folder
        self._decisions = Decoded(home, topics.AUDIT, DECISION)
        self._released = Decoded(home, topics.released("JPN"), RELEASED_INDICATOR)
        self.old = load("GBR").version
        self.workers = [nations.add_worker("GBR", number, lasting=True) for number in (7, 8)]
        self.publishing_s = 0.0
        self._sequence = 0
        self._mine: set[str] = set()

    def kakehashi(self, *words: str) -> tuple[int, str]:
        given = {name: value for name, value in self.nations.environ.items() if name.startswith("KAKEHASHI_")}
        given["XDG_CACHE_HOME"] = str(self.folder)  # without the analyser: tests/rules are about what it proves
        done = kakehashi(*words, "--nation", "GBR", within=self.folder, **given)
        return done.returncode, done.stdout + done.stderr

    def done(self, *words: str) -> str:
        code, shown = self.kakehashi(*words)
        assert code == Exit.OK, shown
        return shown

    def key(self, person: str) -> str:
        return str(write_key(person, self.folder))

    def publish(self, *words: str, name: str) -> None:
        """Two people sign a draft, and it is published."""
        draft, began = str(self.folder / name), time.monotonic()
        self.done("policy", *words, "--key", self.key(ALICE), "--reason", "for a test", "--out", draft)
        self.done("policy", "sign", draft, "--key", self.key(BOB))
        _, shown = self.kakehashi("policy", "publish", draft, "--accept-wider", "--wait", "1")
        assert ": published; it " in shown, shown  # exit code 4 as long as workers are stopped or paused
        self.publishing_s = time.monotonic() - began

    def drafted(self) -> Path:
        """A draft that withholds JA3 fingerprints, and rates one sensor low."""
        draft = self.folder / "draft"
        copytree(POLICY_FOLDER, draft)
        (draft / "national" / "GBR" / "v1" / "ja3.cedar").write_text(NO_JA3, "utf-8")
        (draft / "ratings").mkdir()
        (draft / "ratings" / "GBR.toml").write_text(f'low = ["{DOUBTFUL}"]\n', "utf-8")
        return draft

    def activate(self, version: str, name: str) -> int:
        """Publish an activation for as soon as this machine manages; its time in milliseconds."""
        at_ms = clock.now_ms() + int((LEAD_S + SPARE_S + 2 * self.publishing_s) * 1000)
        at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
        self.publish("activate", version, "--at", at, name=name)
        return at_ms

    def report(self, count: int, words: str) -> None:
        """So many reports of JA3 fingerprints of their own."""
        now_ms = clock.now_ms()
        for number in range(count):
            values = [
                md5(f"{words}-{number}-{each}".encode(), usedforsecurity=False).hexdigest() for each in range(VALUES)
            ]
            self._mine |= {indicator_id(indicator_key(IndicatorType.JA3, value)) for value in values}
            observed = [
                an_observation(
                    kind=IndicatorType.JA3,
                    value=value,
                    marking=SourceMarking("TLP:CLEAR"),
                    first_seen_ms=now_ms - HOUR_MS,
                    last_seen_ms=now_ms,
                )
                for value in values
            ]
            self.nations.send(
                "GBR", [a_report(observed, sensor="ja3", epoch=now_ms - HOUR_MS, sequence=self._sequence)]
            )
            self._sequence += 1
        self.nations.flush()

    def observe(self, sensor: str, value: str) -> None:
        """One sensor reports one file, once."""
        now_ms = clock.now_ms()
        seen = an_observation(
            kind=IndicatorType.FILE_SHA256,
            value=value,
            marking=SourceMarking("TLP:CLEAR"),
            first_seen_ms=now_ms - HOUR_MS,
            last_seen_ms=now_ms,
        )
        self.nations.send("GBR", [a_report([seen], sensor=sensor, epoch=now_ms - HOUR_MS, sequence=0)])
        self.nations.flush()

    def outcomes_of(self, name: str) -> list[tuple[str, list[str]]]:
        """Every decision on an indicator: its outcome, and the rules that decided."""
        return [(each["outcome"], each["rules"]) for each in self._decisions.look() if each["indicator_id"] == name]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """Every decision on a fingerprint of ours: other tests have reported some, too."""
        return [each for each in self._decisions.look() if each["indicator_id"] in self._mine]

    @property
    def released(self) -> dict[str, dict[str, Any]]:
        """What the partner last received of each fingerprint."""
        return {each["id"]: each for each in self._released.look() if each["id"] in self._mine}
