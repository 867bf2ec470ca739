"""Small inputs made to be misread: markings in other places and languages, what takes back, what does not stand alone.

Each is one line of the table: the file's name, its content, and what every asserted or refused piece must become.
"""

import io
import json
from typing import Any

import pytest

from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, LeftOut, Withdrawn
from tests.door.outcomes import defaults_of, outcome_of

D = "bad.kakenet-mal.org"
GREEN, NOBODY, HELD = "TLP:GREEN", "TLP:GREEN to nobody", "TLP:GREEN + UNRECOGNISED"
BENIGN, DRAFT, FOREIGN = "TLP:GREEN + BENIGN", "TLP:GREEN + DRAFT", "TLP:GREEN + FOREIGN HANDLING"
RED = "TLP:RED"
INDICATOR = "indicator--0d000000-0000-4000-8000-000000000001"


def csv(column: str, cell: str) -> str:
    return f"domain,{column}\n{D},{cell}\n"


def misp(attribute: dict[str, Any] | None = None, **event: Any) -> str:
    uuid = "5a0f0000-0000-4000-8000-0000000000"
    one = {"uuid": f"{uuid}02", "type": "domain", "value": D, "to_ids": True, "distribution": "5"} | (attribute or {})
    about = {"uuid": f"{uuid}01", "info": "made up", "published": True, "distribution": "3"} | event
    return json.dumps({"Event": about | {"Attribute": [one]}}, ensure_ascii=False)


def stix(*more: dict[str, Any], **indicator: Any) -> str:
    one = {
        "type": "indicator",
        "id": INDICATOR,
        "created": "2026-11-01T00:00:00Z",
        "modified": "2026-11-01T00:00:00Z",
        "pattern": f"[domain-name:value = '{D}']",
        "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    }
    return json.dumps({"type": "bundle", "id": "bundle--x", "objects": [one | indicator, *more]}, ensure_ascii=False)


def about(kind: str, **properties: Any) -> dict[str, Any]:
    """An object that lists the indicator."""
    return {
        "type": kind,
        "id": f"{kind}--0d000000-0000-4000-8000-000000000002",
        "object_refs": [INDICATOR],
        **properties,
    }


MARKED = [
    # kind 4: columns in other languages
    *(("list.csv", csv("Freigabe", "TLP:ROT"), HELD), ("list.csv", csv("Diffusion", "restreinte"), HELD)),
    *(("list.csv", csv("公開範囲", "部内限り"), NOBODY), ("list.csv", csv("提供可否", "不可"), HELD)),
    *(("list.csv", csv("機密区分", "秘"), NOBODY), ("list.csv", csv("Nivel TLP", "ROJO"), HELD)),
    *(("list.csv", csv("Weitergabe", "nein"), HELD), ("list.csv", csv("share with", "GBR only"), HELD)),
    *(("list.csv", csv("Audience", "internal"), NOBODY), ("list.csv", csv("visibility", "organisation"), HELD)),
    *(
        ("list.csv", csv("TLP", "R"), HELD),
        ("list.csv", csv("TLP", "3"), HELD),
        ("list.csv", csv("privacy", "private"), NOBODY),
    ),
    ("list.csv", f"domain,tlp\n{D},TLP:GREEN # TLP:RED\n", RED),
    # kind 4: lines around the list, its name and its folder
    ("list.csv", f"Report;TLP:RED\nDate;2026-11-20\ndomain;note\n{D};x\n", RED),
    *(
        ("list.txt", f"{sign} TLP:RED {end}\n{D}\n", RED)
        for sign, end in (("====", "===="), ("REM", ""), ("%", ""), ("!", ""))
    ),
    *(
        ("TLP-RED/list.txt", f"{D}\n", RED),
        ("【部外秘】list.txt", f"{D}\n", NOBODY),
        ("tlp_white.csv", csv("x", "y"), GREEN),
    ),
    *(("whitelist.txt", f"{D}\n", BENIGN), ("false_positives.csv", csv("x", "y"), BENIGN)),
    ("list.txt", f"# Whitelist of our domains\n{D}\n", BENIGN),
    # kinds 2 and 3: banners and sentences in texts
    *(("e.json", misp(info="FOUO: ransomware"), FOREIGN), ("e.json", misp(info="[Confidential] ransomware"), NOBODY)),
    *(("e.json", misp(info="SECRET: ransomware"), NOBODY), ("e.json", misp(info="Secret: the malware's name"), GREEN)),
    *(("b.json", stix(name="【秘】C2"), NOBODY), ("b.json", stix(description="省外への提供を禁ずる。"), NOBODY)),
    ("b.json", stix(description="This is not to be shared outside of the ministry."), NOBODY),
    *(("b.json", stix(x_share_with=["GBR"]), HELD), ("b.json", stix(x_tlp=4), HELD)),
    ("b.json", stix(external_references=[{"source_name": "x", "description": "TLP:RED report"}]), RED),
    # what sources say about their own data
    *(
        ("e.json", misp({"Tag": [{"name": "draft"}]}), DRAFT),
        ("e.json", misp(Tag=[{"name": "exercise:locked-shields"}]), DRAFT),
    ),
    *(("b.json", stix(labels=["deprecated"]), BENIGN), ("b.json", stix(labels=["Expired"]), BENIGN)),
    ("b.json", stix(indicator_types=["benign", "malicious-activity"]), BENIGN),
    ("b.json", stix(about("opinion", opinion="strongly-disagree")), BENIGN),
    ("b.json", stix(about("opinion", opinion="agree")), GREEN),
    ("b.json", stix(about("note", content="false positive")), BENIGN),
    *(("list.csv", csv("category", "whitelist"), BENIGN), ("list.csv", csv("status", "unverified"), DRAFT)),
    *(
        ("list.csv", csv("tags", "未検証"), DRAFT),
        ("list.csv", csv("tags", "c2"), GREEN),
        ("list.csv", csv("status", "online"), GREEN),
    ),
    # handling words of others
    ("e.json", misp(Tag=[{"name": 'de-vs:einstufung="vs-nfd"'}]), FOREIGN),
    ("list.csv", csv("handling", "NATO RESTRICTED"), FOREIGN),
]


@pytest.mark.parametrize(("name", "content", "marking"), MARKED)
def test_a_marking_is_read_wherever_and_however_it_is_written(name: str, content: str, marking: str) -> None:
    [found] = _pieces(name, content)
    assert (found["value"], found["marking"]) == (D, marking)


@pytest.mark.parametrize(
    ("column", "cell", "confidence"),
    [
        *(
            ("confidence", "very low", 5),
            ("confidence", "none", 0),
            ("confidence", "-", 60),
            ("Confidence", "Moderate", 50),
        ),
        *(("確度", "低", 15), ("信頼度", "高い", 85), ("confidence", "40%", 40)),
        *(("tags", "low-confidence", 15), ("tags", "confidence:low", 15), ("tags", "c2", 60)),
    ],
)
def test_words_of_confidence_are_numbers(column: str, cell: str, confidence: int) -> None:
    [found] = _pieces("list.csv", csv(column, cell))
    assert found["confidence"] == confidence


REFUSED = "refused"


@pytest.mark.parametrize(
    ("content", "values"),
    [
        # kind 8: a path is a name and a folder together
        *(
            (f"{path}\n", [REFUSED])
            for path in (r"C:\windows\svchost.exe", "/opt/a.bin", r"%TEMP%\a.exe", r"\\a\b\c.exe", "~/a.sh")
        ),
        ("evil.exe\n", ["evil.exe"]),
        # kind 9: a prefix in a column of its own
        ("network,netmask\n145.14.0.0,255.255.0.0\n", ["145.14.0.0/16"]),
        ("ip,prefix\n145.14.0.0,16\n145.14.0.0,33\n", ["145.14.0.0/16", REFUSED]),
        ("ip,prefix_length\n2001:db8::,/32\n145.14.0.1,\n", ["2001:db8::/32", "145.14.0.1"]),
        *(
            (f"{text}\n", [REFUSED])
            for text in ("145.14.0.0/33", "145.14.0.0-255", "145.14.0/24", r"145.14.0.0\16", "145.14.*")
        ),
        # kind 8: a column that is named and unknown is not searched
        (f"domain,victim_ip\n{D},145.14.9.9\n", [D]),
        ("url,report\nhttp://a.kakenet-mal.org/x,http://b.kakenet-mal.org/r\n", ["http://a.kakenet-mal.org/x"]),
        ("value,type\n145.14.9.9,sinkhole\n", [REFUSED]),
    ],
)
def test_no_part_stands_for_the_whole(content: str, values: list[str]) -> None:
    assert [
        found.get("value", REFUSED) for found in _pieces("list.csv" if "," in content else "list.txt", content)
    ] == values


def _pieces(name: str, content: str) -> list[dict[str, Any]]:
    """What is asserted or refused."""
    defaults = defaults_of({"confidence": 60})
    readings, _ = readings_of(OpenInput(name, io.BytesIO(content.encode())), AUTO, defaults)
    return [
        outcome_of(each) for each in readings if not isinstance(each, Aside | LeftOut) or isinstance(each, Withdrawn)
    ]
