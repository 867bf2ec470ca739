"""Policy sets that release the same, but after less: a slice moved to a weaker rule, or a weaker demand."""

import re
from collections.abc import Iterator, Mapping

from tests.rules.mutants import Mutant

TLP = "joint/v1/tlp.cedar"
_SLICES = (
    'resource.type == IndicatorType::"url"',
    'resource.pap == Pap::"PAP:CLEAR"',
    'resource.confidence == ConfidenceBand::"high" && resource.type == IndicatorType::"ja4"',
)
_BETWEEN_PERMITS = (
    ("tlp-green", "tlp-clear"),
    ("tlp-amber", "tlp-clear"),
    ("tlp-amber", "tlp-green"),
    ("tlp-amber-strict", "tlp-clear"),
    ("tlp-amber-strict", "tlp-green"),
    ("tlp-amber-strict", "tlp-amber"),
)
_OF_TWO_OFFICERS = ("caveat-no-copying", "caveat-confidentiality-3", "caveat-foreign-handling", "incident-declared")
_WEAKER = {
    "coarsen-time:day": "coarsen-time:hour",
    "coarsen-time:hour, ": "",
    "pap-at-least:AMBER": "pap-at-least:GREEN",
    ", pap-at-least:GREEN": "",
    "drop-tearline, ": "",
    ", name-only-partner": "",
}


def loosened(texts: Mapping[str, str]) -> Iterator[Mutant]:
    """Every set that differs from these texts by one loosening that leaves each outcome as it is."""
    rules = {rule: path for path, text in texts.items() for rule in re.findall(r'@id\("([^"]+)"\)', text)}
    for source, target in _BETWEEN_PERMITS:
        for part in _SLICES:
            yield Mutant(f"{source} to {target}: {part}", _moved(texts, rules, source, target, part))
    for rule in _OF_TWO_OFFICERS:
        path, block = rules[rule], _block(texts[rules[rule]], rule)
        for part in _SLICES:
            strict = block.replace("when {", f"when {{ !({part}) &&")
            weak = block.replace(f'@id("{rule}")', '@id("slice")').replace('@reviewers("2")', '@reviewers("1")')
            weak = weak.replace("when {", f"when {{ {part} &&")
            yield Mutant(f"{rule}: {part}", {**texts, path: texts[path].replace(block, f"{strict}\n\n{weak}")})
    for rule, path in rules.items():
        block = _block(texts[path], rule)
        for name, weaker in _weakened(block):
            yield Mutant(f"{rule}: {name}", {**texts, path: texts[path].replace(block, weaker, 1)})


def _weakened(block: str) -> Iterator[tuple[str, str]]:
    for strict, weaker in _WEAKER.items():
        if strict in block:
            yield f"{strict} becomes {weaker or 'nothing'}", block.replace(strict, weaker)
    if expiry := re.search(r"expire-after-days:(\d+)", block):
        longer = f"expire-after-days:{int(expiry[1]) + 1}"
        yield f"{expiry[0]} becomes {longer}", block.replace(expiry[0], longer)
    if deadline := re.search(r'@deadline_hours\("\d+"\)', block):
        yield "the deadline becomes 10 000 h", block.replace(deadline[0], '@deadline_hours("10000")')
    if '@reviewers("2")' in block:
        yield "two reviewers become one", block.replace('@reviewers("2")', '@reviewers("1")')


def _moved(texts: Mapping[str, str], rules: Mapping[str, str], source: str, target: str, part: str) -> dict[str, str]:
    """The requests that ``source`` matches and that are ``part`` are matched by ``target`` instead."""
    result = dict(texts)
    strict, weak = (_block(texts[rules[rule]], rule) for rule in (source, target))
    matched, also = _condition(strict), _condition(weak)
    for rule, block, condition, now in (
        (source, strict, matched, f"({matched}) && !({part})"),
        (target, weak, also, f"({also}) || (({matched}) && {part})"),
    ):
        path = rules[rule]
        result[path] = result[path].replace(block, block.replace(f"when {{{condition}}}", f"when {{ {now} }}"), 1)
    return result


def _condition(block: str) -> str:
    return block.split("when {", 1)[1].rsplit("}", 1)[0]


def _block(text: str, rule: str) -> str:
    return next(block for block in re.split(r"\n\n", text) if f'@id("{rule}")' in block)
