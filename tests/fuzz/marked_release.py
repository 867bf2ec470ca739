"""A record of another exchange with restrictions in its marking, its labels, its texts and beside them."""

import json
from random import Random
from typing import Any, Final

from tests.fuzz.restrictions import Meant, label, phrase, tag

_PLACES: Final = ("tlp", "caveats", "labels", "tearline", "property")


def released_indicator(random: Random) -> tuple[str, Meant]:
    """One record, nested or flat, as ``kakehashi tail`` prints it."""
    marking: dict[str, Any] = {"tlp": "TLP:CLEAR", "pap": "PAP:CLEAR", "releasable_to": None, "caveats": []}
    content: dict[str, Any] = {"type": "domain-name", "value": "bad.example.org", "labels": [], "marking": marking}
    beside: dict[str, Any] = {}
    meant = Meant()
    for place in random.sample(_PLACES, random.randrange(4)):
        text, its = label(random) if place == "tlp" else tag(random) if place == "labels" else phrase(random)
        meant = meant.join(its)
        if place == "tlp":
            marking["tlp"] = text
        elif place == "caveats":
            marking["caveats"] = [text]
        elif place == "labels":
            content["labels"] = [text]
        elif place == "tearline":
            content["tearline"] = text
        else:
            target = random.choice((beside, content))
            target[random.choice(("handling", "x_tlp", "classification", "取扱制限"))] = text
    if random.random() < 0.2:
        marking["releasable_to"], meant = [], meant.join(Meant(nobody=True))
    record = {"id": f"indicator--{'0' * 8}-0000-5000-8000-{'0' * 12}", "kind": "content", "version": 1}
    record |= {"origin": "XXA", "state": "live", **beside}
    record |= {"content": content} if random.random() < 0.5 else content
    return json.dumps(record, ensure_ascii=random.random() < 0.5) + "\n", meant
