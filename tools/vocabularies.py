"""Writes the MISP part of the vocabularies of labels that may leave, ``policy/vocabularies/misp.toml``.

    python -m tools.vocabularies TAXONOMIES GALAXIES

The arguments are the folders of the MISP taxonomies and of the clusters of the MISP galaxies, as the packages
``pytaxonomies`` and ``pymispgalaxies`` have them. Which ones are taken is written here: those that describe threats,
and none that describes victims, places, organisations, sharing or the work on an event.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

OUT: Final = Path(__file__).parents[1] / "policy" / "vocabularies" / "misp.toml"
TAXONOMIES: Final = (
    *("admiralty-scale", "circl", "common-taxonomy", "cyber-threat-framework", "ddos", "diamond-model", "ecsirt"),
    *("enisa", "estimative-language", "europol-incident", "false-positive", "ioc", "kill-chain"),
    *(
        "maec-malware-behavior",
        "maec-malware-capabilities",
        "maec-malware-obfuscation-methods",
        "malware_classification",
    ),
    *("ms-caro-malware", "phishing", "ransomware", "rsit", "tor", "unified-kill-chain"),
)
GALAXIES: Final = (
    *("android", "backdoor", "banker", "botnet", "cryptominers", "exploit-kit", "microsoft-activity-group"),
    *("mitre-attack-pattern", "mitre-course-of-action", "mitre-intrusion-set", "mitre-malware", "mitre-tool"),
    *("ransomware", "rat", "rsit", "stealer", "tds", "threat-actor", "tool"),
)
HEAD: Final = """# Labels of MISP taxonomies and galaxies that describe threats. Made by tools/vocabularies.py.

owner = "MISP project"
source = "https://github.com/MISP/misp-taxonomies and https://github.com/MISP/misp-galaxy"
licence = "CC0-1.0 OR BSD-2-Clause"
"""


def main(taxonomies: Path, galaxies: Path) -> None:
    """Write the file."""
    lines = [HEAD, "labels = ["]
    labels = {*_of_taxonomies(taxonomies), *_of_galaxies(galaxies)}
    lines += [f"  {json.dumps(label, ensure_ascii=False)}," for label in sorted(labels)]
    OUT.write_text("\n".join((*lines, "]", "")), "utf-8")


def _of_taxonomies(folder: Path) -> Iterator[str]:
    for name in TAXONOMIES:
        found: dict[str, Any] = json.loads((folder / name / "machinetag.json").read_text("utf-8"))
        entries = {each["predicate"]: each["entry"] for each in found.get("values", ())}
        for predicate in found["predicates"]:
            label = f"{found['namespace']}:{predicate['value']}"
            values = entries.get(predicate["value"])
            yield from (f'{label}="{value["value"]}"' for value in values) if values else [label]


def _of_galaxies(folder: Path) -> Iterator[str]:
    for name in GALAXIES:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        yield from (f'misp-galaxy:{found["type"]}="{value["value"]}"' for value in found["values"])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
