"""Writes row-shaped records to Avro: a function made once for each schema, in plain Python.

A record of twenty short fields costs a general writer more in walking its schema than in bytes. Here the walk is done
once: the schema becomes the source of a function that has nothing left to look up. It takes half the time of
fastavro's writer (``make bench``, cost by stage). Its output is, byte for byte, that of fastavro, which stays
the reference and a property test holds it to it (``tests/schemas/test_row_writer.py``).

What many records have in common is written once: a ``Form`` writes records of which all but a few fields repeat.

For columns, whose arrays are long, fastavro's loops in C are faster: they keep it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

Writer = Callable[[Mapping[str, Any], bytes], bytes]
"""From a record and the bytes to begin with, the framed record. Raises if the record does not fit its schema."""


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
    made: Writer = _made("write", [*lines, " return b''.join(parts)"], source.enums)
    return made


class Form:
    """Writes records of one schema of which all but the ``varying`` fields repeat.

    ``varying`` are paths in the schema's order, ``content.value`` for a field of a record that is there: of texts,
    numbers, or anything else that is given as its bytes.
    """

    def __init__(self, schema: Any, varying: Sequence[str]) -> None:
        """Raises ``ValueError`` if there is no such field, or not in this order."""
        source = _Source()
        kinds = source.write_cut(resolved(schema), frozenset(varying), "record", "", 1)
        if tuple(kinds) != tuple(varying):
            raise ValueError(f"the schema's fields are in the order {', '.join(kinds)}, not {', '.join(varying)}")
        lines = ["def cut(record):", " cuts, parts = [], []", " put = parts.append", *source.lines]
        self.cut: Callable[[Mapping[str, Any]], Cut] = _made(
            "cut", [*lines, " cuts.append(b''.join(parts))", " return tuple(cuts)"], source.enums
        )
        """A record's repeated part: the bytes before, between and behind the varying fields, whose values here do not
        matter."""
        names, parts, lines = [f"v{place}" for place in range(len(varying))], ["head"], list[str]()
        for place, (name, kind) in enumerate(zip(names, kinds.values(), strict=True)):
            parts.append(f"c{place}")
            if kind == "string":
                lines.append(f" {name} = {name}.encode()")
            parts += [f"long[len({name})]", name] if kind in _TEXTS else [f"long[{name}]" if kind in _INTS else name]
        parts.append(f"c{len(names)}")
        cuts = ", ".join(f"c{place}" for place in range(len(names) + 1))
        lines = [f"def write(cut, head, {', '.join(names)}):", f" {cuts}, = cut", *lines]
        self.write: Callable[..., bytes] = _made("write", [*lines, f" return b''.join(({', '.join(parts)}))"], {})
        """From the repeated part, the bytes to begin with, and the values of the varying fields: the record."""


Cut = tuple[bytes, ...]
_TEXTS: Final = ("string", "bytes")
_INTS: Final = ("int", "long")


def array_of(items: Sequence[bytes]) -> bytes:
    """An array of items that are written already."""
    return b"".join((_LONGS[len(items)], *items, _EMPTY)) if items else _EMPTY


def _made(name: str, lines: Iterable[str], scope: Mapping[str, Any]) -> Any:
    """The function of this source. It is made of our own schemas, whose names Avro restricts to letters, digits and
    underscores."""
    made: dict[str, Any] = {"long": _LONGS, **scope}
    exec("\n".join(lines), made)  # noqa: S102
    return made[name]


def resolved(schema: Any, named: dict[str, Any] | None = None) -> Any:
    """The schema with each name in the place of a record or enum replaced by what it stands for: by those of ``named``
    and those that it defines itself."""
    named = {} if named is None else named
    match schema:
        case str():
            return named.get(schema, schema)
        case list():
            return [resolved(branch, named) for branch in schema]
        case {"type": "record", "name": name, "fields": fields}:
            named[name] = {**schema, "fields": [{**field, "type": resolved(field["type"], named)} for field in fields]}
            return named[name]
        case {"type": "enum", "name": name}:
            named[name] = schema
        case {"type": "array", "items": items}:
            return {**schema, "items": resolved(items, named)}
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
                held = self._hold(value, depth)
                for field in fields:
                    self.write(field["type"], f"{held}[{field['name']!r}]", depth)
            case {"type": "enum", "name": name, "symbols": symbols}:
                self._named[name] = schema
                self.enums[f"enum_{name}"] = {symbol: zigzag(code) for code, symbol in enumerate(symbols)}
                self._line(f"put(enum_{name}[{value}])", depth)
            case {"type": "array", "items": items}:
                held, item = self._hold(value, depth), self._name()
                self._counted(held, f"{item} in {held}", [(items, item)], depth)
            case {"type": "map", "values": values}:
                held, key, item = self._hold(value, depth), self._name(), self._name()
                self._counted(held, f"{key}, {item} in {held}.items()", [("string", key), (values, item)], depth)
            case {"type": inner}:
                self.write(inner, value, depth)
            case _:
                raise ValueError(f"no writer for {schema!r}")

    def write_cut(self, schema: Any, varying: frozenset[str], value: str, above: str, depth: int) -> dict[str, str]:
        """Write a record up to each varying field, and cut there; the fields in order, with their types."""
        kinds: dict[str, str] = {}
        for field in schema["fields"]:
            path, kind, inner = f"{above}{field['name']}", field["type"], f"{value}[{field['name']!r}]"
            if path in varying:
                kinds[path] = kind if isinstance(kind, str) else ""
                self._line("cuts.append(b''.join(parts)); parts.clear()", depth)
            elif any(name.startswith(f"{path}.") for name in varying):
                if isinstance(kind, list):
                    null = kind.index("null")
                    self._line(f"put({zigzag(1 - null)!r})", depth)
                    kind = kind[1 - null]
                kinds |= self.write_cut(kind, varying, inner, f"{path}.", depth)
            else:
                self.write(kind, inner, depth)
        return kinds

    def _primitive(self, name: str, value: str, depth: int) -> None:
        match name:
            case "int" | "long":
                self._line(f"put(long[{value}])", depth)
            case "boolean":
                self._line(f"put({_TRUE!r} if {value} else {_FALSE!r})", depth)
            case "string" | "bytes":
                held = self._hold(f"{value}.encode()" if name == "string" else value, depth)
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

    def _hold(self, value: str, depth: int) -> str:
        name = self._name()
        self._line(f"{name} = {value}", depth)
        return name

    def _name(self) -> str:
        self._names += 1
        return f"v{self._names}"

    def _line(self, text: str, depth: int) -> None:
        self.lines.append(" " * depth + text)
