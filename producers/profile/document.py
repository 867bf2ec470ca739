"""Reads a profile from YAML: strictly, and with every mistake and its line at once.

A value is what its field makes of it: ``NO`` is Norway's code where a text belongs, and no boolean. A key that is there
twice, an unknown key, an alias and a tag are mistakes: what their author meant is unknown, or hidden.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args, get_origin

import msgspec
import yaml

from exchange.authority.token_key import is_token
from exchange.errors import ConfigurationError
from producers.fetch import is_url
from producers.live.kinds import kind_of
from producers.profile.model import SCHEMA_NAME, InputEntry, Profile
from producers.profile.rules import Path_, problems
from producers.source import STANDARD_INPUT
from schemas.spelling import suggestion

MOST_BYTES: Final = 1 << 20
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


class Mistake(NamedTuple):
    """What is wrong in a line of a profile. Line 0 is the file itself."""

    line: int
    text: str


class Loaded(NamedTuple):
    """A profile, which is None if there are mistakes; they are in the order of their lines."""

    profile: Profile | None
    mistakes: list[Mistake]


class _Read(NamedTuple):
    """What is known of a document: the line of each path, mistakes, and the paths that have one."""

    lines: dict[Path_, int]
    mistakes: list[Mistake]
    bad: set[Path_]

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


def loaded(path: Path, nations: tuple[str, ...]) -> Loaded:
    """The profile in this file, with its paths relative to its folder."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return Loaded(None, [Mistake(0, f"cannot be read: {error.strerror}")])
    read = _Read({}, [], set())
    root = _composed(content, read)
    if root is None:
        return Loaded(None, read.mistakes)
    profile = _beside(_struct(Profile, _plain(root, (), read), (), read), path.parent)
    for each in [each for each in problems(profile, nations) if not read.is_bad(each.path)]:
        read.mistake(each.path, f"{each.value[:80]}: {each.why}{suggestion(each.value, each.known)}")
    return Loaded(None if read.mistakes else profile, sorted(read.mistakes, key=lambda each: each.line))


def _composed(content: bytes, read: _Read) -> yaml.Node | None:
    if len(content) > MOST_BYTES:
        read.mistakes.append(Mistake(0, f"has more than {MOST_BYTES} bytes: it is no profile"))
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
            read.mistakes.append(Mistake(0, "is empty: `kakehashi sensor init` writes a profile"))
        return None if read.mistakes else root
    return None


def _hidden(text: str) -> Iterator[Mistake]:
    """What makes a value another one than is written there."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = 0 if event.start_mark is None else event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            yield Mistake(line, f"*{event.anchor}: aliases are not read: write the value")
        elif isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            yield Mistake(line, f"{event.tag}: tags are not read: write the value alone")  # type: ignore[attr-defined]


def _plain(node: yaml.Node, path: Path_, read: _Read) -> Any:
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


def _struct(shape: Any, plain: Any, path: Path_, read: _Read) -> Any:
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
            read.mistake(here, f"no such field: see {SCHEMA_NAME}{suggestion(name, fields)}")
        elif value is None:
            read.mistake(here, "has no value: remove it, or write one")
        else:
            found = _value(fields[name].type, value, here, read)
            values |= {} if found is None else {name: found}
    return shape(**{name: "" for name, field in fields.items() if field.required} | values)


def _value(shape: Any, plain: Any, path: Path_, read: _Read) -> Any:
    """A value as its field takes it; None if it does not."""
    inner = shape
    while hasattr(inner, "__metadata__"):
        inner = get_args(inner)[0]
    if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
        return _struct(inner, plain, path, read)
    if get_origin(inner) is tuple and get_args(inner)[0] is InputEntry and isinstance(plain, list):
        return tuple(_struct(InputEntry, each, (*path, at), read) for at, each in enumerate(plain))
    try:
        return msgspec.convert(plain, shape, strict=False)
    except msgspec.ValidationError as error:
        shown = f"{plain[:80]}: " if isinstance(plain, str) else ""
        read.mistake(path, f"{shown}{_in_words(str(error))}")
        return None


def _in_words(text: str) -> str:
    """What msgspec reports, in the words of a profile."""
    for theirs, ours in _WORDS.items():
        text = text.replace(f"`{theirs}`", ours)
    return text[:1].lower() + text[1:]


def _beside(profile: Profile, folder: Path) -> Profile:
    """The same, with paths that do not depend on where the command is run."""

    def beside(name: str) -> str:
        is_path = name and name != STANDARD_INPUT and not is_url(name) and kind_of(name) is None
        return str(folder / name) if is_path else name

    inputs = tuple(
        msgspec.structs.replace(
            each,
            at=beside(each.at),
            reviewed=beside(each.reviewed),
            credentials=beside(each.credentials),
            authorities=beside(each.authorities),
        )
        for each in profile.inputs
    )
    key = profile.key if is_token(profile.key) else beside(profile.key)
    return msgspec.structs.replace(profile, key=key, inputs=inputs)


def _name(path: Path_) -> str:
    """A path as people write it: ``inputs[2].format``."""
    text = "".join(f"[{each + 1}]" if isinstance(each, int) else f".{each}" for each in path)
    return text.removeprefix(".")


def valid_profile(path: Path, nations: tuple[str, ...]) -> Profile:
    """The profile in this file. Raises ConfigurationError with every mistake and its line."""
    found = loaded(path, nations)
    if found.profile is None:
        listed = "\n".join(f"{path}:{each.line}: {each.text}" for each in found.mistakes)
        raise ConfigurationError(f"the profile cannot be used:\n{listed}")
    return found.profile
