"""Runs one single-node Kafka cluster in Docker, by testcontainers. The only importer of testcontainers.

Testcontainers' own Kafka class runs Confluent's images alone, so this one speaks the ``KAFKA_*`` environment
of ``apache/kafka`` (which ``localkafka/image`` honours too, for machines that cannot pull). Any such
variable switches off all of the image's defaults, so all of them are given.

The client port is chosen here and bound to the loopback address, not left to Docker: an advertised listener
must be known before Kafka starts, and stay the same when a killed broker comes back.

Testcontainers' reaper is one more image to pull, and not needed: a container is labelled with its owner,
a guard removes it when the owner dies, and the next start removes containers left by a machine's crash.
"""

import os
import shutil
from collections.abc import Mapping

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from exchange.errors import BrokerUnavailable
from localkafka.broker import await_answer
from localkafka.docker_daemon import HOME_LABEL, NATION_LABEL, OWNER_LABEL, as_unavailable, owner
from localkafka.guard import Guard
from localkafka.local import LocalBrokerSettings
from localkafka.ports import free_ports
from localkafka.properties import SINGLE_NODE, new_cluster_id, single_node

_CLIENT_PORT = 9092
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 15
_LOG_TAIL_LINES = 25


class KafkaContainer(DockerContainer):
    """Apache Kafka 4 as testcontainers starts it: one KRaft node, reachable at ``host:port``."""

    def __init__(self, image: str, host: str, port: int, heap: str, properties: Mapping[str, str]) -> None:
        super().__init__(image)
        # The broker connects to itself (transaction markers) by a separate listener: the clients' address is
        # the host's, which is not reachable inside the container.
        listeners = {
            "inter.broker.listener.name": "BROKER",
            "listener.security.protocol.map": SINGLE_NODE["listener.security.protocol.map"] + ",BROKER:PLAINTEXT",
        }
        node = single_node(
            listeners=f"PLAINTEXT://0.0.0.0:{_CLIENT_PORT},CONTROLLER://localhost:9093,BROKER://localhost:9094",
            advertised=f"PLAINTEXT://{host}:{port},BROKER://localhost:9094",
            controller="localhost:9093",
            log_dirs="/var/lib/kafka/data",
            extra=listeners | dict(properties),
        )
        for name, value in node.items():
            self.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
        self.with_env("CLUSTER_ID", new_cluster_id())
        self.with_env("KAFKA_HEAP_OPTS", f"-Xmx{heap}")
        self.with_env("KAFKA_JVM_PERFORMANCE_OPTS", " ".join(LocalBrokerSettings().java_options))


class ContainerBroker:
    """A broker in Docker. ``start`` makes the container, ``stop`` keeps it and its data, ``remove`` drops both."""

    def __init__(
        self,
        nation: str,
        image: str,
        *,
        heap: str = "512m",
        properties: Mapping[str, str] | None = None,
        home: str | None = None,
    ) -> None:
        """``home`` marks a container that will be released; any other goes when its owner is gone."""
        testcontainers_config.ryuk_disabled = True
        self._host = _docker_host()
        self._port = free_ports().client
        self._container = KafkaContainer(image, self._host, self._port, heap, properties or {})
        # Only this machine may connect to a daemon here; a remote daemon's port must be reachable from here.
        bind: tuple[str, int] | int = (self._host, self._port) if self._host == "127.0.0.1" else self._port
        self._container.with_kwargs(
            labels={NATION_LABEL: nation} | ({HOME_LABEL: home} if home else {OWNER_LABEL: owner()}),
        )
        self._container.ports[f"{_CLIENT_PORT}/tcp"] = bind  # type: ignore[assignment]  # docker takes pairs
        self._guard: Guard | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` as seen from here."""
        return f"{self._host}:{self._port}"

    @property
    def container_id(self) -> str:
        """Docker's id of the container."""
        return self._container.get_container_id()

    def start(self) -> None:
        """Make and start the container, and wait until Kafka answers. Raises BrokerUnavailable."""
        with as_unavailable(f"Docker could not start Kafka for {self.bootstrap}"):
            try:
                self._container.start()
                if shutil.which("docker"):
                    self._guard = Guard(["docker", "rm", "--force", "--volumes", self.container_id])
                await_answer(self.bootstrap, _START_TIMEOUT_S, self._must_be_alive)
            except BaseException:
                self.remove()
                raise

    def stop(self) -> None:
        """Shut Kafka down in good order; the container and its data stay."""
        with as_unavailable(f"Docker could not stop Kafka on {self.bootstrap}"):
            self._container.get_wrapped_container().stop(timeout=_STOP_TIMEOUT_S)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        with as_unavailable(f"Docker could not kill Kafka on {self.bootstrap}"):
            self._container.get_wrapped_container().kill()

    def restart(self) -> None:
        """Start it again on the same address and data, stopping it first if it runs."""
        with as_unavailable(f"Docker could not restart Kafka on {self.bootstrap}"):
            self._container.get_wrapped_container().restart(timeout=_STOP_TIMEOUT_S)
            await_answer(self.bootstrap, _START_TIMEOUT_S, self._must_be_alive)

    def release(self) -> str:
        """Let it outlive this process. Gives Docker's id of it."""
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        return self.container_id

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers, as behind a cut link."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Resume a paused broker."""
        self._container.get_wrapped_container().unpause()

    def remove(self) -> None:
        """Drop the container with its data."""
        with as_unavailable(f"Docker could not remove Kafka on {self.bootstrap}"):
            self._container.stop()
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None

    def _must_be_alive(self) -> None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status not in ("created", "running", "restarting"):
            log = container.logs(tail=_LOG_TAIL_LINES).decode(errors="replace")
            raise BrokerUnavailable(f"Kafka in Docker ({container.short_id}) is {container.status}:\n{log}")


def _docker_host() -> str:
    """Where published ports are reached: this machine, or the host of a daemon elsewhere."""
    scheme, _, rest = os.environ.get("DOCKER_HOST", "").partition("://")
    return rest.rpartition(":")[0] if scheme in ("tcp", "http", "https") else "127.0.0.1"
