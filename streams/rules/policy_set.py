"""A policy set: the joint rules and one nation's own, loaded as text and validated before anything uses them.

A set is a folder of text: ``joint/<version>`` holds the schema and the rules that the nations agreed,
``national/<nation>/<version>`` the rules by which one nation forbids more, ``links/<nation>`` its agreements, and
``ratings/<nation>.toml`` how good it rates its sensors.
A set that is not valid does not load, and the set in force stays in force.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import cedarpy

from schemas.agreement import Agreement
from schemas.links import POLICY_FOLDER, BadLinks, link_path, link_texts, read_links
from schemas.markings import Caveat, Pap, Tlp
from schemas.ratings import NO_RATINGS, BadRatings, Rating, Ratings, ratings_text, read_ratings
from schemas.vocabulary import TYPES_OF_V3, IndicatorType
from streams.rules.facets import LONGEST_PREFIX, NO_NETWORK, ConfidenceBand, prefix_label
from streams.rules.proof.space import Space, space_of
from streams.rules.reading import reads
from streams.rules.rule import PolicyError, Rule, read_rule

RATING: Final = "rating"
_SCHEMA: Final = "schema.cedarschema"
_OF_LINK: Final = frozenset({"linked", "marking_agreed"})
_NOT_RULES: Final = frozenset({"cases.yaml", "README.md"})

# Each label of the contract must exist in the schema: a rule could not be evaluated on one that does not.
_VOCABULARY: Final[Mapping[str, tuple[str, ...]]] = {
    "Tlp": tuple(tlp.label or tlp.name for tlp in Tlp),
    "Pap": tuple(pap.label or pap.name for pap in Pap),
    "Caveat": tuple(Caveat),
    "ConfidenceBand": tuple(ConfidenceBand),
    # Later types may be missing: a set that was signed before them withholds what has one, and stays in force.
    "IndicatorType": tuple(kind.label for kind in IndicatorType if kind not in TYPES_OF_V3),
    "Rating": tuple(Rating),
    "PrefixLength": tuple(map(prefix_label, range(NO_NETWORK, LONGEST_PREFIX + 1))),
}


@dataclass(frozen=True)
class PolicySet:
    """A validated set: its texts by path, its rules by id, the agreement with each partner, the ratings of sensors."""

    nation: str
    texts: Mapping[str, str]
    rules: Mapping[str, Rule]
    links: Mapping[str, Agreement]
    stated_ratings: Ratings = NO_RATINGS

    @cached_property
    def version(self) -> str:
        """The SHA-256 of the texts, in hexadecimal: equal texts, equal version."""
        return _digest(self.texts)

    @cached_property
    def schema_text(self) -> str:
        """The schema, which is one of the texts."""
        return _schema_text(self.texts)

    @cached_property
    def space(self) -> Space:
        """Everything that can be asked under this set's schema."""
        return space_of(self.schema_text, self.nations)

    @cached_property
    def nations(self) -> tuple[str, ...]:
        """The nations that rules distinguish: the partners, and those that rules name. Sorted."""
        named = {nation for rule in self.rules.values() for nation in _named_in(json.loads(rule.body))}
        return tuple(sorted(named.union(self.links)))

    @cached_property
    def policies(self) -> cedarpy.PolicySet:
        """All rules, parsed; the engine knows each by its own id."""
        policies = {rule.id: json.loads(rule.body) for rule in self.rules.values()}
        document = {"templates": {}, "staticPolicies": policies, "templateLinks": []}
        return cedarpy.PolicySet.from_json_str(json.dumps(document, ensure_ascii=False))

    @cached_property
    def rated_rules(self) -> frozenset[str]:
        """The ids of the rules that look at the rating of a source."""
        return frozenset(rule.id for rule in self.rules.values() if reads(rule.body, RATING))

    @cached_property
    def ratings(self) -> Ratings:
        """The ratings to decide by: none if no rule looks at them, so that they tell no decisions apart."""
        return self.stated_ratings if self.rated_rules else NO_RATINGS

    @property
    def joint_rules(self) -> tuple[Rule, ...]:
        """The rules that the nations agreed, without the nation's own."""
        return tuple(rule for rule in self.rules.values() if rule.place.startswith("joint/"))


def load(nation: str, folder: Path = POLICY_FOLDER, *, version: str = "v1") -> PolicySet:
    """Load the joint set, and ``nation``'s own rules and links, from a policy folder.

    Raises ``PolicyError`` if a file is missing, unexpected or not UTF-8, and for all that ``compiled`` refuses.
    """
    return compiled(read_texts(nation, folder, version=version), nation)


def read_texts(nation: str, folder: Path, *, version: str = "v1") -> dict[str, str]:
    """The texts of a set by their path below ``folder``, in the order of their paths."""
    texts: dict[str, str] = {}
    for part in (Path("joint") / version, Path("national") / nation / version):
        if not (folder / part).is_dir():
            raise PolicyError(f"{folder / part} is not there: a policy set needs this folder, with its rules")
        for path in sorted((folder / part).iterdir()):
            if path.name in _NOT_RULES:
                continue
            if path.suffix != ".cedar" and path.name != _SCHEMA:
                raise PolicyError(f"{path} is neither a rule file (*.cedar) nor {_SCHEMA}: rename it or move it away")
            try:
                texts[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise PolicyError(f"{path} cannot be read as UTF-8 text: {error}") from error
    try:
        return texts | link_texts(folder, nation) | ratings_text(folder, nation)
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{folder}: its links or ratings cannot be read as UTF-8 text: {error}") from error


def compiled(texts: Mapping[str, str], nation: str) -> PolicySet:
    """Validate the texts of a set and make it ready for use. Pure: the texts are all that it depends on.

    Raises ``PolicyError`` for a syntax error, an unknown attribute or label, a template, a rule without its
    annotations, an id used twice, a permit in a national set or without a condition, a schema in a national set,
    a set without a permit, a schema that lacks a label of the contract, a link or ratings that are not valid or another
    nation's, and a rule that names a nation without a link.
    """
    schema_text = _schema_text(texts)
    rules: dict[str, Rule] = {}
    for path in sorted(texts):
        if not path.endswith(".cedar"):
            continue
        for rule in (read_rule(policy, place) for policy, place in read_policies(path, texts[path], schema_text)):
            if rule.id in rules:
                raise PolicyError(f"{rule.place}: the id “{rule.id}” is taken by the rule at {rules[rule.id].place}")
            if rule.is_permit and not path.startswith("joint/"):
                raise PolicyError(f"{rule.place}: the rule “{rule.id}” permits; a national set can only forbid more")
            rules[rule.id] = rule
    if not any(rule.is_permit for rule in rules.values()):
        raise PolicyError("the policy set permits nothing: its joint part needs at least one permit")
    try:
        ratings = read_ratings(texts, nation)
    except BadRatings as error:
        raise PolicyError(str(error)) from error
    policy_set = PolicySet(nation, dict(texts), rules, _links(texts, nation), ratings)
    _check_nations(policy_set)
    _check_words(policy_set.space)
    return policy_set


def _check_nations(policy_set: PolicySet) -> None:
    for rule in policy_set.rules.values():
        for named in _named_in(json.loads(rule.body)):
            if named != policy_set.nation and named not in policy_set.links:
                raise PolicyError(
                    f'{rule.place}: the rule “{rule.id}” names Nation::"{named}", to which there is no link: add '
                    f"{link_path(policy_set.nation, named)}, or correct the code"
                )


def _check_words(space: Space) -> None:
    """The schema has every label of the contract and every flag of the links."""
    axes = space.axes
    if {name for name, axis in axes.items() if axis.of_link} != _OF_LINK:
        raise PolicyError(f"the policy schema's context has the flags {', '.join(sorted(_OF_LINK))}, and nothing else")
    members = {axis.entity_type: axis.members for axis in axes.values()}
    for entity_type, names in _VOCABULARY.items():
        if entity_type == "Rating" and RATING not in axes:  # a set from before there were ratings: no rule reads them
            continue
        for name in names:
            if name not in members.get(entity_type, ()):
                raise PolicyError(f'the policy schema has no {entity_type}::"{name}": add it to the enum {entity_type}')


def _links(texts: Mapping[str, str], nation: str) -> dict[str, Agreement]:
    try:
        links = read_links(texts)
    except BadLinks as error:
        raise PolicyError(str(error)) from error
    foreign = sorted({owner for owner, _ in links} - {nation})
    if foreign:
        raise PolicyError(f"a set of {nation} has no links of {', '.join(foreign)}")
    return {partner: agreement for (_, partner), agreement in links.items()}


def _named_in(node: Any) -> Iterator[str]:
    """The nations that an expression in Cedar's JSON form names: in a scope or as a value."""
    if isinstance(node, dict):
        if node.get("type") == "Nation" and isinstance(node.get("id"), str):
            yield node["id"]
        for child in node.values():
            yield from _named_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _named_in(child)


def _schema_text(texts: Mapping[str, str]) -> str:
    schemas = [path for path in texts if path.endswith(_SCHEMA)]
    if len(schemas) != 1 or not schemas[0].startswith("joint/"):
        raise PolicyError(f"a policy set has exactly one {_SCHEMA}, in its joint part; found {schemas or 'none'}")
    try:
        cedarpy.Schema.from_str(texts[schemas[0]])
    except ValueError as error:
        raise PolicyError(f"{schemas[0]}: {error}") from error
    return texts[schemas[0]]


def read_policies(path: str, text: str, schema_text: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The policies of one text in Cedar's JSON form, each with its place, in their order, once they fit the schema.

    Raises ``PolicyError`` for a syntax error, a template, and what does not fit the schema.
    """
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise PolicyError(f"{path}:{_broken_line(text)}: in the rule that begins here: {error}") from error
    if parsed["templates"]:
        raise PolicyError(f"{path}: has a template (?principal or ?resource): the proofs cannot see it, write it out")
    policies = parsed["staticPolicies"]
    places = {key: f"{path}:{_line_of(text, policies[key])}" for key in policies}
    checked = cedarpy.validate_policies(text, schema_text)
    for problem in checked.errors:
        place = places.get(problem.policy_id, path)
        rule = checked.id_annotations_by_policy_id.get(problem.policy_id, problem.policy_id)
        raise PolicyError(f"{place}: the rule “{rule}” does not fit the schema: {problem.error}")
    if not checked.validation_passed:
        raise PolicyError(f"{path}: does not fit the schema")
    for key in sorted(policies, key=lambda name: int(name.removeprefix("policy"))):
        yield policies[key], places[key]


def _line_of(text: str, policy: Mapping[str, Any]) -> int:
    """The line of a rule's @id; 1 if it has none."""
    wanted = f'@id("{policy.get("annotations", {}).get("id")}")'
    return next((number for number, line in enumerate(text.splitlines(), 1) if wanted in line), 1)


def _broken_line(text: str) -> int:
    """The first line of the rule that does not parse. Cedar's message names no place, so rules are tried one by one."""
    lines = text.splitlines()
    start = 0
    for end, line in enumerate(lines, 1):
        if line.rstrip().endswith(";"):
            try:
                cedarpy.policies_to_json_str("\n".join(lines[start:end]))
            except ValueError:
                break
            start = end
    while start < len(lines) - 1 and (not lines[start].strip() or lines[start].lstrip().startswith("//")):
        start += 1
    return start + 1


def _digest(texts: Mapping[str, str]) -> str:
    """Path and text of every file, each with its length before it, so that no two sets read the same."""
    digest = hashlib.sha256()
    for path in sorted(texts):
        for part in (path.encode(), texts[path].encode()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
