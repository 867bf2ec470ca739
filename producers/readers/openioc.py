"""Reads OpenIOC 1.0 and 1.1: the values that its criteria call bad by themselves.

Criteria are conjunctions and alternatives of comparisons. The rules for a part of a STIX pattern hold for a part of a
conjunction, too (``stix_conjunction``): a hash stands for the whole, a file name does not. ``contains`` of a whole
address, domain name, URL or mail address names it; of anything else it names a part.

A document is a group of its items: a newer ``last-modified`` of the same ``id`` ends what it does not have any more.
Markings are looked for in all texts, comments and attributes beside the criteria.
"""

from collections.abc import Iterator
from functools import reduce
from typing import Final

import msgspec

from producers.inputs import OpenInput
from producers.markings.marked import NOTHING, Marked, joined, names_people
from producers.markings.properties import is_about_sharing, scheme_of
from producers.markings.understanding import of_field, of_file_names, of_prose, of_tag
from producers.readers.not_carried import kind_named, not_carried
from producers.readers.openioc_document import ROOTS, Branch, Document, Item, Said, parsed
from producers.readers.reader import Head, Reader, Recognition, Specificity
from producers.readers.reading import Defaults, Group, LeftOut, Reading, Rejected, Seen, Whole, rejected
from producers.readers.stix_conjunction import Claim, Comparison, Part, alternatives, conjunction
from producers.readers.times import milliseconds
from schemas.normalise import detect
from schemas.observation import Observation, SourcePlace
from schemas.vocabulary import IndicatorType, RejectReason

_PART: Final = "part-of-conjunction"
_NEGATED: Final = "negated"
_PARTIAL: Final = "partial-comparison"
_IP = IndicatorType.IPV4_ADDR  # of the four types of address and network: normalising distinguishes them by the value
_ATTACHMENT: Final = "email/attachment/name"
_HASHES: Final = {
    "md5": IndicatorType.FILE_MD5,
    "sha1": IndicatorType.FILE_SHA1,
    "sha256": IndicatorType.FILE_SHA256,
}
# The terms of Mandiant's MIR and of OpenIOC 1.1 that name what the exchange carries, as STIX would name them.
_TERMS: Final = {
    "fileitem/md5sum": ("file:hashes.MD5", IndicatorType.FILE_MD5),
    "fileitem/sha1sum": ("file:hashes.'SHA-1'", IndicatorType.FILE_SHA1),
    "fileitem/sha256sum": ("file:hashes.'SHA-256'", IndicatorType.FILE_SHA256),
    "fileitem/sha512sum": ("file:hashes.'SHA-512'", IndicatorType.FILE_SHA512),
    "fileitem/filename": ("file:name", IndicatorType.FILE_NAME),
    **{
        f"{holder}{digest}sum": (f"file:hashes.{digest}", kind)
        for holder in ("driveritem/", "serviceitem/path", "serviceitem/servicedll", "taskitem/")
        for digest, kind in _HASHES.items()
    },
    _ATTACHMENT: ("file:name", IndicatorType.FILE_NAME),
    "email/attachment/md5sum": ("file:hashes.MD5", IndicatorType.FILE_MD5),
    "email/from": ("email-addr:value", IndicatorType.EMAIL_ADDR),
    "email/replyto": ("email-addr:value", IndicatorType.EMAIL_ADDR),
    "network/useragent": (
        "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'",
        IndicatorType.USER_AGENT,
    ),
    "registryitem/path": ("windows-registry-key:key", IndicatorType.REGISTRY_KEY),
    **dict.fromkeys(
        ("portitem/remoteip", "routeentryitem/destination", "dnsentryitem/recorddata/ipv4address"),
        ("ipv4-addr:value", _IP),
    ),
    **dict.fromkeys(
        ("dnsentryitem/host", "dnsentryitem/recordname", "network/dns", "urlhistoryitem/hostname"),
        ("domain-name:value", IndicatorType.DOMAIN_NAME),
    ),
    **dict.fromkeys(
        ("network/uri", "urlhistoryitem/url", "filedownloadhistoryitem/sourceurl"), ("url:value", IndicatorType.URL)
    ),
}
_WHOLE_IF_CONTAINED: Final = {
    _IP: (IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR),
    **{kind: (kind,) for kind in (IndicatorType.DOMAIN_NAME, IndicatorType.URL, IndicatorType.EMAIL_ADDR)},
}
_LABELS: Final = frozenset({"threatgroup", "threatcategory", "category", "family"})


def _read(source: OpenInput, defaults: Defaults) -> Iterator[Reading]:
    document = parsed(source, defaults.encoding)
    if isinstance(document, Rejected):
        yield document
        return
    items = list(_items(document.root))
    source.records = len(items)
    marked = _marking(document, source.names)
    modified_ms = milliseconds(document.modified) or 0
    group = Group(f"openioc {document.id}", modified_ms) if document.id else None
    standing = frozenset(_part(document.root).claims)
    template = _template(document, modified_ms, marked, defaults)
    names = set[str]()
    for number, (item, is_alone) in enumerate(items, 1):
        place = SourcePlace(source.name, number)
        name = f"{document.id}/{item.id}" if document.id and item.id else ""
        comparison = _comparison(item)
        taken = [claim for claim in comparison.claims if claim in standing]
        if taken:
            names.add(name)
            is_of_a_mail = item.search.lower() == _ATTACHMENT
            marking = names_people(template.marking) if is_of_a_mail else template.marking
            for claim in taken:
                observation = msgspec.structs.replace(template, kind=claim.kind, value=claim.value, marking=marking)
                origins = marked.with_default(defaults.marking).origins
                yield Seen(place, observation, origins, name, modified_ms, group if name else None)
        else:
            yield _not_taken(item, place, is_alone=is_alone)
    if group is not None and all(item.id and not item.problem for item, _ in items):
        yield Whole(SourcePlace(source.name, len(items)), group, frozenset(names))


def _not_taken(item: Item, place: SourcePlace, *, is_alone: bool) -> Reading:
    text = f"{item.search} {item.condition} {item.content[:80]!r} (line {item.line})"
    if item.problem:
        return rejected(place, RejectReason.UNDECODABLE, f"line {item.line}: {item.problem}", text.encode())
    if item.is_negated:
        return LeftOut(place, _NEGATED, text)
    if not is_alone:
        return LeftOut(place, _PART, text)
    if item.search.lower() in _TERMS:
        return LeftOut(place, _PARTIAL, text)
    detail = f"line {item.line} is of the term {item.search[:80]!r}"
    return not_carried(place, kind_named(item.search), detail, text.encode())


def _items(branch: Branch, *, is_alone: bool = True) -> Iterator[tuple[Item, bool]]:
    """All items in order, and whether each stands for itself: nothing else is needed."""
    alone = is_alone and (not branch.is_conjunction or len(branch.parts) == 1)
    for part in branch.parts:
        if isinstance(part, Item):
            yield part, alone
        else:
            yield from _items(part, is_alone=alone)


def _part(branch: Branch) -> Part:
    parts = [
        _part(part) if isinstance(part, Branch) else Part((comparison := _comparison(part),), comparison.claims)
        for part in branch.parts
    ]
    if not parts:
        return Part((), ())
    return reduce(conjunction, parts) if branch.is_conjunction else alternatives(parts)


def _comparison(item: Item) -> Comparison:
    path, kind = _TERMS.get(item.search.lower(), (f"openioc:{item.search}", None))
    claims = (Claim(kind, item.content),) if kind is not None and _names(item, kind) else ()
    return Comparison(f"{item.search} {item.condition}", path, claims)


def _names(item: Item, kind: IndicatorType) -> bool:
    """Whether the comparison names a whole value of the type."""
    if item.is_negated or item.problem or not item.content:
        return False
    if item.condition == "is":
        return kind is not IndicatorType.URL or detect(item.content) is IndicatorType.URL  # not a path alone
    return item.condition == "contains" and detect(item.content) in _WHOLE_IF_CONTAINED.get(kind, ())


def _template(document: Document, modified_ms: int, marked: Marked, defaults: Defaults) -> Observation:
    texts = {said.element: said.text for said in reversed(document.texts) if said.element != "comment"}
    at_ms = milliseconds(texts.get("authored_date", "")) or modified_ms
    links = (said.text for said in document.texts if said.element == "link" and said.role in _LABELS)
    facts = (("openioc", document.id), ("title", texts.get("short_description", "")))
    return Observation(
        kind=_IP,
        value="",
        first_seen_ms=at_ms,
        last_seen_ms=at_ms,
        confidence=defaults.confidence if marked.confidence is None else marked.confidence,
        marking=marked.with_default(defaults.marking).marking,
        labels=tuple(dict.fromkeys((*links, *marked.labels, *defaults.labels))),
        description=texts.get("description", ""),
        context=tuple(fact for fact in facts if fact[1]),
    )


def _marking(document: Document, names: tuple[str, ...]) -> Marked:
    return of_file_names(names).join(joined(_of_text(said) for said in document.texts))


def _of_text(said: Said) -> Marked:
    """What a text states about sharing: a field if a name around it is about that, else tags or prose."""
    where = f"{said.element} {said.role!r}" if said.role else said.element
    for name in (said.role, said.element, *said.around):
        if name and is_about_sharing(name):
            scheme = scheme_of(name)
            return of_field(f"{scheme}:{said.text}" if scheme else said.text, where)
    if said.element == "keywords":
        return joined(of_tag(tag, where) for tag in said.text.replace(";", ",").split(",") if tag.strip())
    return of_prose(said.text, where) if said.text else NOTHING


def _recognise(head: Head) -> Recognition | None:
    if not head.start.startswith(b"<"):
        return None
    found = [at for root in ROOTS if (at := head.start.find(f"<{root}".encode())) >= 0]
    is_ours = b"schemas.mandiant.com/2010/ioc" in head.start or b"openioc" in head.start.lower()
    is_ours = is_ours or head.has_extension(".ioc")
    return Recognition(Specificity.WORDS, min(found)) if found and is_ours else None


READER: Final = Reader(
    name="openioc",
    reads="items of OpenIOC 1.0 and 1.1 that stand for themselves: hashes, names, addresses, URLs, mail addresses, "
    "file names, user agents, registry keys; the document is a group, as a MISP event is",
    leaves_out={
        _PART: "parts of a conjunction that are not specific by themselves, or of a type that is not carried",
        _PARTIAL: "comparisons with a part of a value: `contains` of a file name, `starts-with`, `matches`",
        _NEGATED: "negated items",
    },
    example=b"""<?xml version="1.0"?>
<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="6a1f0001-0000-4000-8000-00000000000a"
 last-modified="2026-11-20T08:00:00Z"><short_description>made up</short_description>
<definition><Indicator operator="OR">
<IndicatorItem id="a" condition="is"><Context document="DnsEntryItem" search="DnsEntryItem/Host"/>
<Content type="string">bad.example.com</Content></IndicatorItem>
<Indicator operator="AND"><IndicatorItem id="b" condition="is"><Context search="FileItem/FileName"/>
<Content>a.exe</Content></IndicatorItem></Indicator></Indicator></definition></ioc>
""",
    recognise=_recognise,
    read=_read,
    unit="item",
    grows=False,
)
