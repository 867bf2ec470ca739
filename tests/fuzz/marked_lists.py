"""Lists and alerts with restrictions in every place: columns, tags, headers, comments, texts, metadata."""

import csv
import io
import json
from random import Random
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from tests.fuzz.restrictions import Meant, phrase, tag

NOTHING: Final = Meant()
_MARKING_COLUMNS: Final = (
    *("tlp", "TLP", "tlp_level", "TLP Level", "marking", "handling", "caveats", "Sharing", "dissemination", "取扱制限"),
    *("TLP Marking", "traffic_light_protocol", "classification_marking"),
)
_TEXT_COLUMNS: Final = ("description", "notes", "comment", "備考", "x", "info")
_TAG_COLUMNS: Final = ("tags", "labels", "タグ")
_ROWS: Final = 3
Feed = tuple[str, Meant]


def csv_list(random: Random) -> Feed:
    """A CSV list of a few rows, all of them marked alike."""
    names, cells, meant = ["domain"], [""], NOTHING
    above, below = list[str](), list[str]()
    for _ in range(random.randrange(4)):
        place = random.randrange(5)
        text, its = tag(random) if place == 1 else phrase(random)
        name = random.choice((_MARKING_COLUMNS, _TAG_COLUMNS, _TEXT_COLUMNS, ("",), ("",))[place])
        if name in names:
            continue
        meant = meant.join(its)
        if name:
            at = random.randrange(len(names) + 1)
            names.insert(at, name)
            cells.insert(at, text)
        else:
            (above if place == 3 else below).append(f"# {text}")
    table = io.StringIO()
    writer = csv.writer(table, delimiter=random.choice((",", ",", ";", "\t")), lineterminator="\n")
    writer.writerow(names)
    at = names.index("domain")
    for row in range(_ROWS):
        writer.writerow([f"bad{row}.example.org" if place == at else cell for place, cell in enumerate(cells)])
    lines = table.getvalue()
    if not above and random.random() < 0.3:
        lines = f"# {lines}"  # the header is a comment
    return "\n".join([*above, ""] if above else []) + lines + "".join(f"{line}\n" for line in below), meant


def txt_list(random: Random) -> Feed:
    """A list of one value a line with comments about it."""
    lines, meant = [f"bad{row}.example.org" for row in range(_ROWS)], NOTHING
    for _ in range(random.randrange(3)):
        text, its = phrase(random)
        text = " ".join(text.split())
        meant = meant.join(its)
        if random.random() < 0.6:
            lines.insert(random.choice((0, len(lines))), random.choice(("# ", "; ", "// ", "#")) + text)
        else:
            lines = [line if line[:1] in "#;/" else f"{line} # {text}" for line in lines]
    return "\n".join(lines) + "\n", meant


def eve_alert(random: Random) -> Feed:
    """An alert whose signature, metadata or other properties restrict."""
    alert: dict[str, Any] = {"signature_id": 1, "signature": "MALWARE made up", "category": "Trojan", "severity": 1}
    record: dict[str, Any] = {
        "timestamp": "2026-11-28T00:00:00.000000+0000",
        "event_type": "alert",
        "src_ip": "198.51.100.7",
        "dest_ip": "10.0.0.1",
        "alert": alert,
    }
    meant = NOTHING
    for _ in range(random.randrange(3)):
        text, its = phrase(random)
        place = random.randrange(3)
        meant = meant.join(its)
        if place == 0:
            alert["signature"] += f" {text}"
        elif place == 1:
            alert.setdefault("metadata", {}).setdefault(random.choice(("tlp", "handling")), []).append(text)
        else:
            random.choice((record, alert)).setdefault(random.choice(("x_tlp", "tags", "caveat")), []).append(text)
    return json.dumps(record, ensure_ascii=random.random() < 0.5) + "\n", meant


def zeek_notice(random: Random) -> Feed:
    """A notice, in JSON or TSV, whose texts, properties or comments restrict."""
    record: dict[str, Any] = {"ts": 1795000000.5, "src": "198.51.100.7", "note": "Scan::Port_Scan", "msg": "made up"}
    above, below, meant = list[str](), list[str](), NOTHING
    is_tsv = random.random() < 0.5
    for _ in range(random.randrange(3)):
        text, its = phrase(random)
        text = " ".join(text.split())
        meant = meant.join(its)
        place = random.randrange(3)
        if place == 0:
            record["msg"] += f" {text}"
        elif place == 1:
            name = random.choice(("x_tlp", "tags", "caveat"))
            record[name] = f"{record[name]}, {text}" if name in record else text
        elif is_tsv:
            random.choice((above, below)).append(f"# {text}")
        else:
            record["msg"] += f" {text}"
    if not is_tsv:
        return json.dumps({"_path": "notice", **record}, ensure_ascii=random.random() < 0.5) + "\n", meant
    head = ["#separator \\x09", "#path\tnotice", "\t".join(("#fields", *record))]
    row = "\t".join(map(str, record.values()))
    return "".join(f"{line}\n" for line in (*head, *above, row, *below)), meant


def fast_alert(random: Random) -> Feed:
    """An alert of fast.log whose message restricts."""
    message, meant = "MALWARE made up", NOTHING
    for _ in range(random.randrange(3)):
        text, its = phrase(random)
        message, meant = f"{message} {' '.join(text.split())}", meant.join(its)
    ends = "[**] [Classification: Misc Attack] [Priority: 1] {TCP} 10.0.0.1:50123 -> 198.51.100.7:443\n"
    return f"11/28/2026-00:00:00.000000  [**] [1:1:1] {message} {ends}", meant


_IOC: Final = (
    '<?xml version="1.0"?>\n{above}<ioc xmlns="http://schemas.mandiant.com/2010/ioc" id="i"{attributes}>'
    "<short_description>made up{title}</short_description><description>{text}</description>{keywords}"
    '<links>{links}</links><definition><Indicator operator="OR"><IndicatorItem id="a" condition="is">'
    '<Context search="DnsEntryItem/Host"/><Content>bad.example.org</Content></IndicatorItem></Indicator></definition>'
    "</ioc>{below}\n"
)


def openioc(random: Random) -> Feed:
    """A document of one item whose texts, links, keywords, attributes or comments restrict."""
    parts = dict.fromkeys(("above", "attributes", "title", "text", "keywords", "links", "below"), "")
    meant = NOTHING
    for _ in range(random.randrange(4)):
        place = random.choice(("above", "attributes", "title", "text", "keywords", "links", "below"))
        text, its = tag(random) if place == "keywords" else phrase(random)
        if place in ("attributes", "keywords") and parts[place]:
            continue
        quoted = quoteattr(text) if place == "attributes" else escape(text).replace("--", "- -")
        meant = meant.join(its)
        parts[place] += {
            "attributes": f" handling={quoted}",
            "keywords": f"<keywords>{quoted}</keywords>",
            "links": f'<link rel="{random.choice(("tlp", "marking", "handling"))}">{quoted}</link>',
            "above": f"<!-- {quoted} -->",
            "below": f"<!-- {quoted} -->",
        }.get(place, f" {quoted}")
    return _IOC.format(**parts), meant


def prose_report(random: Random) -> Feed:
    """A mail or a page whose text, headers, meta elements or comments restrict."""
    is_mail = random.random() < 0.5
    beside, body, meant = "", "", NOTHING
    for _ in range(random.randrange(4)):
        text, its = phrase(random)
        text = " ".join(text.split())
        meant = meant.join(its)
        if random.random() < 0.5:
            body += f"{text}\n" if is_mail else f"<p>{escape(text)}</p>\n"
        elif is_mail and (beside or not text.isascii()):
            body += f"{text}\n"
        elif is_mail:
            beside = f"X-Handling: {text}\n"
        else:
            beside += f'<meta name="handling" content={quoteattr(text)}>'
    value = "It calls bad[.]example[.]org."
    if is_mail:
        head = "From: a@example.com\nSubject: made up\nContent-Type: text/plain; charset=utf-8\n"
        return f"{head}Content-Transfer-Encoding: 8bit\n{beside}\n{body}{value}\n", meant
    return f"<!DOCTYPE html><html><head>{beside}</head><body>{body}<p>{value}</p></body></html>\n", meant
