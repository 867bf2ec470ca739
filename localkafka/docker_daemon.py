"""Queries the Docker daemon: version, images, and owners of containers. Independent of Kafka."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import requests
from docker.client import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from exchange.errors import BrokerUnavailable
from exchange.process import is_gone

NATION_LABEL = "kakehashi.nation"
OWNER_LABEL = "kakehashi.owner"
HOME_LABEL = "kakehashi.home"

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_CALL_TIMEOUT_S = 30
_CONNECT_TIMEOUT_S = 3
_PULL_TIMEOUT_S = 300


def docker_answers() -> str | None:
    """The daemon's version, or None if no daemon answers."""
    if not _is_listening(os.environ.get("DOCKER_HOST", "") or _DEFAULT_HOST):
        return None
    try:
        with _daemon() as client:
            return str(client.version()["Version"])
    except (DockerException, requests.RequestException):
        return None


def obtain_image(image: str) -> str | None:
    """Make sure that the image is present, pulling it if needed. None if it is, else the reason."""
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
    """A container's status as Docker names it (``running``, ``exited``), or None if it is gone."""
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
    """This process, as the owner label names it."""
    return f"{os.getpid()}@{socket.gethostname()}"


@contextmanager
def as_unavailable(what: str) -> Iterator[None]:
    """Raise Docker's failures as BrokerUnavailable."""
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
    """Whether a server listens there. Checked first: a Docker client without a server leaves its sockets open."""
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
    return is_gone(host, pid)
