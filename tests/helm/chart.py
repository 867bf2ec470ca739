"""The chart's files and its rendered manifests, as the tests read them."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.helm import helm_cli

ROOT = Path(__file__).parents[2]
CHART = helm_cli.CHART
EXAMPLES = {example.stem.removesuffix("-values"): example for example in helm_cli.EXAMPLES}


def load(path: Path) -> Any:
    """A YAML or JSON file of one document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def values() -> dict[str, Any]:
    """The chart's default values."""
    return dict(load(CHART / "values.yaml"))


def schema() -> dict[str, Any]:
    """The schema of the chart's values."""
    return dict(json.loads((CHART / "values.schema.json").read_text(encoding="utf-8")))


def merged(example: str) -> dict[str, Any]:
    """The default values with an example's on top, as Helm merges them."""
    return _merge(values(), load(EXAMPLES[example]))


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in top.items():
        below = both.get(key)
        both[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return both


@dataclass(frozen=True, slots=True)
class Rendered:
    """The manifests of one release."""

    manifests: tuple[dict[str, Any], ...]

    def one(self, kind: str) -> dict[str, Any]:
        """The only manifest of a kind."""
        (found,) = self.of(kind)
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        """All manifests of a kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]

    def pod(self) -> dict[str, Any]:
        """The template of the release's pods."""
        for manifest in self.manifests:
            match manifest["kind"]:
                case "StatefulSet" | "Job":
                    return dict(manifest["spec"]["template"])
                case "CronJob":
                    return dict(manifest["spec"]["jobTemplate"]["spec"]["template"])
        raise LookupError("no workload was rendered")

    def container(self) -> dict[str, Any]:
        """The only container of a pod."""
        (container,) = self.pod()["spec"]["containers"]
        return dict(container)

    def settings(self) -> dict[str, str]:
        """The plain settings that the process sees."""
        name = self.container()["envFrom"][0]["configMapRef"]["name"]
        (data,) = (m["data"] for m in self.of("ConfigMap") if m["metadata"]["name"] == name)
        return dict(data)


def render(example: str, *options: str) -> Rendered:
    """Render an example. Raises ValueError with Helm's words where Helm refuses."""
    done = helm_cli.template(helm_cli.helm(os.environ), EXAMPLES[example], *options)
    if done.returncode != 0:
        raise ValueError(done.stderr)
    return Rendered(tuple(document for document in yaml.safe_load_all(done.stdout) if document))


def expressions() -> Iterator[tuple[str, str]]:
    """Every PromQL expression that comes with the chart, by where it stands."""
    for group in load(CHART / "files" / "alerts.yaml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for panel in load(CHART / "files" / "dashboard.json")["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
