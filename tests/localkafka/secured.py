"""The properties that give a single node listeners with TLS, client certificates, SCRAM users and an authoriser.

For tests and trials: the plain loopback listener stays, and whoever reaches it is the administrator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MECHANISM = "SCRAM-SHA-512"
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SecuredListener:
    """One more address of the broker. The PEM files hold its key with its certificate, and the CA that it trusts."""

    name: str
    port: int
    key_and_certificate: Path
    trusted: Path

    @property
    def bootstrap(self) -> str:
        """Where clients find it, by the name that its certificate is for."""
        return f"localhost:{self.port}"


def secured(client_port: int, controller_port: int, listeners: Sequence[SecuredListener]) -> Mapping[str, str]:
    """What to add to a single node's properties."""
    plain = f"PLAINTEXT://{_LOOPBACK}:{client_port}"
    bound = [f"{each.name}://{_LOOPBACK}:{each.port}" for each in listeners]
    reported = [f"{each.name}://{each.bootstrap}" for each in listeners]
    protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{each.name}:SASL_SSL" for each in listeners)]
    found = {
        "listeners": ",".join([plain, f"CONTROLLER://{_LOOPBACK}:{controller_port}", *bound]),
        "advertised.listeners": ",".join([plain, *reported]),
        "listener.security.protocol.map": ",".join(protocols),
        "sasl.enabled.mechanisms": MECHANISM,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }
    for each in listeners:
        prefix = f"listener.name.{each.name.lower()}."
        found |= {
            f"{prefix}ssl.keystore.type": "PEM",
            f"{prefix}ssl.keystore.location": str(each.key_and_certificate),
            f"{prefix}ssl.truststore.type": "PEM",
            f"{prefix}ssl.truststore.location": str(each.trusted),
            f"{prefix}ssl.client.auth": "required",
            f"{prefix}{MECHANISM.lower()}.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
        }
    return found
