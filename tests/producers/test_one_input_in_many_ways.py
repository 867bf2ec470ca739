"""The same bytes as a file, through a pipe, growing and followed: the same values, each counted once, and none looser.

Of a pipe, or a file that grows, what comes later is not known yet. So a row is marked as it would be in a file that
ends with it, or more strictly.
"""

import json
from ipaddress import ip_network
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.readers.reading import Defaults
from producers.spool.spool import Spool
from tests.builders import NOW_MS
from tests.producers.one_input import GREEN, counts, cut, followed, grown, markings, of_file, of_pipe, seen
from tests.producers.producing import SENSOR

HOME = (ip_network("10.0.0.0/8"),)
BREAKS = ["\n", "\n", "\n", "\r\n", "\r", "\r\r\n"]
WORDS = ["TLP:RED", "TLP:AMBER", "TLP:GREEN", "PAP:RED", "NOFORN", "about", "distribution list only, TLP:RED"]
BLANKS = ["", "", " ", "\u3000", "\t", "\ufeff", "\ufeff\u3000", "\u00a0"]
COMMENTS = st.builds(
    "{0}{1}{2}{3}".format,
    st.sampled_from(BLANKS),
    st.sampled_from(["#", "# ", "//", "// "]),
    st.sampled_from(BLANKS),
    st.sampled_from(WORDS),
)
QUOTED = st.sampled_from(["made up", '"made up"', '"made, up"', '"a\rb"', '"a\nb"', '"a\r\n\rb"', '"a ""b"""'])


def an_alert(number: int, words: str) -> dict[str, Any]:
    rule = {"signature": f"made up {words}", "category": "A Network Trojan was detected"}
    flow = {"src_ip": "10.1.2.3", "dest_ip": f"198.51.100.{number % 200}", "flow_id": 1 + number % 3}
    return {"timestamp": f"2026-11-20T08:00:{number:02}+0000", "event_type": "alert", "alert": rule, **flow}


def a_file(number: int, _words: str) -> dict[str, Any]:
    flow = {"src_ip": "198.51.100.250", "dest_ip": "10.1.2.3", "flow_id": 1 + number % 3}
    content = {"filename": "/a", "sha256": f"{number:064x}"}
    return {"timestamp": f"2026-11-20T08:00:{number:02}+0000", "event_type": "fileinfo", "fileinfo": content, **flow}


def a_notice(number: int, words: str) -> dict[str, Any]:
    sides = {"id.orig_h": "10.1.2.3", "id.resp_h": f"198.51.100.{number}"}
    return {"_path": "notice", "ts": 1795000000.5, **sides, "note": "Made::Up", "msg": words}


def rows_of(name: str, number: int, words: str, quoted: str) -> str:
    """One record of a format, with a value of its own."""
    if name == "txt-list":
        return f"h{number}.example.com" + (f" # {words}" if number % 3 == 0 else "")
    if name == "csv-list":
        return f"2026-11-20,h{number}.example.com,{quoted}"
    if name == "zeek-log":
        return f"1795000000.5\t10.1.2.3\t198.51.100.{number}\tMade::Up\t{words}"
    if name == "suricata-fast":
        return (
            f"11/20/2026-08:00:{number:02}.250000  [**] [1:2024001:3] made up {words} [**] "
            f"[Classification: Misc Attack] [Priority: 1] {{TCP}} 10.1.2.3:50123 -> 198.51.100.{number}:443"
        )
    if name == "suricata-eve":
        record = an_alert(number, words) if number % 2 else a_file(number, words)
        return json.dumps(record, indent=2 if number % 5 == 0 else None)
    return json.dumps(a_notice(number, words))


HEADERS = {
    "csv-list": "first_seen,domain,tags",
    "zeek-log": "#separator \\x09\n#path\tnotice\n#fields\tts\tid.orig_h\tid.resp_h\tnote\tmsg",
}
FORMATS = ["txt-list", "csv-list", "zeek-log", "zeek-log of JSON", "suricata-eve", "suricata-fast"]


@st.composite
def inputs(draw: st.DrawFn, name: str) -> list[bytes]:
    """The pieces of an input: each is a row, a comment or a blank line, with its line break."""
    reader = name.partition(" ")[0]
    is_json = name.endswith("JSON") or reader == "suricata-eve"
    texts = draw(st.lists(COMMENTS, max_size=2)) if name in ("csv-list", "txt-list") else []
    texts += [HEADERS[name]] if name in HEADERS else []
    for number in range(1, draw(st.integers(1, 7)) + 1):
        what = draw(st.sampled_from(["row", "row", "comment", "blank"]))
        if what == "comment" and not is_json:
            texts.append(draw(COMMENTS))
        elif what == "blank":
            texts.append("")
        else:
            words = draw(st.sampled_from([*WORDS, "", ""]))
            texts.append(rows_of(name, number, words, draw(QUOTED)))
    ends = [draw(st.sampled_from(BREAKS)) for _ in texts[:-1]] + [draw(st.sampled_from(["", *BREAKS]))]
    return [f"{text}{end}".encode() for text, end in zip(texts, ends, strict=True)]


PLACES = st.lists(st.integers(0, 700), max_size=4)


@settings(max_examples=settings().max_examples * 12 // 100)
@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data(), bom=st.sampled_from(["", "\ufeff"]), at=PLACES, kills=PLACES)
def test_the_same_bytes_are_read_alike_however_they_come(
    name: str, data: st.DataObject, bom: str, at: list[int], kills: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(inputs(name))
    rows = [bom.encode() + rows[0], *rows[1:]]
    rows += [] if any(b"\n" in row for row in rows) else [b"\n"]  # before its first line feed no file is followed
    reader, defaults, content = name.partition(" ")[0], Defaults(marking=GREEN, home_networks=HOME), b"".join(rows)
    ends = list(accumulate(map(len, rows)))
    least = [markings(seen(of_file(content[:end], reader, defaults))) for end in ends]
    whole = seen(of_file(content, reader, defaults))

    folder = tmp_path_factory.mktemp("ways")
    with Spool(folder / "grown", SENSOR.nation, SENSOR.name, NOW_MS) as spool:
        steps = cut(content, (end for number, end in enumerate(ends) if number in kills))
        as_grown = grown(spool, folder / "grown.log", steps, reader, defaults)
    with Spool(folder / "followed", SENSOR.nation, SENSOR.name, NOW_MS) as spool:
        as_followed = followed(spool, folder / "followed.log", cut(content, at), reader, defaults, kills)
    for found in (seen(of_pipe(cut(content, at), reader, defaults)), as_grown, as_followed):
        assert counts(found) == counts(whole)
        for value, marking in markings(found).items():
            alone = next(each[value] for each in least if value in each)
            assert marking.join(alone) == marking, value
