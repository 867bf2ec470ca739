"""Asks the Docker daemon: is it there, has it the image, whose containers are these. Nothing Kafka in here."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests
from docker.client import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from exchange.errors import BrokerUnavailable

NATION_LABEL = "kakehashi.nation"
OWNER_LABEL = "kakehashi.owner"
HOME_LABEL = "kakehashi.home"

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_CALL_TIMEOUT_S = 30
_CONNECT_TIMEOUT_S = 3
_PULL_TIMEOUT_S = 300


def docker_answers() -> str | None:
    """The daemon's version, or None if there is none to talk to."""
    if not _is_listening(os.environ.get("DOCKER_HOST", "") or _DEFAULT_HOST):
        return None
    try:
        with _daemon() as client:
            return str(client.version()["Version"])
    except (DockerException, requests.RequestException):
        return None


def obtain_image(image: str) -> str | None:
    """Make sure that the image is here, pulling it if need be. None if it is, else why it is not."""
    with _daemon(_PULL_TIMEOUT_S) as client:
        try:
            client.images.get(image)
        except ImageNotFound:
            try:
                client.images.pull(image)
            except (APIError, requests.RequestException) as error:
                return str(getattr(error, "explanation", None) or error)
    return None


def sweep() -> list[str]:
    """Remove the containers whose owners on this machine are gone; their short ids."""
    swept = []
    with as_unavailable("Docker could not remove left-over containers"), _daemon() as client:
        for container in client.containers.list(all=True, filters={"label": OWNER_LABEL}):
            if _is_orphan(container):
                with suppress(NotFound):
                    container.remove(force=True, v=True)
                    swept.append(str(container.short_id))
    return swept


def status(container_id: str) -> str | None:
    """A container's status in Docker's words (``running``, ``exited``), or None if it is gone."""
    with as_unavailable("Docker does not answer"), _container(container_id) as container:
        return None if container is None else str(container.status)


def start(container_id: str) -> None:
    """Start a stopped container again."""
    with as_unavailable(f"Docker could not start {container_id[:12]}"), _container(container_id) as container:
        if container is not None:
            container.start()


def stop(container_id: str, timeout_s: int) -> None:
    """Stop a container in good order; it stays, with its data."""
    with as_unavailable(f"Docker could not stop {container_id[:12]}"), _container(container_id) as container:
        if container is not None:
            container.stop(timeout=timeout_s)


def remove(container_id: str) -> None:
    """Remove a container with its data. Nothing happens if it is gone."""
    with as_unavailable(f"Docker could not remove {container_id[:12]}"), _container(container_id) as container:
        if container is not None:
            container.remove(force=True, v=True)


def owner() -> str:
    """This process, as the owner label says it."""
    return f"{os.getpid()}@{socket.gethostname()}"


@contextmanager
def as_unavailable(what: str) -> Iterator[None]:
    """Say Docker's failures as ours: BrokerUnavailable."""
    try:
        yield
    except (DockerException, requests.RequestException) as error:
        raise BrokerUnavailable(f"{what}: {error}") from error


@contextmanager
def _daemon(timeout_s: int = _CALL_TIMEOUT_S) -> Iterator[DockerClient]:
    client = DockerClient.from_env(timeout=timeout_s)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _container(container_id: str) -> Iterator[Container | None]:
    with _daemon() as client:
        try:
            container = client.containers.get(container_id)
        except NotFound:
            yield None
        else:
            yield container


def _is_listening(host: str) -> bool:
    """Whether anything listens there. Asked first: a Docker client that finds nobody leaves its sockets open."""
    scheme, _, place = host.partition("://")
    try:
        if scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(_CONNECT_TIMEOUT_S)
                probe.connect(place)
        elif scheme in ("tcp", "http", "https"):
            name, _, port = place.rstrip("/").rpartition(":")
            socket.create_connection((name.strip("[]"), int(port)), _CONNECT_TIMEOUT_S).close()
    except (OSError, ValueError):
        return False
    return True  # over ssh only a client can tell


def _is_orphan(container: Container) -> bool:
    pid, _, host = str(container.labels.get(OWNER_LABEL, "")).partition("@")
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
