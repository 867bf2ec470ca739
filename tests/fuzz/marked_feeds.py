"""Feeds with restrictions in every place that a format allows, mixed and contradictory, and what must come of them."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

from tests.fuzz.marked_lists import csv_list, eve_alert, fast_alert, openioc, prose_report, txt_list, zeek_notice
from tests.fuzz.marked_release import released_indicator
from tests.fuzz.restrictions import LABELS, Meant, label, phrase, tag

NOTHING: Final = Meant()
_MISP: Final = "misp-event"
_STIX: Final = "stix-bundle"
_DEFINED: Final = "marking-definition--0d000000-0000-4000-8000-{:012d}"
_TLP_2: Final = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
_BY_ID: Final = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "TLP:CLEAR",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "TLP:GREEN",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "TLP:AMBER",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "TLP:AMBER+STRICT",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "TLP:RED",
}


_LISTS: Final = (
    *(("csv-list", csv_list), ("txt-list", txt_list), ("suricata-eve", eve_alert), ("zeek-log", zeek_notice)),
    ("suricata-fast", fast_alert),
    ("openioc", openioc),
    ("prose-report", prose_report),
    ("released-indicator", released_indicator),
)


class MarkedFeed(msgspec.Struct, frozen=True):
    """A feed of one indicator, and the strictest of all that is said about it."""

    format_name: str
    content: str
    meant: Meant


def marked_feed(random: Random) -> MarkedFeed:
    """A feed of any format with up to three restrictions."""
    if random.random() < 0.6:
        return random.choice((_misp, _stix))(random)
    name, make = random.choice(_LISTS)
    return MarkedFeed(name, *make(random))


# -- MISP ----------------------------------------------------------------------------------------------------------


def _misp(random: Random) -> MarkedFeed:
    attribute: dict[str, Any] = {"uuid": "a", "type": "domain", "value": "bad.example.org", "to_ids": True}
    group: dict[str, Any] = {"name": "domain-ip", "Attribute": [attribute]}
    event: dict[str, Any] = {"uuid": "e", "info": "made up", "published": True, "distribution": "3"}
    event["Object" if random.random() < 0.5 else "Attribute"] = [group]
    levels = [event, group, attribute] if "Object" in event else [event, attribute]
    if "Attribute" in event:
        event["Attribute"] = [attribute]
    document: dict[str, Any] = {"Event": event}
    meant = NOTHING
    for _ in range(random.randrange(4)):
        meant = meant.join(random.choice(_IN_MISP)(random, random.choice(levels), document))
    wrapped: Any = random.choice((document, {"response": [document]}, [document])) if len(document) == 1 else document
    return MarkedFeed(_MISP, json.dumps(wrapped, ensure_ascii=random.random() < 0.5), meant)


def _misp_tag(random: Random, level: dict[str, Any], _document: dict[str, Any]) -> Meant:
    text, meant = tag(random)
    level.setdefault("Tag", []).insert(random.randrange(2), {"name": text})
    return meant


def _misp_distribution(random: Random, level: dict[str, Any], document: dict[str, Any]) -> Meant:
    if level is document["Event"]:
        level["distribution"] = random.choice(("0", 0, "1", "4", 9, "inherit"))
    else:
        level["distribution"] = random.choice(("0", 0, "1", "4", "7"))
    known = str(level["distribution"]) in ("0", "1", "4")
    return Meant(nobody=known, held=not known)


def _misp_sharing_group(random: Random, level: dict[str, Any], _document: dict[str, Any]) -> Meant:
    level["sharing_group_id"] = random.choice(("12", 12))
    return Meant(nobody=True)


def _misp_text(random: Random, level: dict[str, Any], document: dict[str, Any]) -> Meant:
    text, meant = phrase(random)
    name = "info" if level is document["Event"] else "comment"
    level[name] = f"{level.get(name, '')}\n{text}"
    return meant


def _misp_property(random: Random, level: dict[str, Any], document: dict[str, Any]) -> Meant:
    text, meant = phrase(random)
    place = document if random.random() < 0.3 else level
    name = random.choice(("x_tlp", "handling", "x-caveat", "classification", "Marking", "releasability", "取扱制限"))
    if name in place:
        return NOTHING
    place[name] = random.choice((text, [text], {"is": text}))
    return meant


_Place = Callable[[Random, dict[str, Any], dict[str, Any]], Meant]
_IN_MISP: Final[tuple[_Place, ...]] = (
    *(_misp_tag, _misp_tag, _misp_tag, _misp_distribution, _misp_sharing_group, _misp_text, _misp_property),
)


# -- STIX ----------------------------------------------------------------------------------------------------------


def _stix(random: Random) -> MarkedFeed:
    indicator: dict[str, Any] = {
        "type": "indicator",
        "id": "indicator--0d000000-0000-4000-8000-000000000001",
        "pattern": "[domain-name:value = 'bad.example.org']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    }
    objects: list[dict[str, Any]] = [indicator]
    bundle: dict[str, Any] = {"type": "bundle", "id": "bundle--x", "objects": objects}
    meant = NOTHING
    for _ in range(random.randrange(4)):
        meant = meant.join(random.choice(_IN_STIX)(random, indicator, bundle))
    random.shuffle(objects)
    document: Any = objects if len(bundle) == 3 and random.random() < 0.2 else bundle
    return MarkedFeed(_STIX, json.dumps(document, ensure_ascii=random.random() < 0.5), meant)


def _refer(random: Random, indicator: dict[str, Any], name: str) -> None:
    if random.random() < 0.5:
        indicator.setdefault("object_marking_refs", []).append(name)
    else:
        indicator.setdefault("granular_markings", []).append({"marking_ref": name, "selectors": ["pattern"]})


def _stix_id(random: Random, indicator: dict[str, Any], bundle: dict[str, Any]) -> Meant:
    name, text = random.choice(list(_BY_ID.items()))
    _refer(random, indicator, name)
    meant = LABELS[text]
    if random.random() < 0.3:  # its content says something else
        other, also = label(random)
        bundle["objects"].append({"type": "marking-definition", "id": name, "definition_type": "tlp"})
        bundle["objects"][-1]["definition"] = {"tlp": other}
        return meant.join(also)
    return meant


def _stix_definition(random: Random, indicator: dict[str, Any], bundle: dict[str, Any]) -> Meant:
    name = _DEFINED.format(random.randrange(3))
    text, meant = phrase(random)
    colour = text if random.random() < 0.5 else ""
    shapes: tuple[dict[str, Any], ...] = (
        {"definition_type": "statement", "definition": {"statement": text}},
        {"definition_type": "statement", "definition": {"statement": f"{text} - see contract"}},
        {"definition_type": "statement", "definition": {"statement": "custom"}, "x_opencti_definition": text},
        {"definition_type": "statement", "definition": {"statement": "Copyright"}, "name": text},
        {"definition_type": "tlp", "definition": {"tlp": text}},
        {"extensions": {_TLP_2: {"extension_type": "property-extension", "tlp_2_0": text}}},
        {"extensions": {"extension-definition--unknown": {"handling": text}}, "name": colour},
        {"definition_type": "x", "definition": {"x": text}},
    )
    definition = {"type": "marking-definition", "id": name, **random.choice(shapes)}
    bundle["objects"].append(definition)
    _refer(random, indicator, name)
    return meant


def _stix_unknown(random: Random, indicator: dict[str, Any], _bundle: dict[str, Any]) -> Meant:
    _refer(random, indicator, _DEFINED.format(99))
    return Meant(held=True)


def _stix_label(random: Random, indicator: dict[str, Any], _bundle: dict[str, Any]) -> Meant:
    text, meant = tag(random)
    indicator.setdefault("labels", []).append(text)
    return meant


def _stix_text(random: Random, indicator: dict[str, Any], _bundle: dict[str, Any]) -> Meant:
    text, meant = phrase(random)
    name = random.choice(("name", "description"))
    indicator[name] = f"{indicator.get(name, 'made up')}\n{text}"
    return meant


def _stix_property(random: Random, indicator: dict[str, Any], bundle: dict[str, Any]) -> Meant:
    text, meant = phrase(random)
    place = bundle if random.random() < 0.3 else indicator
    name = random.choice(("x_tlp", "x_handling", "x_acme_caveat", "extensions"))
    if name in place:
        return NOTHING
    place[name] = {"extension-definition--y": {"tlp_level": text}} if name == "extensions" else text
    return meant


_IN_STIX: Final[tuple[_Place, ...]] = (
    *(_stix_id, _stix_definition, _stix_definition, _stix_unknown, _stix_label, _stix_text, _stix_property),
)
