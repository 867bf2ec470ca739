"""The settings of every role, read once from the environment, all mistakes reported at once.

``KAKEHASHI_NATIONS`` states which nations take part, and the links of the policy folder which of them are partners.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from exchange.authority.links import Links, load_links, shipped_links
from exchange.bandwidth import ALWAYS, Schedule
from exchange.errors import ConfigurationError
from exchange.kafka.clients import Cluster
from exchange.kafka.schema_registry import Registry
from schemas.agreement import Agreement
from schemas.links import POLICY_FOLDER, link_path

_NATION: Final = re.compile(r"[A-Z]{3}")  # ISO 3166-1 alpha-3
_SECURITY_PREFIX: Final = "KAFKA_"


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation is set up.

    ``shards`` is the number of partitions of every keyed topic: fixed for a cluster's life. ``roll_up_ms`` is how
    often mere repetition of an indicator is published at most; ``sensor_quota`` how many observations of one sensor are
    taken in a minute: a report with more of them than that is never taken. ``standby`` lets a worker keep copies of
    the states that others own, to take them over quickly on a machine of its own. ``state`` is the folder of a
    worker's RocksDB caches, ``officers`` that of the nations' rosters, ``policy_folder`` that of the sharing rules and
    of the links; ``links`` are the agreements, by nation and partner. A release, and a recall, that a partner has not
    confirmed within ``receipt_limit_s`` and ``recall_limit_s`` is reported. An activation of a policy is
    written at least ``policy_lead_s`` before its time: the same in all processes of a nation. ``bridge_rate`` limits a
    bridge's bulk, for the whole link. ``sensor_key`` is the file with the key by which a producer signs, None
    if it does not. ``log_format`` is ``text`` or ``json``.
    """

    nations: tuple[str, ...] = ("GBR", "JPN")
    shards: int = 4
    roll_up_ms: int = 60_000
    sensor_quota: int = 6_000_000
    home: Path = Path(".kakehashi")
    state: Path = Path(".kakehashi/state")
    policy_version: str = "v1"
    policy_folder: Path = POLICY_FOLDER
    links: Links = field(default_factory=shipped_links)
    officers: Path = Path("policy/officers")
    metrics_port: int = 0
    metrics_address: str = "127.0.0.1"
    log_format: str = "text"
    session_timeout_s: float = 8.0
    standby: bool = False
    receipt_limit_s: int = 3600
    recall_limit_s: int = 600
    reconcile_s: int = 3600
    policy_lead_s: int = 60
    bridge_rate: Schedule = ALWAYS
    sensor_key: Path | None = None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings. Raises ConfigurationError with every mistake in one message."""
        wrong: list[str] = []
        nations = tuple(filter(None, environ.get("KAKEHASHI_NATIONS", "GBR,JPN").replace(" ", "").split(",")))
        bad = [nation for nation in nations if not _NATION.fullmatch(nation)]
        if bad or len(set(nations)) != len(nations) or len(nations) < 2:
            wrong.append("KAKEHASHI_NATIONS: at least two different ISO 3166-1 alpha-3 codes, for example GBR,JPN")
        default = cls()
        home = Path(environ.get("KAKEHASHI_HOME", default.home))
        folder = Path(environ.get("KAKEHASHI_POLICY_FOLDER") or default.policy_folder)
        settings = cls(
            nations=nations,
            shards=_number(environ, "KAKEHASHI_SHARDS", default.shards, 1, 1024, wrong),
            roll_up_ms=_number(environ, "KAKEHASHI_ROLL_UP_MS", default.roll_up_ms, 100, 86_400_000, wrong),
            sensor_quota=_number(environ, "KAKEHASHI_SENSOR_QUOTA", default.sensor_quota, 1, 10_000_000_000, wrong),
            home=home,
            state=Path(environ.get("KAKEHASHI_STATE", home / "state")),
            officers=Path(environ.get("KAKEHASHI_OFFICERS", default.officers)),
            policy_version=environ.get("KAKEHASHI_POLICY", default.policy_version),
            policy_folder=folder,
            links=default.links if folder == default.policy_folder else _links(folder, wrong),
            metrics_port=_number(environ, "KAKEHASHI_METRICS_PORT", default.metrics_port, 0, 65_535, wrong),
            metrics_address=environ.get("KAKEHASHI_METRICS_ADDRESS", default.metrics_address),
            log_format=_one_of(environ, "KAKEHASHI_LOG_FORMAT", ("text", "json"), wrong),
            session_timeout_s=_number(
                environ, "KAKEHASHI_SESSION_TIMEOUT_S", int(default.session_timeout_s), 1, 300, wrong
            ),
            receipt_limit_s=_number(environ, "KAKEHASHI_RECEIPT_LIMIT_S", default.receipt_limit_s, 1, 2_592_000, wrong),
            recall_limit_s=_number(environ, "KAKEHASHI_RECALL_LIMIT_S", default.recall_limit_s, 1, 2_592_000, wrong),
            reconcile_s=_number(environ, "KAKEHASHI_RECONCILE_S", default.reconcile_s, 0, 2_592_000, wrong),
            policy_lead_s=_number(environ, "KAKEHASHI_POLICY_LEAD_S", default.policy_lead_s, 2, 86_400, wrong),
            bridge_rate=_schedule(environ, "KAKEHASHI_BRIDGE_RATE", default.bridge_rate, wrong),
            sensor_key=Path(key) if (key := environ.get("KAKEHASHI_SENSOR_KEY", "")) else None,
            standby=_number(environ, "KAKEHASHI_STANDBY", int(default.standby), 0, 1, wrong) == 1,
        )
        if wrong:
            raise ConfigurationError("these settings are wrong:\n  " + "\n  ".join(wrong))
        return settings

    def partners(self, nation: str) -> tuple[str, ...]:
        """The nations to which ``nation`` has a link. Raises ConfigurationError if it does not take part."""
        if nation not in self.nations:
            raise ConfigurationError(
                f"unknown nation `{nation}`: set KAKEHASHI_NATIONS, now {','.join(self.nations)}, or correct the option"
            )
        return tuple(other for other in self.nations if (nation, other) in self.links)

    def agreement(self, nation: str, partner: str) -> Agreement:
        """The agreement of ``nation`` with ``partner``. Raises ConfigurationError if they have no link."""
        if partner not in self.partners(nation):
            raise ConfigurationError(
                f"{nation} has no link to {partner}: add {self.policy_folder / link_path(nation, partner)}, with what "
                f"was agreed, and {partner} to KAKEHASHI_NATIONS"
            )
        return self.links[nation, partner]


def cluster_from_env(environ: Mapping[str, str], nation: str, bootstrap: str) -> Cluster:
    """A nation's cluster with its client security.

    ``KAKEHASHI_<NATION>_KAFKA_SECURITY_PROTOCOL=SSL`` becomes librdkafka's ``security.protocol``, and so on for
    every such variable: secrets come in files or by the environment, never on a command line. A name that ends with
    ``_PASSWORD_FILE`` gives the file that the password is in. Raises ConfigurationError if that cannot be read.
    """
    prefix = f"KAKEHASHI_{nation}_{_SECURITY_PREFIX}"
    security: dict[str, str] = {}
    for name, value in environ.items():
        if name.startswith(prefix):
            setting = name.removeprefix(prefix).lower().replace("_", ".")
            if setting.endswith("password.file"):
                setting, value = setting.removesuffix(".file"), _secret(name, value)  # noqa: PLW2901
            security[setting] = value
    return Cluster(nation, bootstrap, security, _registry(environ, nation))


def _registry(environ: Mapping[str, str], nation: str) -> Registry | None:
    """A nation's schema registry, with the file where its ids are kept; None if it has none."""
    prefix = f"KAKEHASHI_{nation}_SCHEMA_REGISTRY_"
    url = environ.get(f"{prefix}URL", "")
    if not url:
        return None
    home = Path(environ.get("KAKEHASHI_HOME", Settings().home))
    user_info, ca_location = environ.get(f"{prefix}USER_INFO", ""), environ.get(f"{prefix}CA_LOCATION", "")
    return Registry(nation, url, user_info, ca_location, home / "registry" / f"{nation}.json")


def _secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{name}={path}: the file cannot be read: {error}") from error


def _links(folder: Path, wrong: list[str]) -> Links:
    try:
        return load_links(folder)
    except ConfigurationError as error:
        wrong.append(f"KAKEHASHI_POLICY_FOLDER={folder}: {error}")
        return {}


def _schedule(environ: Mapping[str, str], name: str, default: Schedule, wrong: list[str]) -> Schedule:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        return Schedule.parse(text)
    except ValueError as error:
        wrong.append(f"{name}={text}: {error}; for example 2MB/s, or 00:00-06:00=unlimited,06:00-24:00=2MB/s")
        return default


def _one_of(environ: Mapping[str, str], name: str, values: tuple[str, ...], wrong: list[str]) -> str:
    """The value, the first by default."""
    text = environ.get(name, "").strip().lower() or values[0]
    if text not in values:
        wrong.append(f"{name}={text}: {' or '.join(values)}")
    return text


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int, wrong: list[str]) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        wrong.append(f"{name}={text}: a whole number from {low} to {high}")
        return default
    return int(text)
