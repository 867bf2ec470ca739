"""What the marking definitions of a STIX document state, and the references to them.

Everything in a definition counts: its well-known id, its content, its name, OpenCTI's properties, its
extensions and unknown properties whose name is about sharing. Two definitions of one id join. A definition that states
nothing that is understood, and a reference to an undefined one, hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from producers.markings.folding import words
from producers.markings.marked import NOTHING, Marked, joined, unrecognised
from producers.markings.properties import of_properties, scheme_of
from producers.markings.remembered import remembered
from producers.markings.taxonomy import Extension, effect_of, stix_definitions, stix_extensions
from producers.markings.understanding import of_comment, of_effect, of_field, of_statement
from schemas.markings import SourceMarking

_ACS: Final = "3a65884d-005a-4290-8335-cb2d778a83ce"
_MOST_NESTED: Final = 16
_DEFINITION: Final = "marking-definition--"
_EXTENSION: Final = "extension-definition--"
_FILLER: Final = "custom"  # what OpenCTI writes as the statement of a definition whose text is in its own property
_READ: Final = frozenset(
    {
        *("type", "id", "spec_version", "created", "modified", "created_by_ref", "external_references", "revoked"),
        *("definition_type", "definition", "name", "extensions", "object_marking_refs", "granular_markings", "lang"),
        *("x_opencti_definition", "x_opencti_definition_type", "x_opencti_id", "x_opencti_color", "x_opencti_order"),
    }
)


class Definitions:
    """The marking definitions that a document's references can mean."""

    def __init__(self, defined: Iterable[Mapping[str, Any]]) -> None:
        """``defined`` are the document's own ``marking-definition`` objects; one without an id is ignored."""
        self._own = dict[str, Marked]()
        for definition in defined:
            if isinstance(name := definition.get("id"), str):
                self._own[name] = self._own.get(name, NOTHING).join(_of_definition(definition, name))

    def of(self, reference: str, where: str) -> Marked:
        """What a reference to a definition states."""
        own, known = self._own.get(reference), _by_id(reference)
        if own is None and known == NOTHING:
            return unrecognised(reference, f"{where} {reference}")
        found = (own or NOTHING).join(known)
        return msgspec.structs.replace(found, origins=tuple(f"{where}: {origin}" for origin in found.origins))


@remembered(128)
def _by_id(name: str) -> Marked:
    effect = stix_definitions().get(name.removeprefix(_DEFINITION)) if name.startswith(_DEFINITION) else None
    return NOTHING if effect is None else of_effect(effect_of(effect), effect, "its id")


def _of_definition(definition: Mapping[str, Any], name: str) -> Marked:
    found = joined((*_content(definition), *_extensions(definition), *_beside(definition)))
    says_something = found != NOTHING or bool(definition.get("definition")) or _is_extended(definition)
    return (
        found if says_something or _by_id(name) != NOTHING else unrecognised(name, "the definition (it says nothing)")
    )


def _content(definition: Mapping[str, Any]) -> Iterator[Marked]:
    content = definition.get("definition") or {}
    if not isinstance(content, Mapping):
        yield unrecognised(str(content), "its definition")
        return
    for key, value in content.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if scheme_of(key):
            yield of_field(f"{scheme_of(key)}:{text}", f"its {key}")
        elif not (text == _FILLER and definition.get("x_opencti_definition")):
            yield of_statement(text, f"its {key}")


def _beside(definition: Mapping[str, Any]) -> Iterator[Marked]:
    if isinstance(title := definition.get("name"), str):
        yield of_comment(title, "its name")
    opencti = definition.get("x_opencti_definition")
    if opencti:
        yield of_statement(str(opencti), "its x_opencti_definition")
    yield of_properties(definition, _READ, "its")


def _extensions(definition: Mapping[str, Any]) -> Iterator[Marked]:
    extensions = definition.get("extensions") or {}
    if not isinstance(extensions, Mapping):
        yield unrecognised(str(extensions), "its extensions")
        return
    for name, content in extensions.items():
        number = name.removeprefix(_EXTENSION)
        where = f"its extension {number[:8]}"
        known = stix_extensions().get(number)
        leaves = [leaf for leaf in _leaves(content) if leaf[0] != "extension_type"]
        labels = [of_field(f"{scheme_of(path)}:{text}", f"{where} {path}") for path, text in leaves if scheme_of(path)]
        if known is not None:
            yield from (*labels, *(_of_leaf(known, path, text, where) for path, text in leaves))
            if number == _ACS:
                yield _further_sharing(content, where)
        else:
            yield joined(labels) if labels else unrecognised(name, where)


def _is_extended(definition: Mapping[str, Any]) -> bool:
    """Whether an extension that is known states something, even if only that there is no restriction."""
    extensions = definition.get("extensions")
    known = stix_extensions()
    return isinstance(extensions, Mapping) and any(
        name.removeprefix(_EXTENSION) in known and any(path != "extension_type" for path, _ in _leaves(content))
        for name, content in extensions.items()
    )


def _of_leaf(known: Extension, path: str, text: str, where: str) -> Marked:
    by_value = {tuple(words(key)): effect for key, effect in known.words.items()}
    effect = by_value.get((*words(path), *words(text))) or known.words.get(f"{path}=*") or known.unknown
    return of_effect(effect_of(effect), f"{path}={text}", where)


def _leaves(content: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The values of nested objects and lists, as text, with their paths; lists add nothing to a path."""
    if depth > _MOST_NESTED:
        yield f"{path}.…", "nested too deeply"
    elif isinstance(content, Mapping):
        for name, value in content.items():
            yield from _leaves(value, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(content, list):
        for value in content:
            yield from _leaves(value, path, depth + 1)
    elif content is not None:
        yield path, str(content)


def _further_sharing(content: Any, where: str) -> Marked:
    """ACS 3.0: what is not permitted to ``FOREIGNGOV`` if sharing is denied by default, or denied, is for no one."""
    rules = content.get("further_sharing") if isinstance(content, Mapping) else None
    effects = {
        str(rule.get("rule_effect")).lower()
        for rule in rules or ()
        if isinstance(rule, Mapping) and {"FOREIGNGOV", "ALL"} & set(map(str, rule.get("sharing_scope") or ()))
    }
    if effects == {"permit"}:
        return NOTHING
    denied = effects or rules or "sharedefault=deny" in str(content).lower()
    return Marked(SourceMarking(releasable_to=()), (f"{where} further_sharing",)) if denied else NOTHING
