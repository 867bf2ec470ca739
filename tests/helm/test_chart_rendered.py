"""What Helm makes of the chart: valid for Kubernetes, least privilege, one role a release.

These tests need Helm, or Go to build it, and fail without: ``make test`` leaves them out, saying so, only on a
machine that has neither and is not CI.
"""

import json
import os
from functools import cache
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import typer

from exchange.settings import Settings, cluster_from_env
from kakehashi.main import Invocation, command_line
from tests.helm import helm_cli
from tests.helm.chart import EXAMPLES, Rendered, render

pytestmark = pytest.mark.helm

each_example = pytest.mark.parametrize("example", EXAMPLES)
each_kubernetes = pytest.mark.parametrize("kubernetes", ["1.28", "1.31", helm_cli.KUBERNETES.removesuffix(".0")])
OPERATOR = "monitoring.coreos.com/v1"  # its kinds are not Kubernetes' own: no schema comes with it

SECURED = """{
    "bootstrap": "kafka.jpn.example.net:9093",
    "kafka": {"security.protocol": "SASL_SSL", "ssl.ca.location": "/etc/kakehashi/jpn-tls/ca.crt"},
    "kafkaSecrets": {"sasl.password": {"secretName": "kakehashi-jpn", "key": "password"}}
}"""
MOUNTED = '{"jpn-tls": {"secretName": "kakehashi-jpn-tls"}}'


@cache
def rendered(example: str) -> Rendered:
    return render(example)


@each_example
def test_the_chart_lints_without_a_warning(example: str) -> None:
    done = helm_cli.lint(helm_cli.helm(os.environ), EXAMPLES[example])
    assert done.returncode == 0, done.stdout + done.stderr


@each_kubernetes
@each_example
def test_kubernetes_accepts_every_manifest(example: str, kubernetes: str) -> None:
    for manifest in rendered(example).manifests:
        if manifest["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(manifest, kubernetes, strict=True)


@pytest.mark.parametrize(
    ("example", "command"),
    [
        ("streams", ["streams", "--nation=GBR", "--instance=$(POD_NAME)"]),
        ("bridge", ["bridge", "--from=GBR", "--to=JPN", "--ordinal=$(POD_INDEX)", "--of=2"]),
        (
            "produce",
            [
                "produce",
                "--nation=GBR",
                "--sensor=london-suricata-1",
                "--format=suricata-eve",
                "--json",
                "--rate=2000000",
                "--releasable-to=GBR",
                "--releasable-to=JPN",
                "--tlp=TLP:GREEN",
                "/source/eve.json",
            ],
        ),
    ],
)
def test_a_release_runs_its_role(example: str, command: list[str]) -> None:
    assert rendered(example).container()["args"] == command


def test_workers_are_stateful_sets_and_producers_are_jobs() -> None:
    kinds = {example: {m["kind"] for m in rendered(example).manifests} for example in EXAMPLES}
    workloads = {"StatefulSet", "Deployment", "Job", "CronJob"}
    assert {example: found & workloads for example, found in kinds.items()} == {
        "streams": {"StatefulSet"},
        "bridge": {"StatefulSet"},
        "produce": {"Job"},
        "produce-scheduled": {"CronJob"},
        "output": {"StatefulSet"},
        "taxii": {"StatefulSet"},
        "sightings": {"StatefulSet"},
        "score": {"StatefulSet"},
        "canary": {"CronJob"},
    }


@pytest.mark.parametrize("example", ["produce-scheduled", "canary"])
def test_one_sensor_is_never_two_processes(example: str) -> None:
    assert rendered(example).one("CronJob")["spec"]["concurrencyPolicy"] == "Forbid"


def test_a_canary_that_does_not_arrive_fails_once_and_a_producer_goes_on() -> None:
    canary, produce = (
        rendered(example).one("CronJob")["spec"]["jobTemplate"]["spec"] for example in ("canary", "produce-scheduled")
    )
    assert (canary["backoffLimit"], canary["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert (produce["backoffLimit"], produce["template"]["spec"]["restartPolicy"]) == (20, "OnFailure")
    assert rendered("canary").one("CronJob")["spec"]["schedule"] == "*/10 * * * *"
    mounts = {mount["name"] for mount in rendered("canary").container()["volumeMounts"]}
    assert mounts == {"data", "tmp", "secret-sensor"}


@each_example
def test_a_pod_has_no_privileges(example: str) -> None:
    pod, container = rendered(example).pod()["spec"], rendered(example).container()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@each_example
def test_the_settings_are_what_the_software_understands(example: str) -> None:
    given = rendered(example).settings()
    settings = Settings.from_env(given)
    assert settings.metrics_port == container_port(rendered(example))
    mounts = {mount["mountPath"] for mount in rendered(example).container()["volumeMounts"]}
    assert str(settings.home) in mounts
    for nation in settings.nations:
        assert cluster_from_env(given, nation, "192.0.2.1:9092").security == {}


def container_port(release: Rendered) -> int:
    ports = {port["name"]: int(port["containerPort"]) for port in release.container()["ports"]}
    assert set(ports) - {"taxii"} == {"metrics"}
    return ports["metrics"]


def test_a_large_number_is_written_out() -> None:
    release = render("streams", "--set", "settings.rollUpMs=60000000")
    assert Settings.from_env(release.settings()).roll_up_ms == 60_000_000


def test_a_setting_that_is_not_given_is_left_to_the_software() -> None:
    assert "KAKEHASHI_SHARDS" not in rendered("streams").settings()


def test_secrets_are_only_referred_to() -> None:
    release = render("bridge", "--set-json", f"clusters.JPN={SECURED}", "--set-json", f"secretFiles={MOUNTED}")
    variables = {variable["name"]: variable for variable in release.container()["env"]}
    assert variables["KAKEHASHI_JPN_KAFKA_SASL_PASSWORD"]["valueFrom"] == {
        "secretKeyRef": {"name": "kakehashi-jpn", "key": "password"}
    }
    assert release.settings()["KAKEHASHI_JPN_KAFKA_SECURITY_PROTOCOL"] == "SASL_SSL"
    assert release.settings()["KAKEHASHI_JPN_KAFKA_SSL_CA_LOCATION"] == "/etc/kakehashi/jpn-tls/ca.crt"
    mounts = {mount["name"]: mount for mount in release.container()["volumeMounts"]}
    assert mounts["secret-jpn-tls"] == {
        "name": "secret-jpn-tls", "mountPath": "/etc/kakehashi/jpn-tls", "readOnly": True
    }  # fmt: skip
    assert release.of("Secret") == []
    for manifest in release.manifests:
        if manifest["apiVersion"] != OPERATOR:
            kubernetes_validate.validate(manifest, "1.34", strict=True)


@pytest.mark.parametrize("example", ["streams", "bridge", "output", "taxii", "sightings", "score"])
def test_a_worker_is_probed_where_it_shows_its_health(example: str) -> None:
    container = rendered(example).container()
    paths = {name: container[name]["httpGet"]["path"] for name in container if name.endswith("Probe")}
    assert paths == {"startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready"}


def test_a_worker_of_the_bridge_knows_which_one_it_is_and_of_how_many() -> None:
    release = render("bridge", "--set", "replicas=3")
    (index,) = (variable for variable in release.container()["env"] if variable["name"] == "POD_INDEX")
    assert index["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['apps.kubernetes.io/pod-index']"
    assert release.container()["args"][-2:] == ["--ordinal=$(POD_INDEX)", "--of=3"]


def test_another_number_of_bridge_workers_is_another_set_of_them() -> None:
    two, three = (render("bridge", "--set", f"replicas={number}").one("StatefulSet") for number in (2, 3))
    assert two["metadata"]["name"] != three["metadata"]["name"]
    names = {render("streams", "--set", f"replicas={number}").one("StatefulSet")["metadata"]["name"] for number in "23"}
    assert len(names) == 1


@each_example
def test_the_command_line_understands_what_it_is_given(example: str) -> None:
    name, *arguments = rendered(example).container()["args"]
    program = typer.main.get_command(command_line(Invocation()))
    context = typer.Context(program)
    while isinstance(program, typer.core.TyperGroup):
        command = program.get_command(context, name)
        assert command is not None, f"there is no command {name}"
        program = command
        if isinstance(program, typer.core.TyperGroup):
            context = typer.Context(program, parent=context, info_name=name)
            name, *arguments = arguments
    program.make_context(
        name,
        [argument.replace("$(POD_INDEX)", "0").replace("$(POD_NAME)", "worker-0") for argument in arguments],
        parent=context,
    )


def test_streams_and_producers_keep_a_volume_and_a_bridge_keeps_nothing() -> None:
    for example in ("streams", "output", "taxii", "sightings"):
        (claim,) = rendered(example).one("StatefulSet")["spec"]["volumeClaimTemplates"]
        assert claim["metadata"]["name"] == "data"
    for example in ("bridge", "score"):
        assert "volumeClaimTemplates" not in rendered(example).one("StatefulSet")["spec"]
    for example in ("produce", "canary"):
        spool = rendered(example).one("PersistentVolumeClaim")
        assert spool["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        volumes = {volume["name"]: volume for volume in rendered(example).pod()["spec"]["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"]["claimName"] == spool["metadata"]["name"]
    for example in EXAMPLES:
        mounted = {mount["name"] for mount in rendered(example).container()["volumeMounts"]}
        given = {volume["name"] for volume in rendered(example).pod()["spec"]["volumes"]}
        claimed = {"data"} if example in {"streams", "output", "taxii", "sightings"} else set()
        assert mounted == given | claimed


def test_selectors_find_the_pods_of_their_own_release() -> None:
    for example in EXAMPLES:
        release = rendered(example)
        labels = release.pod()["metadata"]["labels"].items()
        wanted: list[dict[str, Any]] = [m["spec"]["selector"] for m in release.of("Service")]
        wanted.append(release.one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"])
        wanted += [m["spec"]["selector"]["matchLabels"] for m in release.of("StatefulSet")]
        wanted += [m["spec"]["selector"]["matchLabels"] for m in release.of("PodDisruptionBudget")]
        for selector in wanted:
            assert selector.items() <= labels
            assert selector["app.kubernetes.io/instance"] == "sharing"


def test_the_network_policy_lets_in_metrics_only_and_out_to_kafka_only() -> None:
    policy = rendered("streams").one("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in policy["ingress"] for port in rule["ports"]] == ["metrics"]
    assert policy["ingress"][0]["from"]
    dns, kafka = policy["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert kafka["to"] == [{"ipBlock": {"cidr": "192.0.2.0/24"}}]


def test_what_needs_an_operator_is_off_until_asked_for() -> None:
    kinds = {manifest["kind"] for manifest in rendered("bridge").manifests}
    assert not kinds & {"ServiceMonitor", "PrometheusRule"}


def test_alerts_and_dashboard_arrive_whole() -> None:
    release = rendered("streams")
    (group,) = release.one("PrometheusRule")["spec"]["groups"]
    assert "{{ $labels.shard }}" in json.dumps(group)
    (dashboard,) = (m for m in release.of("ConfigMap") if m["metadata"]["name"].endswith("-dashboard"))
    assert json.loads(dashboard["data"]["kakehashi.json"])["title"] == "Kakehashi"
    monitor = release.one("ServiceMonitor")["spec"]
    assert [endpoint["port"] for endpoint in monitor["endpoints"]] == [
        release.one("Service")["spec"]["ports"][0]["name"]
    ]


@pytest.mark.parametrize(
    ("example", "options", "words"),
    [
        ("streams", ("--set", "nation=FRA"), "missing: Kafka of the nation"),
        ("bridge", ("--set", "bridge.to=GBR"), "must be another nation"),
        ("bridge", ("--set", "bridge.to=FRA"), "missing: Kafka of the partner"),
        ("bridge", ("--set", "settings.nations=GBR\\,FRA"), "not in settings.nations"),
        ("streams", ("--set", "settings.shards=0"), "minimum"),
        ("output", ("--set-json", 'output.to=["hosts:/srv/hosts"]'), "below /targets"),
        ("output", ("--set-json", "output.targets=null"), "missing: the volume"),
        ("output", ("--set-json", "output.to=[]"), "minItems|at least 1"),
        ("taxii", ("--set", "taxii.certificate="), "taxii.certificate|minLength"),
        ("streams", ("--set", "replica=3"), "replica"),
    ],
)
def test_a_mistake_in_the_values_is_refused_in_words(example: str, options: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        render(example, *options)


def test_a_changed_setting_rolls_the_workers() -> None:
    def annotation(release: Rendered) -> str:
        return str(release.pod()["metadata"]["annotations"]["checksum/settings"])

    assert annotation(rendered("streams")) != annotation(render("streams", "--set", "settings.shards=8"))
