"""Why a TLS connection to a cluster fails, in the terms of the person who can act.

librdkafka reports "certificate verify failed" for all of it. Here the same files are read, and the same handshake is
made once more with Python's ssl, which knows whether a certificate is too old, for another host, or of another CA.
The messages hold nothing secret: names of files, of hosts and dates.
"""

import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from exchange.kafka.clients import Cluster

_CONNECT_S: Final = 5.0
# OpenSSL's X509_V_ERR_…: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_EXPIRED: Final = 10
_NOT_YET: Final = 9
_OTHER_HOST: Final = {62, 64}
_NO_TLS: Final = "does not speak TLS there: look at the port, or at security.protocol"


def has_tls(cluster: Cluster) -> bool:
    """Whether its settings ask for TLS."""
    return cluster.security.get("security.protocol", "").upper() in {"SSL", "SASL_SSL"}


def why_refused(cluster: Cluster) -> str:
    """The fault of the certificates, ours or the broker's; empty if the handshake succeeds."""
    try:
        context = _context(cluster)
    except (OSError, ssl.SSLError, ValueError) as error:
        return f"our certificate files for {cluster.nation} cannot be used: {_files(cluster)}: {error}"
    stale = _stale(cluster)
    if stale:
        return stale
    for address in cluster.bootstrap.split(","):
        wrong = _shaken(cluster, context, address.strip())
        if wrong:
            return wrong
    return ""


def _context(cluster: Cluster) -> ssl.SSLContext:
    security = cluster.security
    context = ssl.create_default_context(cafile=security.get("ssl.ca.location"))
    context.check_hostname = security.get("ssl.endpoint.identification.algorithm", "https").lower() == "https"
    certificate = security.get("ssl.certificate.location")
    if certificate:
        password = security.get("ssl.key.password", "")  # never None: OpenSSL would ask on the terminal
        context.load_cert_chain(certificate, security.get("ssl.key.location"), password)
    return context


def _stale(cluster: Cluster) -> str:
    certificate = cluster.security.get("ssl.certificate.location")
    if not certificate:
        return ""
    ends = not_after(Path(certificate).read_text("ascii", "replace"))
    if ends > datetime.now(UTC):
        return ""
    return (
        f"our certificate {certificate} expired at {ends:%Y-%m-%d %H:%M} UTC: have it renewed by the CA that "
        f"{cluster.nation} trusts, and start again"
    )


def _shaken(cluster: Cluster, context: ssl.SSLContext, address: str) -> str:
    host, _, port = address.rpartition(":")
    where = f"{cluster.nation}'s Kafka at {address}"
    try:
        host = host.strip("[]")
        with (
            socket.create_connection((host, int(port)), _CONNECT_S) as plain,
            context.wrap_socket(plain, server_hostname=host) as link,
        ):
            link.settimeout(0.5)
            link.recv(1)  # with TLS 1.3 the other side reports on our certificate only after its handshake
    except ssl.SSLCertVerificationError as error:
        return f"{where} {_verified(cluster, error)}"
    except ssl.SSLError as error:
        return _alert(cluster, where, error)
    except ConnectionResetError:
        return f"{where} {_NO_TLS}"
    except (OSError, ValueError):
        return ""
    return ""


def _verified(cluster: Cluster, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in {_EXPIRED, _NOT_YET}:
        return (
            f"shows a certificate that {'has expired' if error.verify_code == _EXPIRED else 'is not valid yet'}: "
            + (f"{cluster.nation}'s administrator must renew it; look at this machine's clock, too")
        )
    if error.verify_code in _OTHER_HOST:
        return (
            f"shows a certificate for another host ({error.verify_message}): name the brokers in "
            f"KAKEHASHI_{cluster.nation}_BOOTSTRAP as their certificates do. If they are right, somebody stands between"
        )
    ca = cluster.security.get("ssl.ca.location", "the system's CAs")
    return (
        f"shows a certificate that {ca} has not signed ({error.verify_message}): get {cluster.nation}'s CA certificate "
        f"by a way you trust, and set KAKEHASHI_{cluster.nation}_KAFKA_SSL_CA_LOCATION to it"
    )


def _alert(cluster: Cluster, where: str, error: ssl.SSLError) -> str:
    reason = (error.reason or "").upper()
    if "CERTIFICATE_REQUIRED" in reason or ("ALERT" in reason and not cluster.security.get("ssl.certificate.location")):
        return (
            f"{where} wants a client certificate: set KAKEHASHI_{cluster.nation}_KAFKA_SSL_CERTIFICATE_LOCATION and "
            "..._SSL_KEY_LOCATION"
        )
    if "ALERT" in reason:
        return (
            f"{where} refuses our certificate {cluster.security['ssl.certificate.location']} ({reason.lower()}): it "
            f"must be signed by a CA that {cluster.nation} trusts"
        )
    if any(sign in reason for sign in ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "UNEXPECTED_EOF")):
        return f"{where} {_NO_TLS}"
    return ""


def _files(cluster: Cluster) -> str:
    names = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
    return ", ".join(f"{name}={cluster.security[name]}" for name in names if name in cluster.security)


def not_after(pem: str) -> datetime:
    """When the first certificate of a PEM file ends (RFC 5280, 4.1: the second time of tbsCertificate.validity)."""
    begin, end = pem.index("-----BEGIN CERTIFICATE-----"), pem.index("-----END CERTIFICATE-----")
    der = ssl.PEM_cert_to_DER_cert(pem[begin:end] + "-----END CERTIFICATE-----\n")
    _, body = _element(der)  # Certificate
    _, fields = _element(body)  # tbsCertificate
    parts = list(_elements(fields))
    validity = parts[4 if parts[0][0] == 0xA0 else 3][1]  # behind version (explicit), serial, algorithm, issuer
    tag, text = list(_elements(validity))[1]
    moment = text.decode("ascii")
    if tag == 0x17:  # UTCTime: years 50 to 99 are of the last century
        moment = ("19" if moment[:2] >= "50" else "20") + moment
    return datetime.strptime(moment, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _elements(der: bytes) -> list[tuple[int, bytes]]:
    found = []
    while der:
        tag, body = _element(der)
        found.append((tag, body))
        der = der[_header(der) + len(body) :]
    return found


def _element(der: bytes) -> tuple[int, bytes]:
    """Tag and content of the DER element that begins here."""
    begin = _header(der)
    length = der[1] if der[1] < 0x80 else int.from_bytes(der[2:begin])
    return der[0], der[begin : begin + length]


def _header(der: bytes) -> int:
    return 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
