"""Policy sets with one mistake in them, of the kinds that people make."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.rules.proof.space import Space

_SWAPS = (
    ("when {", "unless {"),
    ("unless {", "when {"),
    ("==", "!="),
    (" && ", " || "),
    (" || ", " && "),
    ("!resource", "resource"),
    ("contains(principal)", "isEmpty()"),
    ("isEmpty()", "contains(principal)"),
    ("forbid (", "permit ("),
    ("permit (", "forbid ("),
    ("resource.", "resource.x"),
    ("@basis", "@base"),
    ("coarsen-time:hour, ", ""),
    ("coarsen-time:day", "coarsen-time:hour"),
    (", name-only-partner", ""),
    ("drop-tearline, ", ""),
    ("pap-at-least:AMBER", "pap-at-least:GREEN"),
)
_LONG = 64
_TO_HOLD = ('@outcome("withhold")', '@outcome("hold")\n@reviewers("1")\n@deadline_hours("1")')


@dataclass(frozen=True, slots=True)
class Mutant:
    """The texts of a set with one mistake, and which."""

    name: str
    texts: Mapping[str, str]


def mutants(texts: Mapping[str, str], space: Space) -> Iterator[Mutant]:
    """Every set that differs from these texts by one mistake in one rule."""
    for path, text in texts.items():
        for block in text.split("\n\n"):
            if path.endswith(".cedar") and '@id("' in block:
                rule = block.split('@id("', 1)[1].split('"', 1)[0]
                for what, mutated in _changed(block, space):
                    yield Mutant(f"{rule}: {what}", {**texts, path: text.replace(block, mutated, 1)})


def _changed(block: str, space: Space) -> Iterator[tuple[str, str]]:
    yield "deleted", ""
    for old, new in _SWAPS:
        for number in range(block.count(old)):
            yield f"{old.strip()} becomes {new.strip()}, place {number + 1}", _replaced(block, old, new, number)
    if _TO_HOLD[0] in block:
        yield "withhold becomes hold", block.replace(*_TO_HOLD)
    if '@outcome("hold")' in block:
        kept = [line for line in block.splitlines() if not line.startswith(("@reviewers", "@deadline", "@obligations"))]
        yield "hold becomes withhold", "\n".join(kept).replace('"hold"', '"withhold"')
    if "permit (" in block:
        yield "permit widened by a flag", block.replace("when {", "when { resource.special_use ||", 1)
        yield "permit without a condition", block.split("when {", maxsplit=1)[0].rstrip() + ";"
    else:
        but = 'IndicatorType::"ja4" != resource.type' if "Pap::" in block else 'Pap::"PAP:CLEAR" != resource.pap'
        yield "forbid narrowed by a label", block.replace("when {", f"when {{ {but} &&", 1)
    for axis in space.axes.values():
        for index, member in enumerate(axis.members):
            other = axis.members[(index + 1) % len(axis.members)]
            label, instead = f'{axis.entity_type}::"{member}"', f'{axis.entity_type}::"{other}"'
            before = f'{axis.entity_type}::"{axis.members[index - 1]}"'
            is_amid = before in block and instead in block and len(axis.members) > _LONG  # of a range, its ends count
            if label in block and not is_amid:
                yield f"{label} becomes {instead}", block.replace(label, instead)
                yield f"{label} misspelt", block.replace(label, f'{axis.entity_type}::"{member}X"')


def _replaced(text: str, old: str, new: str, number: int) -> str:
    parts = text.split(old)
    return old.join(parts[: number + 1]) + new + old.join(parts[number + 1 :])
