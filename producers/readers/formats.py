"""The formats by their names, and the one that an input is in by its first bytes."""

from collections.abc import Mapping
from typing import Final

from producers.readers import csv_list, misp_event, stix_bundle, suricata_eve, txt_list
from producers.readers.csv_rows import delimiter_of
from producers.readers.reading import Reader

AUTO: Final = "auto"
READERS: Final[Mapping[str, Reader]] = {
    suricata_eve.FORMAT: suricata_eve.read,
    csv_list.FORMAT: csv_list.read,
    txt_list.FORMAT: txt_list.read,
    stix_bundle.FORMAT: stix_bundle.read,
    misp_event.FORMAT: misp_event.read,
}
_EVE_KEY: Final = b'"event_type"'
# Keys that each JSON format cannot do without. The one that stands first decides: a MISP event may quote STIX.
_JSON_KEYS: Final[Mapping[bytes, str]] = {
    _EVE_KEY: suricata_eve.FORMAT,
    b'"spec_version"': stix_bundle.FORMAT,
    b'"indicator--': stix_bundle.FORMAT,
    b'"bundle"': stix_bundle.FORMAT,
    b'"objects"': stix_bundle.FORMAT,
    b'"Event"': misp_event.FORMAT,
    b'"Attribute"': misp_event.FORMAT,
    b'"to_ids"': misp_event.FORMAT,
}
_XML: Final = b"<"
_ZEEK: Final = b"#separator"


def detect_format(head: bytes, name: str, encoding: str = "utf-8") -> str | None:
    """The format of an input that begins with ``head``; ``None`` where it is none that we read.

    A list is CSV if its lines have the same number of cells, and a text list otherwise: the ending of its name
    only decides where there is a single column.
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if any(line.startswith(b"{") and _EVE_KEY in line for line in start.splitlines()):
        return suricata_eve.FORMAT  # also where the first lines are damaged
    if start.startswith((b"{", b"[")):
        places = {start.find(key): found for key, found in _JSON_KEYS.items() if key in start}
        return places[min(places)] if places else None
    if not start or start.startswith((_XML, _ZEEK)) or b"\0" in head:
        return None
    sample = csv_list.sample_lines(head, encoding)
    delimiter = delimiter_of(sample)
    if delimiter == "\t" and all(_is_counted(line) for line in sample):
        return txt_list.FORMAT
    is_csv = delimiter is not None or name.lower().removesuffix(".gz").endswith(".csv")
    return csv_list.FORMAT if is_csv else txt_list.FORMAT


def _is_counted(line: str) -> bool:
    return line.rpartition("\t")[2].strip().isdigit()
