"""Brings a cluster's ACLs to those of ``schemas.access``: adds missing ones, and names surplus ones."""

from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

# Not exported to type checkers by the package.
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from exchange.errors import ConfigurationError
from exchange.kafka.clients import CALL_TIMEOUT_S, Cluster, answer
from exchange.kafka.reach import reached
from schemas.access import Allowed

_RESOURCES: Final = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
_OPERATIONS: Final = {
    "read": AclOperation.READ,
    "write": AclOperation.WRITE,
    "delete": AclOperation.DELETE,
    "describe": AclOperation.DESCRIBE,
    "describe-configs": AclOperation.DESCRIBE_CONFIGS,
}
_OF_THE_AUTHORISER: Final = {KafkaError.SECURITY_DISABLED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}


@dataclass(frozen=True, slots=True)
class Applied:
    """How many were added, how many existed, and the other rights of these users, in Kafka's terms."""

    added: int
    were_there: int
    more: tuple[str, ...]


def apply_access(cluster: Cluster, wanted: Iterable[Allowed]) -> Applied:
    """Add missing ones. Surplus ones are named and stay: whoever made them knows why.

    Raises ConfigurationError if the cluster has no authoriser, or we may not alter ACLs.
    """
    reached(cluster)
    admin = AdminClient(cluster.client())
    bindings = {_binding(each) for each in wanted}
    found = set(_described(admin, cluster))
    missing = bindings - found
    for future in admin.create_acls(list(missing), request_timeout=CALL_TIMEOUT_S).values() if missing else ():
        _answer(future, cluster)
    users = {binding.principal for binding in bindings}
    more = sorted(_shown(each) for each in found - bindings if each.principal in users)
    return Applied(len(missing), len(bindings) - len(missing), tuple(more))


def _binding(allowed: Allowed) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if allowed.prefixed else ResourcePatternType.LITERAL
    operation = _OPERATIONS[allowed.operation]
    resource, principal = _RESOURCES[allowed.resource], f"User:{allowed.user}"
    return AclBinding(resource, allowed.name, pattern, principal, "*", operation, AclPermissionType.ALLOW)


def _described(admin: AdminClient, cluster: Cluster) -> list[AclBinding]:
    anything: Any = None  # missing from the package's types
    pattern, operation = ResourcePatternType.ANY, AclOperation.ANY
    every = AclBindingFilter(ResourceType.ANY, anything, pattern, anything, anything, operation, AclPermissionType.ANY)
    found: list[AclBinding] = _answer(admin.describe_acls(every, request_timeout=CALL_TIMEOUT_S), cluster)
    return found


def _answer(future: "Future[list[AclBinding]]", cluster: Cluster) -> list[AclBinding]:
    try:
        return answer(future, cluster, "show its ACLs or add to them", known=_OF_THE_AUTHORISER)
    except KafkaException as error:
        where = f"{cluster.nation}'s cluster at {cluster.bootstrap}"
        if error.args[0].code() == KafkaError.SECURITY_DISABLED:
            raise ConfigurationError(
                f"{where} has no authoriser, so everybody may do everything: set authorizer.class.name to "
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer on all of its nodes"
            ) from error
        raise ConfigurationError(
            f"{where} does not let this user alter ACLs: run this as one of its super.users"
        ) from error


def _shown(binding: AclBinding) -> str:
    kinds: list[Any] = [binding.permission_type, binding.operation, binding.restype, binding.resource_pattern_type]
    permission, operation, resource, pattern = (kind.name for kind in kinds)
    return f"{binding.principal} {permission} {operation} {resource} {binding.name} ({pattern}, from {binding.host})"
