"""JPN's cluster with its own indicators and GBR's, as an analyst's commands find it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from confluent_kafka import Producer
from typer.testing import CliRunner

from consumers.subscription.topic_reader import TopicReader
from exchange.clock import now_ms
from exchange.errors import ExchangeError, Exit
from exchange.kafka.clients import Cluster
from kakehashi.main import Invocation, command_line
from schemas import topics
from schemas.codec import DECISION, INDICATOR, RECEIPT, RELEASED_INDICATOR, Codec
from schemas.identity import indicator_id, indicator_key
from schemas.vocabulary import TYPE_BY_LABEL
from tests.builders import a_content, a_decision, a_receipt, a_released, a_source, an_id, an_indicator

FORMULA: Final = "=cmd|' /C calc'!A0.example"
CODEC: Final = Codec()


@dataclass(frozen=True)
class Soc:
    """JPN's cluster with its own indicators and GBR's, and where its commands run."""

    folder: Path
    environ: dict[str, str]
    producer: Producer

    def run(self, *words: str, code: int = Exit.OK) -> str:
        """What a command prints, in this process; on standard error if another exit code is expected."""
        runner = CliRunner(env=self.environ | {"NO_COLOR": "1", "COLUMNS": "300"})
        done = runner.invoke(command_line(Invocation()), list(words))
        if isinstance(done.exception, ExchangeError):
            found, shown = done.exception.exit_code, str(done.exception)
        else:
            assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
            found, shown = Exit(done.exit_code), done.output
        assert found == code, shown
        return done.stdout if code == Exit.OK else shown

    def lines(self, *words: str) -> list[dict[str, Any]]:
        """A command's JSON lines."""
        return [json.loads(line) for line in self.run(*words).splitlines()]

    def release(self, value: str, kind: str = "domain-name", *, record: str = "content", **content: Any) -> str:
        """GBR's release of a value, accepted by JPN."""
        identifier = indicator_id(indicator_key(TYPE_BY_LABEL[kind], value))
        held = {"release_expires_ms": 0, **content}
        released = a_released(
            kind=record,
            id=identifier,
            version=now_ms(),
            content=a_content(type=kind, value=value, **held) if record == "content" else None,
        )
        self.send(topics.accepted("GBR"), identifier, CODEC.encode(RELEASED_INDICATOR, released))
        return identifier

    def records(self, topic: str, schema: str) -> list[dict[str, Any]]:
        """What is on a topic now."""
        with TopicReader(Cluster("JPN", self.environ["KAKEHASHI_JPN_BOOTSTRAP"]), topic) as reader:
            return [cast("dict[str, Any]", CODEC.decode(schema, each.value)) for each in reader.records(0)]

    def send(self, topic: str, key: str, value: bytes) -> None:
        """One record."""
        self.producer.produce(topic, value, key.encode(), 0)
        assert self.producer.flush(30) == 0


def fill(soc: Soc) -> None:
    """One of everything."""
    own = an_id()
    indicator = an_indicator(sources=[a_source(description="Beacon of Quartzfinch")], warninglists=["tranco"])
    records: list[tuple[str, str, str, Any]] = [
        (topics.NATIONAL, own, INDICATOR, indicator),
        (topics.AUDIT, own, DECISION, a_decision(indicator_id=own, partner="GBR", at_ms=now_ms())),
        (topics.released("GBR"), own, RELEASED_INDICATOR, a_released(origin="JPN", hops=["JPN"])),
        (topics.partner_receipts("GBR"), f"{own}/disputed", RECEIPT, a_receipt(code="disputed", reason="outdated")),
        (topics.receipts("GBR"), own, RECEIPT, a_receipt(code="applied")),
    ]
    for topic, key, schema, record in records:
        soc.send(topic, key, CODEC.encode(schema, cast("Any", record)))
    soc.release("198.51.100.7", "ipv4-addr", labels=["botnet"], tlp="TLP:CLEAR", pap="PAP:GREEN")
    soc.release("198.51.100.0/24", "ipv4-net", labels=[], pap="PAP:RED")
    soc.release("c2.example.com", tearline="Infrastructure of Quartzfinch", labels=["attack.t1566"])
    soc.release(FORMULA, "file-name", labels=["+SUM(1)"])
