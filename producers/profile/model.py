"""The settings of a sensor: one model, filled by the options of ``produce`` or by a YAML file.

``producers.profile.rules`` states what makes one valid, ``producers.profile.options`` what a run makes of it.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from producers.json_schema import json_schema_of
from producers.readers.formats import AUTO

SCHEMA_NAME: Final = "sensor-profile.schema.json"
SECTORS: Final = (
    # The thirteen of the United Kingdom (NPSA), and those that Japan's Cybersecurity Policy for Critical Infrastructure
    # Protection names beside them.
    *("chemicals", "civil-nuclear", "communications", "defence", "emergency-services", "energy", "finance", "food"),
    *("government", "health", "space", "transport", "water"),
    *("airports", "aviation", "credit", "electric-power", "gas", "information-and-communications", "logistics"),
    *("medical", "petroleum", "ports", "railways"),
)


def _is(description: str) -> Meta:
    return Meta(description=description)


Text = Annotated[str, Meta(max_length=4096)]


class MarkingEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The default marking. A feed's own marking applies, too: the stricter of both counts."""

    tlp: Annotated[Text, _is("TLP 2.0 label, as TLP:GREEN.")] = ""
    pap: Annotated[Text, _is("PAP label, as PAP:AMBER.")] = ""
    releasable_to: Annotated[
        tuple[str, ...] | None, _is("Nations that may have it, ISO 3166-1 alpha-3; without it all partners.")
    ] = None
    caveats: Annotated[tuple[str, ...], _is("Handling caveats, as UK EYES ONLY.")] = ()


class InputEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An input, and how it is read."""

    at: Annotated[
        Text,
        _is("A file, folder or pattern; an address, as https, misp+https or kafka+tls; - for a pipe."),
    ]
    credentials: Annotated[
        Text, _is("A file with user:password, a token or key for a live input, relative to the profile.")
    ] = ""
    authorities: Annotated[
        Text, _is("A file with the certificates (PEM) that a live input's own is checked by; the system's without it.")
    ] = ""
    follow: Annotated[bool, _is("Read what is written, through rotation, until it is stopped.")] = False
    snapshot: Annotated[bool, _is("It is all that the source asserts: what is missing is withdrawn.")] = False
    feed: Annotated[Text, _is("The snapshot's name, if the sensor has several lists.")] = ""
    format: Annotated[Text, _is("The format, if it should not be recognised.")] = AUTO
    encoding: Annotated[Text, _is("If it is not UTF-8: cp932, euc_jp, utf-16.")] = "utf-8"
    columns: Annotated[tuple[str, ...], _is("Names of a CSV list's columns, if it has no header.")] = ()
    mapping: Annotated[
        dict[str, str], _is("The fields of a CSV list's columns: column's name to field or type of indicator.")
    ] = {}
    date_format: Annotated[Text, _is("Of a CSV list's times, as %d/%m/%Y, if not ISO 8601.")] = ""
    reviewed: Annotated[Text, _is("A file with the values of a report in prose that a person agrees to.")] = ""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A sensor of Kakehashi: what it publishes, and how. `kakehashi sensor check` reports every mistake."""

    nation: Annotated[str, Meta(description="Whose sensor it is, ISO 3166-1 alpha-3.", pattern="^[A-Z]{3}$")]
    sensor: Annotated[str, Meta(description="The sensor's name, permanent and unique in its nation.", min_length=1)]
    sector: Annotated[
        Text, Meta(description="The operator's CNI sector, a label that stays in the nation.", examples=list(SECTORS))
    ] = ""
    key: Annotated[
        Text, _is("The file of the sensor's private key, relative to the profile; or the URI of a token's, pkcs11:…")
    ] = ""
    marking: MarkingEntry = MarkingEntry()
    confidence: Annotated[
        int, Meta(description="STIX confidence of what states none; -1 for not stated.", ge=-1, le=100)
    ] = -1
    confidence_ceiling: Annotated[
        int, Meta(description="The most that the confidence of a feed counts.", ge=0, le=100)
    ] = 100
    labels: Annotated[tuple[str, ...], _is("Labels for all of it.")] = ()
    types: Annotated[
        tuple[str, ...], _is("Types that are published, as domain-name; all without it. The rest is left out, counted.")
    ] = ()
    time_zone: Annotated[Text, _is("Of times that state none, as Asia/Tokyo.")] = "UTC"
    home_networks: Annotated[tuple[str, ...], _is("Networks that are ours, beside the private ones.")] = ()
    include: Annotated[tuple[str, ...], _is("Rules whose pieces are taken nevertheless, without a confidence.")] = ()
    rate: Annotated[int, Meta(description="Observations a second at most; 0 for no limit.", ge=0)] = 0
    deadline_s: Annotated[float, Meta(description="Seconds to wait for Kafka; 0 for ever.", ge=0)] = 0
    inputs: Annotated[tuple[InputEntry, ...], _is("What is read. Those that are followed come last.")] = ()


def json_schema() -> str:
    """The JSON Schema of a profile, for editors."""
    return json_schema_of(Profile)
