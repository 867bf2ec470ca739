"""What a plain reader finds in a list or in EVE: values by their look and labels by their words, line by line.

It shares no code with the readers: a regular expression for each type, ``csv`` and ``json`` of the standard library. It
knows no header and no direction, so it finds more values than are indicators, and never fewer.
"""

import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.markings import Tlp

_COLOURS: Final = {
    **{"red": Tlp.RED, "amber+strict": Tlp.AMBER_STRICT, "amber": Tlp.AMBER, "green": Tlp.GREEN},
    **{"clear": Tlp.CLEAR, "white": Tlp.CLEAR},
}
_LABEL: Final = re.compile(r"\btlp\W{0,3}(red|amber\W?strict|amber|green|clear|white)\b", re.IGNORECASE)
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]{1,10}://[^\s\"'<>]+", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\s,;|\"'<>\[\](){}=]+")
_NAME: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
_HASH: Final = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})", re.IGNORECASE)
_JA4: Final = re.compile(r"[tqd]\w{9}_[0-9a-f]{12}_[0-9a-f]{12}")
_OVER: Final = re.compile(
    r"revoked|withdrawn|retracted|deleted|false|benign|inactive|expired|retired|disabled|clean|whitelist|,0\b|,1\b|yes|\bno\b",
    re.IGNORECASE,
)


class LineStated(msgspec.Struct, frozen=True):
    """One line: the values that could be in it, its strictest label, and whether a word could take it back."""

    values: frozenset[str]
    tlp: Tlp | None
    may_be_over: bool


def by_look(text: str) -> dict[int, LineStated]:
    """The lines of a list by their numbers, from 1. A label in a comment is of all lines."""
    lines = {number: _of_line(line) for number, line in enumerate(text.splitlines(), 1)}
    comments = [number for number, line in enumerate(text.splitlines(), 1) if line.lstrip()[:1] in tuple("#;/")]
    titles = [label for number in comments if (label := lines[number].tlp) is not None]
    return {
        number: msgspec.structs.replace(
            stated, tlp=max([*titles, *([] if stated.tlp is None else [stated.tlp])], default=None)
        )
        for number, stated in lines.items()
    }


def by_look_in_json(text: str) -> dict[int, LineStated]:
    """The records of EVE by their lines: all that is in any of their texts."""
    return {number: _of_line(" ".join(_texts(line))) for number, line in enumerate(text.splitlines(), 1)}


def _texts(line: str) -> Iterator[str]:
    try:
        record = json.loads(line)
    except ValueError:
        return
    yield from _leaves(record)
    http = record.get("http") if isinstance(record, dict) else None
    if isinstance(http, dict) and isinstance(http.get("hostname"), str):
        yield f"http://{http['hostname']}{http.get('url', '')}"
        yield f"http://{http['hostname']}:{http.get('http_port') or record.get('dest_port')}{http.get('url', '')}"


def _leaves(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for each in node.values() if isinstance(node, dict) else node:
            yield from _leaves(each)


def _of_line(line: str) -> LineStated:
    plain = unicodedata.normalize("NFKC", line)
    plain = plain.replace("[.]", ".").replace("(.)", ".").replace("[dot]", ".").replace("[:]", ":").replace("[@]", "@")
    plain = re.sub(r"hxxp", "http", plain, flags=re.IGNORECASE)
    labels = [_COLOURS[re.sub(r"amber\W?strict", "amber+strict", found.lower())] for found in _LABEL.findall(plain)]
    urls = _URL.findall(plain)
    values = {part for url in urls for part in (url, url.partition(",")[0], url.partition(";")[0])}
    for word in _WORD.findall(plain):
        values.update(_values_of(word.strip(".:")))
    bare = frozenset(map(bare_of, values))
    return LineStated(bare, max(labels, default=None), bool(_OVER.search(plain)) or not plain.isascii())


def bare_of(value: str) -> str:
    """A value without its scheme and in lower case, so that two spellings of one URL compare as equal."""
    return re.sub(r"^[a-z][a-z0-9+.-]{1,10}://", "", value.lower()).rstrip("/")


def _values_of(word: str) -> Iterator[str]:
    host, colon, port = word.rpartition(":")
    if colon and port.isdigit():
        yield word
    for part in {word, host or word, word.partition("/")[0], word.rpartition("@")[2]}:
        try:
            yield str(ipaddress.ip_network(part, strict=False)).removesuffix("/32").removesuffix("/128")
        except ValueError:
            if _NAME.fullmatch(part):
                yield part.lower()
    if (
        _JA4.fullmatch(word)
        or _HASH.fullmatch(word)
        or "@" in word
        or word[:2].upper() == "AS"
        or _NAME.fullmatch(word.partition("/")[0])
    ):
        yield word.rstrip("/").lower()
