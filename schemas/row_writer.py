"""Writes row-shaped records to Avro: a function made once for each schema, in plain Python.

A record of twenty short fields costs a general writer more in walking its schema than in bytes. Here the walk is done
once: the schema becomes the source of a function that has nothing left to look up. It takes half the time of
fastavro's writer (``make bench``, cost by stage). Its output is, byte for byte, that of fastavro, which stays
the reference and a property test holds it to it (``tests/schemas/test_row_writer.py``).

What many records have in common is written once: any array, map, record or text may be given as ``Encoded``, its bytes.

For columns, whose arrays are long, fastavro's loops in C are faster: they keep it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

Writer = Callable[[Mapping[str, Any], bytes], bytes]
"""From a record and the bytes to begin with, the framed record. Raises if the record does not fit its schema."""


class Encoded(bytes):
    """A value that has been written already, by the writer of its own schema."""


_KNOWN_AT_MOST: Final = 65_536
_EMPTY: Final = b"\x00"
_TRUE: Final = b"\x01"
_FALSE: Final = b"\x00"


def writer_of(schema: Any) -> Writer:
    """The writer of a record's schema, as ``json.loads`` gives it: Avro 1.12, section "Binary Encoding".

    Raises ``ValueError`` for a type that no schema of ours has.
    """
    source = _Source()
    source.write(schema, "record", 1)
    lines = ["def write(record, head):", " parts = [head]", " put = parts.append", *source.lines]
    scope: dict[str, Any] = {"long": _LONGS, "Encoded": Encoded, **source.enums}
    # The text comes from our own schemas, whose names Avro restricts to letters, digits and underscores.
    exec("\n".join([*lines, " return b''.join(parts)"]), scope)  # noqa: S102
    made: Writer = scope["write"]
    return made


def field_schema(schema: Any, *path: str) -> Any:
    """The schema of a field of a record, or of the records of an array in it. Raises ``KeyError`` if there is none."""
    schema = _resolved(schema, {})
    for name in path:
        record = schema["items"] if schema["type"] == "array" else schema
        schema = {field["name"]: field["type"] for field in record["fields"]}[name]
        if isinstance(schema, list):  # of an optional field the value that is there
            [schema] = [branch for branch in schema if branch != "null"]
    return schema


def _resolved(schema: Any, named: dict[str, Any]) -> Any:
    """The schema with each name in the place of a record or enum replaced by what it stands for."""
    match schema:
        case str():
            return named.get(schema, schema)
        case list():
            return [_resolved(branch, named) for branch in schema]
        case {"type": "record", "name": name, "fields": fields}:
            resolved = [{**field, "type": _resolved(field["type"], named)} for field in fields]
            named[name] = {**schema, "fields": resolved}
            return named[name]
        case {"type": "enum", "name": name}:
            named[name] = schema
        case {"type": "array", "items": items}:
            return {**schema, "items": _resolved(items, named)}
    return schema


class _Longs(dict[int, bytes]):
    """Numbers as Avro writes them. Most are repeated: lengths, codes, the times of one batch."""

    def __missing__(self, number: int) -> bytes:
        if len(self) >= _KNOWN_AT_MOST:
            self.clear()
        found = self[number] = zigzag(number)
        return found


_LONGS: Final = _Longs()


def zigzag(number: int) -> bytes:
    """An ``int`` or ``long``: its zigzag code in groups of seven bits, the least significant first."""
    if not -(1 << 63) <= number < 1 << 63:
        raise OverflowError(f"{number} is no Avro long")
    rest = (number << 1) ^ (number >> 63)
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)


class _Source:
    """The lines of a writer's source; each method writes those for one value, an expression ``value``."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.enums: dict[str, dict[str, bytes]] = {}
        self._named: dict[str, Any] = {}
        self._names = 0

    def write(self, schema: Any, value: str, depth: int) -> None:
        """Write one value of this schema."""
        match schema:
            case str() if schema in self._named:
                self.write(self._named[schema], value, depth)
            case str():
                self._primitive(schema, value, depth)
            case list():
                self._optional(schema, value, depth)
            case {"type": "record", "name": name, "fields": fields}:
                self._named[name] = schema
                held, depth = self._unless_encoded(value, depth)
                for field in fields:
                    self.write(field["type"], f"{held}[{field['name']!r}]", depth)
            case {"type": "enum", "name": name, "symbols": symbols}:
                self._named[name] = schema
                self.enums[f"enum_{name}"] = {symbol: zigzag(code) for code, symbol in enumerate(symbols)}
                self._line(f"put(enum_{name}[{value}])", depth)
            case {"type": "array", "items": items}:
                (held, depth), item = self._unless_encoded(value, depth), self._name()
                self._counted(held, f"{item} in {held}", [(items, item)], depth)
            case {"type": "map", "values": values}:
                (held, depth), key, item = self._unless_encoded(value, depth), self._name(), self._name()
                self._counted(held, f"{key}, {item} in {held}.items()", [("string", key), (values, item)], depth)
            case {"type": inner}:
                self.write(inner, value, depth)
            case _:
                raise ValueError(f"no writer for {schema!r}")

    def _primitive(self, name: str, value: str, depth: int) -> None:
        match name:
            case "int" | "long":
                self._line(f"put(long[{value}])", depth)
            case "boolean":
                self._line(f"put({_TRUE!r} if {value} else {_FALSE!r})", depth)
            case "string" | "bytes":
                held, depth = self._unless_encoded(value, depth)
                if name == "string":
                    self._line(f"{held} = {held}.encode()", depth)
                self._line(f"put(long[len({held})])", depth)
                self._line(f"put({held})", depth)
            case _:
                raise ValueError(f"no writer for {name!r}")

    def _optional(self, branches: list[Any], value: str, depth: int) -> None:
        """A union of null and one other."""
        null = branches.index("null")
        [other] = branches[:null] + branches[null + 1 :]
        held = self._hold(value, depth)
        self._line(f"if {held} is None:", depth)
        self._line(f"put({zigzag(null)!r})", depth + 1)
        self._line("else:", depth)
        self._line(f"put({zigzag(1 - null)!r})", depth + 1)
        self.write(other, held, depth + 1)

    def _counted(self, held: str, loop: str, each: list[tuple[Any, str]], depth: int) -> None:
        """One block of items and the empty one that ends them."""
        self._line(f"if {held}:", depth)
        self._line(f"put(long[len({held})])", depth + 1)
        self._line(f"for {loop}:", depth + 1)
        for schema, item in each:
            self.write(schema, item, depth + 2)
        self._line(f"put({_EMPTY!r})", depth)

    def _unless_encoded(self, value: str, depth: int) -> tuple[str, int]:
        """Put the value as it is if it is encoded; the name of one that is not, and the depth of what writes it."""
        held = self._hold(value, depth)
        self._line(f"if type({held}) is Encoded:", depth)
        self._line(f"put({held})", depth + 1)
        self._line("else:", depth)
        return held, depth + 1

    def _hold(self, value: str, depth: int) -> str:
        name = self._name()
        self._line(f"{name} = {value}", depth)
        return name

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def _line(self, text: str, depth: int) -> None:
        self.lines.append(" " * depth + text)
