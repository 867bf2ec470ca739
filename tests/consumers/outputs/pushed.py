"""Fresh targets of the outputs that push, each with a receiver on this machine."""

from collections.abc import Callable, Mapping
from pathlib import Path

from consumers.outputs.protocol import Target
from tests.consumers.outputs.http_receivers import fresh
from tests.consumers.outputs.syslog_receiver import lasting_receiver


def pushed_targets() -> Mapping[str, Callable[[Path], Target]]:
    """By the output's name."""
    return {
        "webhook": _webhook,
        "splunk": _splunk,
        "kvstore": _kvstore,
        "elastic": _elastic,
        "syslog": _syslog,
        "kafka": _kafka,
    }


def _webhook(folder: Path) -> Target:
    return Target("JPN", fresh("webhook")[0], {"secret": secret(folder)}, folder)


def _splunk(folder: Path) -> Target:
    return Target("JPN", fresh("splunk")[0], {"token": secret(folder)}, folder)


def _kvstore(folder: Path) -> Target:
    """The name of the receiver is that of the app."""
    return Target("JPN", f"{fresh('kvstore')[0]}/collection", {"token": secret(folder)}, folder)


def _elastic(folder: Path) -> Target:
    return Target("JPN", fresh("index")[0], {}, folder)


def _syslog(folder: Path) -> Target:
    receiver = lasting_receiver()
    return Target("JPN", f"localhost:{receiver.port}", {"ca": str(receiver.ca)}, folder)


def _kafka(folder: Path) -> Target:
    """librdkafka's own broker: the real one is in ``test_kafka_json.py``."""
    config = folder / "kafka.conf"
    config.write_text("# a broker within the client\ntest.mock.num.brokers=1\nbootstrap.servers=localhost:9092\n")
    return Target("JPN", "indicators", {"config": str(config)}, folder)


def secret(folder: Path, text: str = "a secret of the tests") -> str:
    """A file with a secret."""
    file = folder / "secret"
    file.write_text(f"{text}\n")
    return str(file)
