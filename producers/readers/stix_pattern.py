"""Reads STIX patterns: the values that are indicators on their own, parsed by OASIS's own parser. STIX 2.1, section 9.

- ``OR``: each alternative suffices, so each is taken that has a type the exchange carries.
- ``AND`` within one observation: only a part that is specific by itself is taken (``stix_conjunction``).
- A pattern that needs several observations (``AND`` or ``FOLLOWEDBY`` between brackets) or repeated ones asserts of no
  part that it is bad by itself: it is refused whole.
- ``NOT``, ``!=``, ``LIKE``, ``MATCHES``, ``<`` and their kin name no value.
- ``START`` and ``STOP`` bound the validity of the expression before them.

Every comparison either names a value that is taken, or is among ``Taken.left_out``.
"""

from typing import Any, Final

import msgspec
from antlr4.tree.Tree import TerminalNode  # type: ignore[import-untyped]
from stix2patterns.exceptions import ParseException  # type: ignore[import-untyped]
from stix2patterns.v21.grammars.STIXPatternVisitor import STIXPatternVisitor  # type: ignore[import-untyped]
from stix2patterns.v21.pattern import Pattern  # type: ignore[import-untyped]

from producers.markings.remembered import remembered
from producers.readers.not_carried import OTHER, kind_named
from producers.readers.stix_conjunction import Claim, Comparison, Part, alternatives, conjunction
from producers.readers.times import milliseconds
from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

MAX_PATTERN_LENGTH: Final = 64 << 10
_SHOWN: Final = 200
_HOSTS: Final = frozenset(
    {
        *(IndicatorType.DOMAIN_NAME, IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR),
        *(IndicatorType.IPV4_NET, IndicatorType.IPV6_NET),
    }
)
_HASHES: Final = {
    "MD5": IndicatorType.FILE_MD5,
    "SHA1": IndicatorType.FILE_SHA1,
    "SHA256": IndicatorType.FILE_SHA256,
    "SHA512": IndicatorType.FILE_SHA512,
}
_HASHES_OF: Final = {
    "file:hashes": _HASHES,
    "x509-certificate:hashes": {"SHA1": IndicatorType.X509_SHA1, "SHA256": IndicatorType.X509_SHA256},
}
_PATHS: Final = {
    "ipv4-addr:value": IndicatorType.IPV4_ADDR,
    "ipv6-addr:value": IndicatorType.IPV6_ADDR,
    "domain-name:value": IndicatorType.DOMAIN_NAME,
    "url:value": IndicatorType.URL,
    "email-addr:value": IndicatorType.EMAIL_ADDR,
    "email-message:from_ref.value": IndicatorType.EMAIL_ADDR,
    "email-message:sender_ref.value": IndicatorType.EMAIL_ADDR,
    "autonomous-system:number": IndicatorType.AUTONOMOUS_SYSTEM,
    "file:name": IndicatorType.FILE_NAME,
    "file:extensions.'windows-pebinary-ext'.imphash": IndicatorType.IMPHASH,
    "mutex:name": IndicatorType.MUTEX,
    "windows-registry-key:key": IndicatorType.REGISTRY_KEY,
    "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'": IndicatorType.USER_AGENT,
    # Not standard: others write it, and this exchange, too (consumers/stix/patterns.py).
    "network-traffic:extensions.'tls-ext'.ja3": IndicatorType.JA3,
    "network-traffic:extensions.'tls-ext'.ja4": IndicatorType.JA4,
}
# References to an object whose type the path does not state.
_OPEN_PATHS: Final = frozenset(
    {
        *("network-traffic:dst_ref.value", "network-traffic:src_ref.value"),
        *("domain-name:resolves_to_refs[*].value", "domain-name:resolves_to_refs[0].value"),
    }
)


class Taken(msgspec.Struct, frozen=True):
    """What is taken of a pattern: at least one claim, without repeats; and the parts, as written, that are not."""

    claims: tuple[Claim, ...]
    left_out: tuple[str, ...] = ()


class Unusable(msgspec.Struct, frozen=True, gc=False):
    """Why nothing is taken from a pattern. ``is_readable`` distinguishes one that we cannot carry from a broken one.

    ``kind`` is that of its values, if it is no type of the exchange.
    """

    detail: str
    is_readable: bool
    kind: str = ""


_Answer = Part | Unusable


@remembered(1_024)  # versions and copies of an object repeat its pattern
def taken_of(pattern: str) -> Taken | Unusable:
    """The values that a pattern asserts to be bad, in its order."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return Unusable(f"the pattern has {len(pattern)} characters, and {MAX_PATTERN_LENGTH} is the most", False)
    try:
        answer: _Answer = Pattern(pattern).visit(_Claiming())
    except ParseException as error:
        return Unusable(f"the pattern is not STIX 2.1's: line {error}", False)
    except RecursionError:
        return Unusable("the pattern is nested too deeply", False)
    if isinstance(answer, Unusable):
        return answer
    if not answer.claims:
        if any(comparison.claims for comparison in answer.comparisons):
            return Unusable("the pattern's parts are bad only together, and none of them is specific by itself", True)
        kinds = (kind for comparison in answer.comparisons if (kind := kind_named(comparison.path)) != OTHER)
        kind = next(kinds, OTHER)
        if unsupported := dict.fromkeys(each.unsupported for each in answer.comparisons if each.unsupported):
            operators = ", ".join(unsupported)
            named = kind if kind != OTHER else f"pattern with {operators}"
            return Unusable(f"the pattern names no value: {operators} is not supported", True, named)
        paths = ", ".join(dict.fromkeys(comparison.path for comparison in answer.comparisons))
        return Unusable(f"the pattern names no value of a type that the exchange carries: {paths[:_SHOWN]}", True, kind)
    values = {(claim.kind, claim.value) for claim in answer.claims}
    left_out = (
        comparison.text
        for comparison in answer.comparisons
        if not any((claim.kind, claim.value) in values for claim in comparison.claims)
    )
    return Taken(tuple(dict.fromkeys(answer.claims)), tuple(left_out))


def _together(operator: str) -> Unusable:
    return Unusable(
        f"the pattern needs several observations together ({operator}), and none of its parts is bad by itself", True
    )


class _Claiming(STIXPatternVisitor):  # type: ignore[misc]
    """Folds a parse tree into the parts that are taken, from the leaves up."""

    def visitPattern(self, context: Any) -> _Answer:
        return self._of(context.observationExpressions())

    def visitObservationExpressions(self, context: Any) -> _Answer:
        return _together("FOLLOWEDBY") if context.FOLLOWEDBY() else self._of(context.observationExpressionOr())

    def visitObservationExpressionOr(self, context: Any) -> _Answer:
        if not context.OR():
            return self._of(context.observationExpressionAnd())
        texts = [_written(side) for side in context.observationExpressionOr()]
        sides = [self._of(side) for side in context.observationExpressionOr()]
        unusable = [side for side in sides if isinstance(side, Unusable)]
        if len(unusable) == len(sides):
            return unusable[0]
        return alternatives(
            Part((Comparison(text, ""),), ()) if isinstance(side, Unusable) else side
            for text, side in zip(texts, sides, strict=True)
        )

    def visitObservationExpressionAnd(self, context: Any) -> _Answer:
        return _together("AND") if context.AND() else self._of(context.observationExpression())

    def visitObservationExpressionSimple(self, context: Any) -> _Answer:
        return self._of(context.comparisonExpression())

    def visitObservationExpressionCompound(self, context: Any) -> _Answer:
        return self._of(context.observationExpressions())

    def visitObservationExpressionStartStop(self, context: Any) -> _Answer:
        inner = self._of(context.observationExpression())
        bounds = [milliseconds(time.getText()[2:-1]) for time in context.startStopQualifier().TimestampLiteral()]
        if isinstance(inner, Unusable):
            return inner
        start, stop = (*bounds, None, None)[:2]
        if start is None or stop is None:
            return Unusable("START or STOP of the pattern is no RFC 3339 time", False)
        return Part(inner.comparisons, tuple(_bounded(claim, start, stop) for claim in inner.claims))

    def visitObservationExpressionWithin(self, context: Any) -> _Answer:
        return self._of(context.observationExpression())

    def visitObservationExpressionRepeated(self, context: Any) -> _Answer:  # noqa: ARG002
        return _together("REPEATS")

    def visitComparisonExpression(self, context: Any) -> Part:
        if not context.OR():
            return self._part(context.comparisonExpressionAnd())
        return alternatives(self._part(side) for side in context.comparisonExpression())

    def visitComparisonExpressionAnd(self, context: Any) -> Part:
        if not context.AND():
            return self._part(context.propTest())
        left, right = (self._part(side) for side in context.comparisonExpressionAnd())
        return conjunction(left, right)

    def visitPropTestParen(self, context: Any) -> Part:
        return self._part(context.comparisonExpression())

    def visitPropTestEqual(self, context: Any) -> Part:
        literals = [] if context.NOT() or context.NEQ() else [context.primitiveLiteral().getText()]
        return _compared(context, literals)

    def visitPropTestSet(self, context: Any) -> Part:
        literals = [literal.getText() for literal in context.setLiteral().primitiveLiteral()]
        return _compared(context, [] if context.NOT() else literals)

    def visitPropTestIsSubset(self, context: Any) -> Part:
        return _compared(context, [] if context.NOT() else [context.StringLiteral().getText()])

    def visitPropTestOrder(self, context: Any) -> Part:
        return _compared(context, [])

    def visitPropTestLike(self, context: Any) -> Part:
        return _compared(context, [])

    def visitPropTestRegex(self, context: Any) -> Part:
        return _compared(context, [])

    def visitPropTestIsSuperset(self, context: Any) -> Part:
        return _compared(context, [])

    def visitPropTestExists(self, context: Any) -> Part:
        return _compared(context, [])

    def _of(self, context: Any) -> _Answer:
        answer: _Answer = context.accept(self)
        return answer

    def _part(self, context: Any) -> Part:
        answer: Part = context.accept(self)
        return answer


def _compared(context: Any, literals: list[str]) -> Part:
    path = context.objectPath().getText()
    claims = _claims_at(path, literals)
    unsupported = "" if literals else _operator(context)
    return Part((Comparison(_written(context), path, claims, unsupported),), claims)


def _operator(context: Any) -> str:
    """The operator of a comparison, with its NOT: the words of it that are neither path nor literal."""
    words = (child.getText() for child in context.getChildren() if isinstance(child, TerminalNode))
    return " ".join(word for word in words if not word.startswith("'"))


def _written(context: Any) -> str:
    """A part of the pattern with its blanks."""
    text: str = context.start.getInputStream().getText(context.start.start, context.stop.stop)
    return text


def _bounded(claim: Claim, start: int, stop: int) -> Claim:
    """The same within these bounds too: qualifiers may be nested."""
    return Claim(claim.kind, claim.value, max(claim.start_ms, start), min(claim.stop_ms or stop, stop))


def _claims_at(path: str, literals: list[str]) -> tuple[Claim, ...]:
    kind = _kind_of(path)
    values = [_value(literal) for literal in literals]
    if kind is IndicatorType.AUTONOMOUS_SYSTEM:
        return tuple(Claim(kind, f"AS{value}") for value in values)
    if kind is not None:
        return tuple(Claim(kind, value) for value in values)
    if path in _OPEN_PATHS:
        return tuple(Claim(its_kind, value) for value in values if (its_kind := detect(value)) in _HOSTS and its_kind)
    return ()


@remembered(4096)
def _kind_of(path: str) -> IndicatorType | None:
    for holder, hashes in _HASHES_OF.items():
        if path.startswith(holder):
            return hashes.get(path.removeprefix(holder).strip(".'").replace("-", "").replace("_", "").upper())
    return _PATHS.get(path)


def _value(literal: str) -> str:
    """A literal without quotes and escapes (STIX 2.1, section 9.5: ``\\'`` and ``\\\\``)."""
    if not literal.startswith("'"):
        return literal
    return literal[1:-1].replace("\\'", "'").replace("\\\\", "\\")
