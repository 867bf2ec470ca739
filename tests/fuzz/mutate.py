"""Spoils bytes and JSON documents, by a seeded random: the same random spoils them the same way on every machine."""

import gzip
import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

MOST_BYTES: Final = 1 << 20
_DEEP: Final = 3_000
# What parsers stumble over: byte order marks, half characters, depth without end, numbers that no type holds, lengths
# of Avro that promise more than there is, and text that is another text to someone else.
TOKENS: Final[Sequence[bytes]] = (
    *(b"\0", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\n", b"\r", b"\r\n", b"\x1b[2J"),
    *(b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b",", b";", b"\t", b"|", b"=", b"[", b"]", b"{", b"}", b"(", b")"),
    *(b"[" * _DEEP, b'{"a":' * _DEEP, b"(" * _DEEP, b"[" * _DEEP + b"]" * _DEEP, b"9" * 5_000, b"\n" * 5_000),
    *(b"NaN", b"-Infinity", b"1e999", b"-0", b"null", b"true", b"1e-400", b"0x10", b"1_000"),
    *(b"\xff" * 9 + b"\x01", b"\xfe" + b"\xff" * 8 + b"\x01", b"\x80" * 12, b"\x01", b"\x02", b"\x80\x80\x80\x80\x10"),
    *(
        "ａ．ｂ".encode(),
        "İ".encode(),
        "ß。".encode(),
        "\u202e".encode(),
        "١٢٣".encode(),
        b"xn--a",
        b"%00",
        b"hxxp[:]//",
    ),
    *(b"9999-99-99T99:99:99Z", b"0000-00-00", b"1969-12-31T23:59:59Z", b"2101-01-01T00:00:00.999999999+14:00"),
    *(b"::ffff:192.0.2.1", b"192.0.2.1/33", b"fe80::1%eth0", b"a" * 70_000, b"a." * 2_000),
)
ODD_NODES: Final[Sequence[Any]] = (
    *(None, True, False, 0, -1, 10**30, -(1 << 63), 1e308, float("nan"), 0.1, "", "\0", "\ud800", "x" * 70_000),
    *([], {}, [None], [[]], {"": ""}, ["\ud800"], [[[[[[[[]]]]]]]], {"type": "indicator"}, {"type": 1}, ["tlp:red"]),
    *("1969-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "9999999999999", "-1", "[", "[ipv4-addr:value = '", "(" * _DEEP),
    *("[file:hashes.'MD5' = 'x'] OR " * 500, "192.0.2.1|80", "|", "|" * 1_000, "١٢", "tlp:clear", "misp:to_ids"),
)


def spoilt(random: Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """One to six changes to the seed; at most ``MOST_BYTES`` long."""
    data = seed
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        data = _changed(random, data, others)[:MOST_BYTES]
    return data


def _changed(random: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    low, high = sorted(random.randint(0, len(data)) for _ in range(2))
    short = min(high, low + random.choice((1, 2, 4, 8, 64)))
    match random.randrange(9):
        case 0:  # one bit is another
            bits = bytearray(data or b"\0")
            bits[random.randrange(len(bits))] ^= 1 << random.randrange(8)
            return bytes(bits)
        case 1:  # some bytes are others
            return data[:low] + random.randbytes(short - low) + data[short:]
        case 2:
            return data[:low]
        case 3:  # a piece is missing
            return data[:low] + data[short:]
        case 4:  # a piece is there again and again
            return data[:short] + data[low:short] * random.choice((1, 2, 50, 2_000)) + data[short:]
        case 5:  # the beginning of one, the end of another
            other = random.choice(others)
            return data[:low] + other[random.randint(0, len(other)) :]
        case 6:  # a piece stands elsewhere
            return data[:low] + data[high:] + data[low:high]
        case _:
            return data[:low] + random.choice(TOKENS) + data[random.choice((low, short)) :]


def spoilt_document(random: Random, document: Any) -> bytes:
    """The JSON of a document in which one to five nodes are odd, missing, twice there, or in each other's place."""
    root: list[Any] = [_copy(document)]
    for _ in range(random.choice((1, 1, 2, 5))):
        parent, key = random.choice(_places(root))
        match random.randrange(5):
            case 0 if parent is not root:
                del parent[key]
            case 1 if isinstance(parent, list):
                most = MOST_BYTES // len(json.dumps(root))  # it may hold what was repeated before
                parent[key:key] = [_copy(parent[key]) for _ in range(min(most, random.choice((1, 2, 300))))]
            case 2:
                other, place = random.choice(_places(root))
                parent[key] = _copy(other[place])
            case _:
                parent[key] = _copy(random.choice(ODD_NODES))
    return json.dumps(root[0], ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")[:MOST_BYTES]


def _copy(node: Any) -> Any:
    """The same, sharing nothing: what one case does to it no other case may see."""
    return json.loads(json.dumps(node))


def _places(root: list[Any]) -> list[tuple[Any, Any]]:
    """Every node as its parent and its key there."""
    found: list[tuple[Any, Any]] = []
    left: list[Any] = [root]
    while left:
        node = left.pop()
        keys: list[Any] = list(node) if isinstance(node, dict) else list(range(len(node)))
        found += ((node, key) for key in keys)
        left += [node[key] for key in keys if isinstance(node[key], dict | list)]
    return found


def packed(random: Random, data: bytes) -> bytes:
    """The same by gzip, whole, cut, or damaged."""
    whole = gzip.compress(data, 1, mtime=0)
    return whole if random.random() < 0.5 else _changed(random, whole, [whole])
