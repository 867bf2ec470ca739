"""A change as a line of ArcSight's Common Event Format (CEF, version 25) in a message of syslog (RFC 5424)."""

from importlib.metadata import version
from typing import Final

from consumers.outputs.protocol import Change, LeftOut, Put
from consumers.picture.entry import Entry
from consumers.stix.identifiers import timestamp

_VERSION: Final = version("kakehashi")
_PRIORITY: Final = 1 * 8 + 6  # RFC 5424, 6.2.1: user-level, informational
_MOST_BYTES: Final = 8_192  # of a message; RFC 5425, 4.3.1: receivers SHOULD be able to process so much
_MOST_LABELS: Final = 2_048


def fits(entry: Entry) -> LeftOut | None:
    """Why an entry cannot be a message: a control character would end it, or it is too long."""
    if not all(each.isprintable() for each in (entry.value, *entry.caveats)):
        return LeftOut.VALUE
    return LeftOut.LIMIT if len(message_of(Put(entry), "x" * 255, 0)) > _MOST_BYTES else None


def message_of(change: Change, host: str, at_ms: int) -> bytes:
    """The message. A removal names the indicator by its id and origin."""
    if isinstance(change, Put):
        action, severity, fields = "put", _severity(change.entry), _fields(change.entry)
    else:
        action, severity, fields = "remove", 0, {"reason": change.state.value}
    about = change.entry if isinstance(change, Put) else change
    fields = {
        "act": action,
        "cat": "indicator",
        "externalId": about.id,
        "cs1": about.origin,
        "cs1Label": "origin",
        **fields,
    }
    head = "|".join(map(_head, ("Kakehashi", "kakehashi", _VERSION, action, f"indicator {action}", str(severity))))
    extension = " ".join(f"{name}={_extension(value)}" for name, value in fields.items())
    return f"<{_PRIORITY}>1 {timestamp(at_ms)} {host} kakehashi - {action} - CEF:0|{head}|{extension}".encode()


def _fields(entry: Entry) -> dict[str, str]:
    found = {
        "cs2": entry.value,
        "cs2Label": "indicator",
        "cs3": entry.type,
        "cs3Label": "indicatorType",
        "cs4": entry.tlp or "TLP:RED",
        "cs4Label": "tlp",
        "cs5": entry.pap_code.label or "not stated",
        "cs5Label": "pap",
        "cs6": ",".join(_shortened(entry)),
        "cs6Label": "labels",
        "cn1": str(entry.version),
        "cn1Label": "version",
    }
    if entry.confidence is not None:
        found |= {"cn2": str(entry.confidence), "cn2Label": "confidence"}
    if entry.ends_ms is not None:
        found |= {"deviceCustomDate1": str(entry.ends_ms), "deviceCustomDate1Label": "validUntil"}
    if entry.caveats:
        found["msg"] = "; ".join(entry.caveats)
    return found


def _shortened(entry: Entry) -> list[str]:
    """Its labels, as many as a message can have."""
    found, size = list[str](), 0
    for label in entry.labels:
        shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in label)
        size += len(shown.encode()) + 1
        if size > _MOST_LABELS:
            break
        found.append(shown)
    return found


def _severity(entry: Entry) -> int:
    """0 to 10, by its confidence; 5 if it has none."""
    return 5 if entry.confidence is None else entry.confidence // 10


def _head(text: str) -> str:
    """Of the header: the pipe and the backslash are escaped."""
    return text.replace("\\", "\\\\").replace("|", "\\|")


def _extension(text: str) -> str:
    """Of a value in the extension: the equals sign and the backslash are escaped."""
    return text.replace("\\", "\\\\").replace("=", "\\=")
