"""Writes the joint standard's generated parts, in both languages, and its schemas: ``make standard``."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from kakehashi.conformance.words import LANGUAGES, LEGAL, LEVELS, STARTS
from producers.conformance import profile as profiles
from producers.conformance import report
from producers.conformance.profile import Bounds, Clock, ConformanceProfile
from producers.conformance.standard import Requirement, Text, standard
from schemas.codec import SENSOR_REPORT_V2, source
from schemas.vocabulary import IndicatorType, Outcome
from streams.rules.policy_set import load

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "standard"
PAGES: Final = {language: FOLDER / f"joint-standard.{language}.md" for language in LANGUAGES}
SCHEMAS: Final[Mapping[str, Callable[[], str]]] = {
    report.SCHEMA_NAME: report.json_schema,
    profiles.SCHEMA_NAME: profiles.json_schema,
}
_ADR: Final = re.compile(r"docs/adr/0*(\d+)-[\w-]+\.md")
_OUTCOMES: Final = {
    Outcome.RELEASE: Text("release", "提供"),
    Outcome.HOLD: Text("hold", "保留"),
    Outcome.WITHHOLD: Text("withhold", "非提供"),
}
_HEADS: Final = {
    "number": Text("number", "番号"),
    "level": Text("level", "水準"),
    "requirement": Text("requirement", "要件"),
    "why": Text("reason", "理由"),
    "shown": Text("shown by", "判定の対象"),
    "source": Text("source", "出典"),
    "bound": Text("bound", "値"),
    "profile": Text("profile", "プロファイル"),
    "regime": Text("regime", "制度"),
    "status": Text("status", "状態"),
    "starts": Text("starts with", "起算点"),
    "due": Text("due", "期限"),
    "fields": Text("what a notification holds", "報告事項"),
    "type": Text("type", "種別"),
    "code": Text("code", "コード"),
    "field": Text("field", "項目"),
    "meaning": Text("meaning", "説明"),
    "rule": Text("rule", "ルール"),
    "outcome": Text("outcome", "判定結果"),
    "basis": Text("basis", "根拠"),
}


def page_with_data(text: str, language: str) -> str:
    """The page with its generated parts. Raises ValueError if one of their comments is missing."""
    for name, part in _PARTS.items():
        pattern = re.compile(f"(<!-- {name}: [^\n]*-->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"the page lacks the comments around {name}")
        text = pattern.sub(partial(_between, "\n".join(part(language))), text)
    return text


def _between(made: str, found: re.Match[str]) -> str:
    return f"{found[1]}\n{made}\n\n{found[2]}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _heads(language: str, *names: str) -> Iterator[str]:
    return _head(*(_HEADS[name].of(language) for name in names))


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield f"|{'---|' * len(cells)}"


def _source(text: str) -> str:
    """A source as a reader can follow it: a link to our own pages, code for our own files."""
    adr = _ADR.fullmatch(text)
    if adr:
        return f"[ADR {adr[1]}](../{text.removeprefix('docs/')})"
    if text.startswith("docs/"):
        return f"[{text.removeprefix('docs/')}](../{text.removeprefix('docs/')})"
    return f"`{text}`" if text.startswith("schemas/") else text


def _requirements(language: str) -> Iterator[str]:
    for at, group in enumerate(standard().groups, 1):
        yield f"### 4.{at} {group.title.of(language)}"
        yield ""
        yield from _heads(language, "number", "level", "requirement", "why", "shown", "source")
        for each in standard().of_group(group.id):
            yield _requirement(each, language)
        yield ""


def _requirement(each: Requirement, language: str) -> str:
    return _row(
        each.id,
        LEVELS[each.level].of(language),
        each.text.of(language),
        each.why.of(language),
        ", ".join(each.shown_by),
        "; ".join(map(_source, each.sources)),
    )


@cache
def _all() -> tuple[ConformanceProfile, ...]:
    return tuple(profiles.valid_profile(name, standard())[0] for name in profiles.names())


def _profiles(language: str) -> Iterator[str]:
    incidents = [(each, incident) for each in _all() for incident in each.incidents]
    for each in _all():
        title, scope = each.title.of(language), each.scope.of(language)
        yield f"**{title}** (`{each.name}`, {each.version}): {scope}."
        yield ""
    names = [f"{each.name}, {incident.name}" for each, incident in incidents]
    yield from _head(_HEADS["number"].of(language), *names)
    for requirement in standard().requirements:
        levels = [LEVELS[incident.level(requirement.id)].of(language) for _, incident in incidents]
        yield _row(requirement.id, *levels)
    yield ""
    yield from _head(_HEADS["bound"].of(language), *names)
    for bound in Bounds.__struct_fields__:
        yield _row(f"`{bound}`", *(f"{incident.bounds.number(bound):g}" for _, incident in incidents))
    yield _row(f"`types` ({_HEADS['type'].of(language)})", *(", ".join(incident.types) for _, incident in incidents))
    yield ""
    for each, incident in incidents:
        title, why = incident.title.of(language), Text(incident.why_en, incident.why_ja).of(language)
        yield f"- {each.name}, {title}: {why}."


def _clocks(language: str) -> Iterator[str]:
    yield from _heads(language, "regime", "profile", "status", "starts", "due", "fields", "source")
    found: dict[Clock, list[str]] = {}
    for each in _all():
        for clock in each.clocks:
            found.setdefault(clock, []).append(each.name)
    for clock, names in found.items():
        unit = Text("{} h", "{} 時間").of(language)
        unknown = Text("not found", "確認できなかった").of(language)
        separator = Text(", ", "、").of(language)
        hours = ", ".join(unit.format(f"{each:g}") for each in clock.hours) or unknown
        yield _row(
            f"{clock.name.of(language)} ({clock.jurisdiction})",
            ", ".join(names),
            LEGAL[clock.status].of(language),
            STARTS[clock.starts].of(language),
            "; ".join(filter(None, (hours, clock.then.of(language)))),
            separator.join(each.of(language) for each in clock.fields) or "–",
            clock.source.of(language),
        )


def _fields(language: str) -> Iterator[str]:
    yield from _heads(language, "type", "code")
    for kind in IndicatorType:
        yield _row(f"`{kind.label}`", str(int(kind)))
    yield ""
    yield from _heads(language, "field", "meaning")
    schema: dict[str, Any] = json.loads(source(SENSOR_REPORT_V2))
    for each in schema["fields"]:
        yield _row(f"`{each['name']}`", each["doc"])


def _rules(language: str) -> Iterator[str]:
    yield from _heads(language, "rule", "outcome", "meaning", "basis")
    # The joint rules are the same for each nation.
    for rule in sorted(load("GBR").joint_rules, key=lambda each: (list(Outcome).index(each.outcome), each.id)):
        title = rule.title_ja if language == "ja" else rule.title
        yield _row(rule.id, _OUTCOMES[rule.outcome].of(language), title, rule.basis)


_PARTS: Final[Mapping[str, Callable[[str], Iterator[str]]]] = {
    "requirements": _requirements,
    "profiles": _profiles,
    "clocks": _clocks,
    "fields": _fields,
    "rules": _rules,
}


if __name__ == "__main__":
    for name, path in PAGES.items():
        path.write_text(page_with_data(path.read_text("utf-8"), name), "utf-8")
    for name, schema_text in SCHEMAS.items():
        (FOLDER / name).write_text(schema_text(), "utf-8")
