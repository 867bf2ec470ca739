"""Sends changes as CEF over TLS to a syslog receiver (RFC 5425: each message behind its length in octets).

Syslog has no answers. So each delivery has a connection of its own, and ends it by TLS's close_notify: a receiver that
has read everything answers that (RFC 5425, 4.4), and no one on the way can answer in its place.
"""

import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from typing import Final

from consumers.outputs.cef import fits, message_of
from consumers.outputs.http_sender import CA, tls_context
from consumers.outputs.places import chosen
from consumers.outputs.protocol import EVERY_TYPE, Change, LeftOut, Output, OutputUnavailable, Target
from consumers.outputs.push import Pushing, Receiver, pushing
from consumers.picture.entry import Entry
from exchange.clock import now_ms
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_NAME: Final = "syslog"
_PORT: Final = 6514  # RFC 5425, 4.1
_PLACE: Final = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")
_HOST_NAME: Final = re.compile(r"[!-~]{1,255}")
_TIMEOUT_S: Final = 20.0


class SyslogReceiver(Receiver):
    """One receiver. ``host`` names this machine in the messages.

    With ``by_tcp`` the end of the TCP connection is enough. Some receivers end it without a close_notify; but then
    whoever can cut the line can seem to confirm.
    """

    at_once = 1_000

    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        host: str,
        *,
        by_tcp: bool,
        clock_ms: Callable[[], int] = now_ms,
    ) -> None:
        self._by_tcp = by_tcp
        self._address, self._context, self._host, self._clock_ms = address, context, host, clock_ms

    def fits(self, entry: Entry) -> LeftOut | None:
        """What a message can have."""
        return fits(entry)

    def is_known(self, ledger: str) -> bool:
        """A syslog receiver cannot be asked."""
        return bool(ledger)

    def deliver(self, changes: Sequence[Change]) -> Collection[int]:
        """One connection with all of them, closed in order on both sides."""
        if not changes:
            return ()
        messages = (message_of(each, self._host, self._clock_ms()) for each in changes)
        frames = b"".join(b"%d %b" % (len(each), each) for each in messages)
        try:
            with (
                socket.create_connection(self._address, _TIMEOUT_S) as plain,
                self._context.wrap_socket(plain, server_hostname=self._address[0]) as secured,
            ):
                secured.sendall(frames)
                with contextlib.suppress(*([ssl.SSLEOFError] if self._by_tcp else [])):
                    secured.unwrap()  # sends close_notify, and waits for that of the receiver
        except OSError as error:
            where = f"{_NAME}:{self._address[0]}:{self._address[1]}"
            raise OutputUnavailable(f"{where} has not taken the messages: {error}") from error
        return ()

    def close(self) -> None:
        """No connection stays open."""


def _address(target: Target) -> tuple[str, int]:
    found = _PLACE.fullmatch(target.place)
    if found is None or int(found[3] or _PORT) > 65_535:
        raise ConfigurationError(f"{_NAME}:{target.place}: write HOST or HOST:PORT")
    return found[1] or found[2], int(found[3] or _PORT)


def _open(target: Target) -> Pushing:
    address, where = _address(target), f"{_NAME}:{target.place}"
    context = tls_context(where, target.options.get("ca", ""))
    certificate = target.options.get("cert", "")
    if certificate:
        try:
            context.load_cert_chain(certificate, target.options.get("key") or None)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(f"{where}: cert={certificate}: no PEM file with a certificate: {error}") from error
    name = socket.gethostname()
    by_tcp = chosen(target, _NAME, "close", ("tls", "tcp")) == "tcp"
    receiver = SyslogReceiver(address, context, name if _HOST_NAME.fullmatch(name) else "-", by_tcp=by_tcp)
    return pushing(target, _NAME, receiver)


OUTPUT: Final = Output(
    name=_NAME,
    writes="CEF messages over TLS to a syslog receiver",
    place="HOST",
    carries=EVERY_TYPE,
    activity=Activity.PASSIVE_LOCAL,
    merges=False,
    open=_open,
    options={
        "ca": CA,
        "cert": "a PEM file with the certificate of this client, if the receiver asks for one",
        "key": "its key, if it is in another file",
        "close": "`tcp` for a receiver that does not answer close_notify, as rsyslog's gtls; `tls` if not given",
    },
)
