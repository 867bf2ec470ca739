"""Runs one single-node Kafka cluster from the Apache jars, as a child process on loopback ports.

Nothing is left running when the parent dies, however it dies (``guard``), unless the parent has released
the broker: it then stores its process id, and stops it by that (``persistent``).
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.errors import BrokerUnavailable, ConfigurationError
from localkafka.broker import await_answer
from localkafka.class_archive import ClassArchive
from localkafka.guard import Guard
from localkafka.jars import classpath
from localkafka.ports import LOOPBACK, Ports, free_ports
from localkafka.properties import new_cluster_id, rendered, single_node

_HERE = Path(__file__).parent
_LOG_TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class LocalBrokerSettings:
    """How the Java process runs. ``heap`` is Java's ``-Xmx``; ``properties`` win over our own."""

    heap: str = "512m"
    # For a broker that runs for minutes on the same few cores as its clients. Measured on 2: without the optimising
    # compiler (C2) half the processor time, at a start, for 600 000 records and for 300 transactions alike;
    # serial and G1 collection start alike, and serial has fewer threads.
    java_options: tuple[str, ...] = (
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
    )
    properties: Mapping[str, str] = field(default_factory=dict)
    start_timeout_s: float = 60.0
    stop_timeout_s: float = 15.0


def find_java(environ: Mapping[str, str]) -> str:
    """The ``java`` to run: ``$JAVA_HOME``'s, else the first on the path. ConfigurationError if none."""
    home = environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        missing = f"JAVA_HOME={home} has no bin/java" if home else "there is no java on the PATH"
        raise ConfigurationError(
            f"{missing}; Kafka needs Java 17 or later. Debian, Ubuntu: apt-get install openjdk-17-jre-headless"
        )
    return java


class LocalBroker:
    """A broker of our own. ``folder`` holds its properties, log and data, and may be used again later."""

    def __init__(
        self,
        folder: Path,
        jars: Path,
        *,
        ports: Ports | None = None,
        settings: LocalBrokerSettings | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.ports = ports or free_ports()
        self.settings = settings or LocalBrokerSettings()
        self._jars = jars
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None
        self._archive: ClassArchive | None = None

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:port``."""
        return f"{LOOPBACK}:{self.ports.client}"

    @property
    def pid(self) -> int | None:
        """The Java process's id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def log(self) -> Path:
        """The file of the broker's warnings and errors."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start it and wait until it answers: on 2 cores about 2 s; 4 s after a kill.

        Raises BrokerUnavailable with the tail of the broker's log if it dies or does not answer in time.
        """
        if self.pid is not None:
            return
        self._disarm()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_properties()
        java = find_java(os.environ)
        self._archive = ClassArchive(java, self._jars)
        if self._formatted_cluster_id() is None:
            self._format(java)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(java, self._archive.reading_or_writing(), "kafka.Kafka", str(self._properties)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # the terminal's Ctrl-C is for us: the broker is stopped last
            )
        self._guard = Guard(["kill", "-9", str(self._process.pid)])
        try:
            # By its id: a broker that is already on these ports would answer just as well.
            await_answer(
                self.bootstrap, self.settings.start_timeout_s, self._must_be_alive, self._formatted_cluster_id()
            )
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Shut it down in good order (about 0.4 s); after ``stop_timeout_s`` it is killed."""
        if self.pid is None or self._process is None:
            self._disarm()
            return
        self._process.terminate()
        try:
            self._process.wait(self.settings.stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return
        if self._archive is not None:
            self._archive.keep()
        self._disarm()

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does; its data stays as it was."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._disarm()

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same ports and data."""
        self.stop()
        self.start()

    def release(self) -> int:
        """Let it outlive this process. Gives its process id, by which it can be stopped."""
        if self.pid is None or self._guard is None:
            raise BrokerUnavailable(f"Kafka on {self.bootstrap} is not running")
        self._guard.dismiss()
        self._guard = None
        return self.pid

    def pause(self) -> None:
        """Freeze it (``SIGSTOP``): connections stay open and nothing answers, as behind a cut link."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Resume a paused broker."""
        self._signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _write_properties(self) -> None:
        controller = f"{LOOPBACK}:{self.ports.controller}"
        properties = single_node(
            listeners=f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}",
            advertised=f"PLAINTEXT://{self.bootstrap}",
            controller=controller,
            log_dirs=str(self.folder / "data"),
            extra=self.settings.properties,
        )
        self._properties.write_text(rendered(properties), encoding="utf-8")

    def _formatted_cluster_id(self) -> str | None:
        try:
            lines = (self.folder / "data" / "meta.properties").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        return next((line.partition("=")[2] for line in lines if line.startswith("cluster.id=")), None)

    def _format(self, java: str) -> None:
        """Write the cluster's id and features, which a KRaft node will not start without."""
        tool = ("kafka.tools.StorageTool", "format", "-t", new_cluster_id(), "-c", str(self._properties), "-g")
        command = self._command(java, ClassArchive(java, self._jars).reading(), *tool)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=self.settings.start_timeout_s, check=False
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()
            raise BrokerUnavailable(f"Kafka could not format {self.folder / 'data'}:\n{said}")

    def _command(self, java: str, options: list[str], main: str, *arguments: str) -> list[str]:
        return [
            java,
            f"-Xmx{self.settings.heap}",
            *self.settings.java_options,
            *options,
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}",
            "-cp",
            classpath(self._jars),
            main,
            *arguments,
        ]

    def _must_be_alive(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise BrokerUnavailable(
                f"Kafka on {self.bootstrap} ended with {self._process.returncode} before it answered. "
                f"The end of {self.log}:\n{self.log_tail()}"
            )

    def log_tail(self) -> str:
        """The last lines of the broker's log, for an error message."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    def _signal(self, which: signal.Signals) -> None:
        if self.pid is None or self._process is None:
            raise BrokerUnavailable(f"Kafka on {self.bootstrap} is not running")
        self._process.send_signal(which)

    def _disarm(self) -> None:
        if self._guard is not None:
            self._guard.dismiss()
        if self._archive is not None:
            self._archive.discard()
        self._guard = None
        self._process = None
