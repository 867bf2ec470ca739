"""Reads YAML into a struct: strictly, and with every mistake and its line at once.

A value is what its field makes of it: ``NO`` is Norway's code in a field of text, and no boolean. A key that is there
twice, an unknown key, an alias and a tag are mistakes: what their author meant is unknown, or hidden.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeVar, get_args, get_origin

import msgspec
import yaml

from schemas.spelling import suggestion

MOST_BYTES: Final = 1 << 20
Path_ = tuple[str | int, ...]
"""The path of a field: the names and places that lead to it."""
_WORDS: Final = {
    **{
        "array | null": "a list",
        "array": "a list",
        "object": "names with values",
        "str": "a text",
        "bool": "true or false",
    },
    **{"int": "a whole number", "float": "a number", "null": "nothing"},
}
_EMPTY: Final = frozenset({"", "~", "null"})
_Shape = TypeVar("_Shape", bound=msgspec.Struct)


class Mistake(NamedTuple):
    """What is wrong in a line of a document. Line 0 is the file itself."""

    line: int
    text: str


class Kind(NamedTuple):
    """What kind of document is read, for its messages."""

    name: str
    if_empty: str
    on_fields: str


class Read(NamedTuple):
    """What is known of a document: the line of each path, mistakes, and the paths that have one."""

    lines: dict[Path_, int]
    mistakes: list[Mistake]
    bad: set[Path_]
    kind: Kind

    def mistake(self, path: Path_, text: str) -> None:
        """Take note of a mistake in a field; nothing else is reported of it."""
        self.mistakes.append(Mistake(self.line(path), f"{_name(path)}: {text}" if path else text))
        self.bad.add(path)

    def line(self, path: Path_) -> int:
        """The line of a field, or of the nearest one around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def is_bad(self, path: Path_) -> bool:
        """Whether a field, or one around it, has a mistake."""
        return any(path[:length] in self.bad for length in range(len(path) + 1))


def read_as(shape: type[_Shape], content: bytes, kind: Kind) -> tuple[_Shape | None, Read]:
    """The document as this struct, with what is known of it. None if there is no document.

    What has a mistake is as if it was not stated, so that the rest can be checked.
    """
    read = Read({}, [], set(), kind)
    root = _composed(content, read)
    return (None, read) if root is None else (_struct(shape, _plain(root, (), read), (), read), read)


def _composed(content: bytes, read: Read) -> yaml.Node | None:
    if len(content) > MOST_BYTES:
        read.mistakes.append(Mistake(0, f"has more than {MOST_BYTES} bytes: it is no {read.kind.name}"))
        return None
    try:
        text = content.decode("utf-8-sig")
        read.mistakes.extend(_hidden(text))
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        read.mistakes.append(Mistake(content[: error.start].count(b"\n") + 1, "is not UTF-8"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = " ".join(filter(None, (error.context, error.problem)))
        read.mistakes.append(Mistake(0 if mark is None else mark.line + 1, f"is not YAML: {why}"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        read.mistakes.append(Mistake(0, f"is not YAML: {' '.join(str(error).split())[:200] or 'nested too deep'}"))
    else:
        if root is None:
            read.mistakes.append(Mistake(0, f"is empty: {read.kind.if_empty}"))
        return None if read.mistakes else root
    return None


def _hidden(text: str) -> Iterator[Mistake]:
    """Mistakes that make a value different from the written text."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            yield Mistake(line, f"*{event.anchor}: aliases are not read: write the value")
        elif isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            yield Mistake(line, f"{event.tag}: tags are not read: write the value alone")  # type: ignore[attr-defined]


def _plain(node: yaml.Node, path: Path_, read: Read) -> Any:
    """Texts, lists and dictionaries; None for what is empty."""
    read.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                read.mistakes.append(Mistake(line, "a key is one text"))
            elif name in found:
                first = read.lines[(*path, name)]
                read.mistakes.append(Mistake(line, f"{_name((*path, name))}: is in line {first} already"))
            else:
                found[name] = _plain(value, (*path, name), read)
                read.lines[(*path, name)] = line
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, (*path, at), read) for at, each in enumerate(node.value)]
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return None if is_plain and node.value in _EMPTY else node.value


def _struct(shape: Any, plain: Any, path: Path_, read: Read) -> Any:
    """The values as this struct. What has a mistake is as if it was not stated, so that the rest can be checked."""
    fields = {field.name: field for field in msgspec.structs.fields(shape)}
    values: dict[str, Any] = {}
    if not isinstance(plain, dict):
        read.mistake(path, "has fields, as `name: value`")
        plain = {}
    else:
        for name in [name for name, field in fields.items() if field.required and name not in plain]:
            read.mistake((*path, name), "is missing")
    for name, value in plain.items():
        here = (*path, name)
        if name not in fields:
            read.mistake(here, f"no such field: {read.kind.on_fields}{suggestion(name, fields)}")
        elif value is None:
            read.mistake(here, "has no value: remove it, or write one")
        else:
            found = _value(fields[name].type, value, here, read)
            values |= {} if found is None else {name: found}
    return shape(**{name: "" for name, field in fields.items() if field.required} | values)


def _value(shape: Any, plain: Any, path: Path_, read: Read) -> Any:
    """A value as its field takes it; None if it does not."""
    inner = shape
    while hasattr(inner, "__metadata__"):
        inner = get_args(inner)[0]
    if _is_struct(inner):
        return _struct(inner, plain, path, read)
    if get_origin(inner) is tuple and _is_struct(get_args(inner)[0]) and isinstance(plain, list):
        return tuple(_struct(get_args(inner)[0], each, (*path, at), read) for at, each in enumerate(plain))
    try:
        return msgspec.convert(plain, shape, strict=False)
    except msgspec.ValidationError as error:
        shown = f"{plain[:80]}: " if isinstance(plain, str) else ""
        read.mistake(path, f"{shown}{_in_words(str(error))}")
        return None


def _is_struct(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, msgspec.Struct)


def _in_words(text: str) -> str:
    """What msgspec reports, in the words of YAML."""
    for theirs, ours in _WORDS.items():
        text = text.replace(f"`{theirs}`", ours)
    return text[:1].lower() + text[1:]


def _name(path: Path_) -> str:
    """A path as people write it: ``inputs[2].format``."""
    text = "".join(f"[{each + 1}]" if isinstance(each, int) else f".{each}" for each in path)
    return text.removeprefix(".")
