"""What Helm makes of the roles beside tools and of those that watch: outputs, TAXII, scores. Helm is needed."""

import pytest

from tests.helm.chart import render
from tests.helm.test_chart_rendered import rendered

pytestmark = pytest.mark.helm


@pytest.mark.parametrize(
    ("example", "command"),
    [
        (
            "output",
            [
                "output",
                "run",
                "--nation=JPN",
                "--to=suricata:/targets/suricata",
                "--to=zeek:/targets/intel.dat?keep=336",
                "--to=webhook:https://soc.example.net/hook?secret=/etc/kakehashi/hook/key",
                "--partner=GBR",
                "--tlp-max=TLP:AMBER",
                "--type=ipv4-addr",
                "--type=ipv6-addr",
                "--type=domain-name",
            ],
        ),
        (
            "taxii",
            [
                "taxii",
                "serve",
                "--nation=JPN",
                "--address=0.0.0.0",
                "--port=6443",
                "--clients=/etc/kakehashi/taxii/clients.toml",
                "--certificate=/etc/kakehashi/tls/tls.crt",
                "--key=/etc/kakehashi/tls/tls.key",
                "--client-ca=/etc/kakehashi/tls/ca.crt",
            ],
        ),
        (
            "sightings",
            [
                "sighting",
                "follow",
                "--nation=JPN",
                "--partner=GBR",
                "--format=suricata-eve",
                "--tlp=TLP:GREEN",
                "/source/eve.json",
            ],
        ),
        ("score", ["sensor", "score", "--nation=GBR", "--every=1h", "--half-life=30d"]),
        (
            "canary",
            ["sensor", "canary", "--nation=GBR", "--partner=JPN", "--sensor=canary", "--timeout=60", "--json"],
        ),
    ],
)
def test_a_release_runs_its_role(example: str, command: list[str]) -> None:
    assert rendered(example).container()["args"] == command


def test_taxii_lets_its_clients_in_and_an_output_reaches_its_receivers() -> None:
    metrics, clients = rendered("taxii").one("NetworkPolicy")["spec"]["ingress"]
    assert [port["port"] for rule in (metrics, clients) for port in rule["ports"]] == ["metrics", "taxii"]
    assert clients["from"] == [{"ipBlock": {"cidr": "198.51.100.0/24"}}]
    (service,) = (m for m in rendered("taxii").of("Service") if m["metadata"]["name"].endswith("-taxii"))
    assert service["spec"]["type"] == "ClusterIP"
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["taxii"]
    receiver = rendered("output").one("NetworkPolicy")["spec"]["egress"][-1]
    assert receiver["to"] == [{"ipBlock": {"cidr": "203.0.113.10/32"}}]
    assert [
        port["port"] for rule in rendered("output").one("NetworkPolicy")["spec"]["ingress"] for port in rule["ports"]
    ] == ["metrics"]


@pytest.mark.parametrize("example", ["output", "taxii", "sightings", "score"])
def test_one_picture_has_one_process_whatever_the_replicas_say(example: str) -> None:
    assert render(example, "--set", "replicas=3").one("StatefulSet")["spec"]["replicas"] == 1


def test_the_files_of_an_output_are_on_the_volume_that_its_tools_read() -> None:
    container, pod = rendered("output").container(), rendered("output").pod()["spec"]
    assert {"name": "targets", "mountPath": "/targets"} in container["volumeMounts"]
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["targets"]["persistentVolumeClaim"] == {"claimName": "tokyo-sensors"}
    assert volumes["secret-hook"]["secret"]["secretName"] == "tokyo-hook"
    pushing = render(
        "output", "--set-json", 'output.to=["webhook:https://soc.example.net/hook?secret=/etc/kakehashi/a"]'
    )
    assert "targets" in {volume["name"] for volume in pushing.pod()["spec"]["volumes"]}


def test_the_logs_of_a_tool_are_only_read() -> None:
    mounts = {mount["name"]: mount for mount in rendered("sightings").container()["volumeMounts"]}
    assert mounts["source"] == {"name": "source", "mountPath": "/source", "readOnly": True}
    volumes = {volume["name"]: volume for volume in rendered("sightings").pod()["spec"]["volumes"]}
    assert volumes["source"]["persistentVolumeClaim"]["claimName"] == "tokyo-suricata-1-logs"
