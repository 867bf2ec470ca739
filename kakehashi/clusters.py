"""Where the nations' clusters are: from settings, or from the local ones that ``kakehashi up`` keeps."""

from collections.abc import Mapping

from exchange.kafka.clients import Cluster
from exchange.settings import Settings, cluster_from_env
from localkafka.persistent import find_bootstrap


def cluster_of(nation: str, settings: Settings, environ: Mapping[str, str]) -> Cluster:
    """The cluster of a nation. Raises ConfigurationError if none is known, with how to get one."""
    settings.partners(nation)
    return cluster_from_env(environ, nation, find_bootstrap(nation, environ))
