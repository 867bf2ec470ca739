"""The cluster's client security for Faust, from librdkafka's settings: one set serves both clients."""

import ssl
from collections.abc import Mapping
from typing import Final

import faust
from faust.types.auth import CredentialsT

from exchange.errors import ConfigurationError

_MECHANISMS: Final = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
_UNDERSTOOD: Final = {
    "security.protocol",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
}


def credentials(nation: str, security: Mapping[str, str]) -> CredentialsT | None:
    """Faust's credentials for these settings; None for a cluster without security.

    Raises ConfigurationError for a setting that Faust's client does not have: to ignore it could
    mean a less secure connection than configured.
    """
    protocol = security.get("security.protocol", "PLAINTEXT").upper()
    unknown = sorted(set(security) - _UNDERSTOOD)
    if unknown:
        raise ConfigurationError(
            f"{nation}'s client settings {', '.join(unknown)} cannot be given to Faust; it knows "
            f"{', '.join(sorted(_UNDERSTOOD))}"
        )
    if protocol == "PLAINTEXT":
        return None
    context = _context(nation, security) if protocol.endswith("SSL") else None
    if protocol == "SSL":
        return faust.SSLCredentials(context)
    mechanism = security.get("sasl.mechanism", security.get("sasl.mechanisms", "")).upper()
    if mechanism not in _MECHANISMS:
        raise ConfigurationError(f"{nation}: sasl.mechanism must be one of {', '.join(sorted(_MECHANISMS))}")
    return faust.SASLCredentials(
        username=security.get("sasl.username"),
        password=security.get("sasl.password"),
        ssl_context=context,
        mechanism=mechanism,
    )


def _context(nation: str, security: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=security.get("ssl.ca.location"))
        certificate = security.get("ssl.certificate.location")
        if certificate:
            context.load_cert_chain(
                certificate, security.get("ssl.key.location"), security.get("ssl.key.password") or None
            )
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"{nation}'s certificates cannot be used: {error}") from error
    return context
