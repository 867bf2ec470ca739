"""The record of a release: content, or the end of content that a partner has. Pure."""

from typing import Final

from schemas.codec import LATER_RELEASES, RELEASED_INDICATOR, Codec, form, release_version
from schemas.markings import Caveat
from schemas.records import Content, ReleasedIndicator
from schemas.vocabulary import RecordKind
from streams.correlate.repeated import Repeated
from streams.correlate.row import Sent

_VARYING: Final = (
    "id",
    "version",
    "recalled_through",
    "content.value",
    "content.confidence",
    "content.first_seen_ms",
    "content.last_seen_ms",
    "content.sightings",
    "content.valid_until_ms",
    "content.release_expires_ms",
    "content.registered_domain",
)
_FORM: Final = form(RELEASED_INDICATOR, *_VARYING)
_LATER: Final = {name: form(name, *_VARYING) for name in LATER_RELEASES}
_CUTS: Final = Repeated(_FORM)


def released(codec: Codec, name: str, nation: str, sent: Sent, reason: str, content: Content | None) -> bytes:
    """The framed record of an indicator's id and what is ``sent`` of it; ``content`` is None for an end."""
    if content is None:
        return codec.encode(RELEASED_INDICATOR, _record(name, nation, sent, reason, None))
    schema = release_version(content)
    if schema != RELEASED_INDICATOR:  # few are, and hardly two have the same tearline
        written = _LATER[schema]
        with_tearline: Content = {**content, "tearline": content.get("tearline", "")}
        cut = written.cut(_record(name, nation, sent, reason, with_tearline))
    else:
        written = _FORM
        repeated = (
            nation,
            reason,
            content["type"],
            content["tlp"],
            content["pap"],
            *content["releasable_to"],
            0,
            *content["caveats"],
            0,
            *content["labels"],
            0,
            content["asn"],
            content["country"],
        )
        known = _CUTS.get(repeated)
        cut = _CUTS.cut(repeated, _record(name, nation, sent, reason, content)) if known is None else known
    return written.write(
        cut,
        codec.head_of(schema),
        name,
        sent.version,
        sent.recalled_through,
        content["value"],
        content["confidence"],
        content["first_seen_ms"],
        content["last_seen_ms"],
        content["sightings"],
        content["valid_until_ms"],
        content["release_expires_ms"],
        content["registered_domain"],
    )


def is_urgent(content: Content | None) -> bool:
    """Whether a copy goes by the fast lane: every end and recall, and content of a declared incident."""
    return content is None or str(Caveat.INCIDENT) in content["caveats"]


def _record(name: str, nation: str, sent: Sent, reason: str, content: Content | None) -> ReleasedIndicator:
    return {
        "id": name,
        "kind": RecordKind(sent.kind).value,
        "version": sent.version,
        "recalled_through": sent.recalled_through,
        "origin": nation,
        "hops": [nation],
        "reason": reason,
        "content": content,
    }
