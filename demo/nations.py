"""The demo's two nations, in a home of their own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kakehashi.local_nations import LocalNations
from localkafka.settings import Provider

NATIONS: Final = ("GBR", "JPN")
_ROLL_UP_MS: Final = 3_000
_KEPT_SETTINGS: Final = ("KAKEHASHI_BROKER_PROVIDER", "KAKEHASHI_KAFKA_IMAGE", "KAKEHASHI_KAFKA_HEAP")


def demo_nations(home: Path, environ: Mapping[str, str]) -> LocalNations:
    """Both nations. Clusters that the environment names are not used: recorded feeds must not reach a real exchange."""
    kept = {name: value for name, value in environ.items() if _is_kept(name, value)}
    return LocalNations(home, kept | {"KAKEHASHI_NATIONS": ",".join(NATIONS), "KAKEHASHI_ROLL_UP_MS": str(_ROLL_UP_MS)})


def _is_kept(name: str, value: str) -> bool:
    """The environment without the settings of a real exchange."""
    return not name.startswith("KAKEHASHI_") or (name in _KEPT_SETTINGS and value != Provider.SETTINGS)
