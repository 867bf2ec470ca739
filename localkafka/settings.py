"""Where Kafka comes from: the settings of the environment, read once and checked at once. Pure.

=================================  ===========================================================================
``KAKEHASHI_<NATION>_BOOTSTRAP``   a nation's own brokers, ``host:port[,host:port]``; all nations' or none
``KAFKA_BOOTSTRAP_SERVERS``        the same, if exactly one cluster is used
``KAKEHASHI_BROKER_PROVIDER``      ``auto`` (default) ``settings`` ``docker`` ``local``: the last three force one
``KAKEHASHI_KAFKA_IMAGE``          the Apache Kafka image for Docker, default ``apache/kafka:4.1.1``
``KAKEHASHI_KAFKA_HEAP``           a broker's Java heap, ``-Xmx`` style, default ``512m``
``KAKEHASHI_HOME``                 folder of the clusters of ``kakehashi up``, default ``.kakehashi``
``XDG_CACHE_HOME``                 folder of the Kafka jars, default ``~/.cache``
=================================  ===========================================================================
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import ConfigurationError
from localkafka.jars import KAFKA_VERSION, cache_folder

DEFAULT_IMAGE = f"apache/kafka:{KAFKA_VERSION}"


class Provider(enum.StrEnum):
    """The source of brokers. AUTO takes the first available: settings, Docker, the Apache jars."""

    AUTO = "auto"
    SETTINGS = "settings"
    DOCKER = "docker"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How to get a cluster for each nation. ``given`` holds all of them or none."""

    nations: tuple[str, ...]
    provider: Provider
    given: Mapping[str, str]
    image: str
    heap: str
    jars: Path
    home: Path

    @classmethod
    def from_env(cls, environ: Mapping[str, str], nations: Sequence[str]) -> "BrokerSettings":
        """Read the settings. Raises ConfigurationError with every mistake at once."""
        wrong: list[str] = []
        asked = environ.get("KAKEHASHI_BROKER_PROVIDER", "").strip().lower() or Provider.AUTO.value
        names = [provider.value for provider in Provider]
        if asked not in names:
            wrong.append(f"KAKEHASHI_BROKER_PROVIDER={asked}: choose one of {', '.join(names)}")
            asked = Provider.AUTO.value

        given = {nation: address for nation in nations if (address := bootstrap_setting(environ, nation))}
        if not given and len(nations) == 1 and (address := environ.get("KAFKA_BOOTSTRAP_SERVERS", "").strip()):
            given = {nations[0]: address}
        missing = [_variable(nation) for nation in nations if nation not in given]
        if missing and (given or asked == Provider.SETTINGS):
            wrong.append(f"{', '.join(missing)} is not set: give every nation's brokers, or none")
        for nation, address in given.items():
            wrong += [f"{_variable(nation)}: {part!r} is not host:port" for part in _malformed(address)]

        heap = environ.get("KAKEHASHI_KAFKA_HEAP", "").strip() or "512m"
        if not (heap[:-1].isdecimal() and heap[-1] in "kKmMgG"):
            wrong.append(f"KAKEHASHI_KAFKA_HEAP={heap}: write a size as Java does, such as 512m or 1g")
        if wrong:
            raise ConfigurationError("Settings:\n  " + "\n  ".join(wrong))
        return cls(
            nations=tuple(nations),
            provider=Provider(asked),
            given=given,
            image=environ.get("KAKEHASHI_KAFKA_IMAGE", "").strip() or DEFAULT_IMAGE,
            heap=heap,
            jars=cache_folder(environ),
            home=home_folder(environ),
        )


def home_folder(environ: Mapping[str, str]) -> Path:
    """The folder of persistent clusters: ``$KAKEHASHI_HOME``, else ``.kakehashi`` in the working directory."""
    return Path(environ.get("KAKEHASHI_HOME", "").strip() or ".kakehashi").absolute()


def bootstrap_setting(environ: Mapping[str, str], nation: str) -> str | None:
    """A nation's brokers, if the environment names them."""
    return environ.get(_variable(nation), "").strip() or None


def _variable(nation: str) -> str:
    return f"KAKEHASHI_{nation}_BOOTSTRAP"


def _malformed(addresses: str) -> list[str]:
    parts = [part.strip() for part in addresses.split(",")]
    return [part for part in parts if not (part.rpartition(":")[0] and part.rpartition(":")[2].isdecimal())]
