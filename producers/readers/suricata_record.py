"""The fields of Suricata's ``alert`` records that are read. Source: its user guide, output/eve/eve-json-format."""

from typing import Any

import msgspec

from producers.readers.suricata_files import File


class Endpoint(msgspec.Struct):
    """The end of a flow that a rule with the keyword ``target`` names."""

    ip: str | None = None


class Rule(msgspec.Struct):
    """The rule that alerted."""

    signature: str | None = None
    signature_id: int | None = None
    category: str | None = None
    severity: int | None = None
    action: str | None = None
    metadata: dict[str, Any] | None = None
    source: Endpoint | None = None
    target: Endpoint | None = None


class Http(msgspec.Struct):
    """The request. ``url`` is the request's target as it was sent (RFC 9112, section 3.2)."""

    hostname: str | None = None
    url: str | None = None
    http_method: str | None = None
    xff: str | None = None
    http_user_agent: str | None = None


class Handshake(msgspec.Struct):
    """A handshake of TLS or QUIC: the name that the client asked for, the client's fingerprints, and
    that of the server's certificate."""

    sni: str | None = None
    ja3: Any = None
    ja4: str | None = None
    fingerprint: str | None = None

    @property
    def ja3_hash(self) -> str:
        """JA3's hash, which is written in an object or alone; empty if there is none."""
        found = self.ja3.get("hash") if isinstance(self.ja3, dict) else self.ja3
        return found if isinstance(found, str) else ""


class Flow(msgspec.Struct):
    """The flow: who opened it."""

    src_ip: str | None = None


class Alert(msgspec.Struct):
    """An ``alert`` record, or another record of a flow: without a rule."""

    timestamp: str
    alert: Rule = msgspec.field(default_factory=Rule)
    src_ip: str | None = None
    src_port: int | None = None
    dest_ip: str | None = None
    dest_port: int | None = None
    proto: str | None = None
    app_proto: str | None = None
    app_proto_orig: str | None = None  # before STARTTLS
    direction: str | None = None
    flow_id: int | None = None
    host: str | None = None
    in_iface: str | None = None
    xff: str | None = None
    flow: Flow | None = None
    http: Http | None = None
    tls: Handshake | None = None
    quic: Handshake | None = None
    dns: Any = None
    smtp: Any = None
    email: Any = None
    files: list[File] | None = None

    @property
    def forwarded(self) -> str:
        """The client for whom a proxy sent the request, as the header ``X-Forwarded-For`` names it."""
        return (self.xff or (self.http.xff if self.http else None) or "").strip()

    @property
    def ports(self) -> tuple[int | None, int | None]:
        """The ports of source and destination."""
        return self.src_port, self.dest_port
