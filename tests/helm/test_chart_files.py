"""The chart's files agree with the software and with each other; no Helm is needed to see it."""

from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from consumers.outputs.known import understood
from exchange.settings import Settings, cluster_from_env
from kakehashi.format_name import format_names
from kakehashi.hits import FORMATS
from tests.asked import Asked
from tests.helm.chart import CHART, EXAMPLES, ROOT, load, merged, schema, values
from tools import formats

each_example = pytest.mark.parametrize("example", EXAMPLES)


def variable(key: str) -> str:
    """The chart's own rule: ``rollUpMs`` is ``KAKEHASHI_ROLL_UP_MS``."""
    return "KAKEHASHI_" + "".join(f"_{letter}" if letter.isupper() else letter for letter in key).upper()


def test_every_value_is_a_setting_and_every_setting_is_a_value() -> None:
    asked = Asked()
    Settings.from_env(asked)
    assert {variable(key) for key in values()["settings"]} == asked.names, (
        "a setting was added or renamed: change `settings` in values.yaml and values.schema.json likewise"
    )


def test_the_chart_gives_no_value_that_the_software_refuses() -> None:
    given = {variable(key): str(value) for key, value in values()["settings"].items() if value is not None}
    settings = Settings.from_env(given)
    assert settings.metrics_port == 9464
    assert settings.state.is_relative_to(settings.home)


def test_the_bounds_of_the_schema_are_those_of_the_software() -> None:
    for key, rule in schema()["properties"]["settings"]["properties"].items():
        for bound in ("minimum", "maximum"):
            if bound in rule:
                Settings.from_env({variable(key): str(rule[bound])})


def test_a_cluster_s_kafka_settings_reach_the_client_under_librdkafka_s_names() -> None:
    environ = {"KAKEHASHI_GBR_KAFKA_SSL_CA_LOCATION": "/etc/kakehashi/gbr-tls/ca.crt"}
    assert cluster_from_env(environ, "GBR", "192.0.2.1:9093").security == {
        "ssl.ca.location": "/etc/kakehashi/gbr-tls/ca.crt"
    }


def test_the_schema_of_the_values_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(schema())


def test_every_value_is_in_the_schema_and_the_schema_has_no_other() -> None:
    def compare(where: str, some: dict[str, Any], rule: dict[str, Any]) -> None:
        if rule.get("additionalProperties") is not False:
            return
        rule = rule if "properties" in rule else {"properties": {}}
        assert set(some) == set(rule["properties"]) - {"global"}, where
        for key, value in some.items():
            if isinstance(value, dict) and "properties" in rule["properties"][key]:
                compare(f"{where}.{key}", value, rule["properties"][key])

    compare("values", values(), schema())


@each_example
def test_the_schema_accepts_the_examples(example: str) -> None:
    jsonschema.validate(merged(example), schema())


@pytest.mark.parametrize(
    "change",
    [
        {"role": "everything"},
        {"nation": "gb"},
        {"clusters": {}},
        {"clusters": {"GBR": {"bootstrap": "kafka.example.net"}}},
        {"clusters": {"GBR": {"bootstrap": "192.0.2.1:9092", "kafka": {"sasl.password": "in the open"}}}},
        {"clusters": {"GBR": {"bootstrap": "192.0.2.1:9092", "kafka": {"ssl.key.pem": "in the open"}}}},
        {"unheardOf": 1},
        {"networkPolicy": {"enabled": True, "ports": []}},
        {"produce": {"options": {"again": True}}},
        {"output": {"options": {"once": True}}},
        {"output": {"to": ["/srv/hosts"]}},
        {"role": "output"},
        {"role": "taxii"},
        {"role": "sightings"},
        {"role": "canary"},
        {"role": "score", "score": {"every": "now", "halfLife": "30d"}},
    ],
    ids=str,
)
def test_the_schema_refuses(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged("streams") | change, schema())


def test_a_bridge_needs_a_partner_and_a_producer_a_sensor() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged("bridge") | {"bridge": {"to": ""}}, schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged("produce") | {"produce": {"sensor": "", "files": ["a"], "source": {}}}, schema())


def test_the_targets_of_the_example_are_ones_that_the_outputs_take(tmp_path: Path) -> None:
    for text in merged("output")["output"]["to"]:
        output, target = understood(text, "JPN", tmp_path)
        assert output.name == text.partition(":")[0]
        assert target.place.startswith(("/targets/", "https://"))


def test_the_formats_of_a_producer_are_those_of_the_command_line() -> None:
    produce = schema()["properties"]["produce"]["properties"]
    assert produce["format"]["enum"] == format_names()
    text = formats.SCHEMA.read_text("utf-8")
    assert formats.schema_with_formats(text) == text, "run `make formats`"


def test_the_formats_of_hits_are_those_of_the_command_line() -> None:
    assert set(schema()["properties"]["sightings"]["properties"]["format"]["enum"]) == set(FORMATS)


def test_there_is_an_example_of_every_role() -> None:
    assert {load(path)["role"] for path in EXAMPLES.values()} == set(schema()["properties"]["role"]["enum"])


def test_the_chart_has_the_version_of_the_software() -> None:
    chart = load(CHART / "Chart.yaml")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{chart["appVersion"]}"' in project
    assert chart["version"] == chart["appVersion"]


def test_the_image_runs_as_the_user_that_the_chart_names() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    pod = (CHART / "templates" / "_pod.tpl").read_text(encoding="utf-8")
    assert "USER 10001:10001" in image
    assert "runAsUser: 10001" in pod
    assert 'ENTRYPOINT ["kakehashi"]' in image


def test_the_image_holds_every_package_of_the_project() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for package in ("schemas", "exchange", "producers", "streams", "consumers", "kakehashi", "policy"):
        assert f"!{package}" in ignored
