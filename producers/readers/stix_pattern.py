"""What a STIX pattern says is bad: the values that are indicators on their own. Parsed by OASIS's own parser.

- ``OR``: each alternative suffices, so each is taken that has a type we carry.
- ``AND`` within one observation describes one thing. What identifies it best is taken: hashes (all of them,
  they are of one file), else the URL, mail address, domain, address, network, AS number, file name, in this
  order. Two different values of the same rank, none of which suffices, are not taken apart.
- A pattern that needs several observations (``AND`` or ``FOLLOWEDBY`` between brackets) or repeated ones says of
  no part that it is bad by itself: it is refused whole.
- ``NOT``, ``!=``, ``LIKE``, ``MATCHES``, ``<`` and their kin name no value.

STIX 2.1, section 9.
"""

from functools import lru_cache
from typing import Any, Final

import msgspec
from stix2patterns.exceptions import ParseException  # type: ignore[import-untyped]
from stix2patterns.v21.grammars.STIXPatternVisitor import STIXPatternVisitor  # type: ignore[import-untyped]
from stix2patterns.v21.pattern import Pattern  # type: ignore[import-untyped]

from schemas.normalise import detect
from schemas.vocabulary import IndicatorType

MAX_PATTERN_LENGTH: Final = 64 << 10
_HASHES: Final = {
    "MD5": IndicatorType.FILE_MD5,
    "SHA1": IndicatorType.FILE_SHA1,
    "SHA256": IndicatorType.FILE_SHA256,
    "SHA512": IndicatorType.FILE_SHA512,
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
}
# References to an object whose type the path does not say.
_OPEN_PATHS: Final = frozenset(
    {
        *("network-traffic:dst_ref.value", "network-traffic:src_ref.value"),
        *("domain-name:resolves_to_refs[*].value", "domain-name:resolves_to_refs[0].value"),
    }
)
_RANK: Final = {
    kind: rank
    for rank, kinds in enumerate(
        (
            tuple(_HASHES.values()),
            (IndicatorType.URL,),
            (IndicatorType.EMAIL_ADDR,),
            (IndicatorType.DOMAIN_NAME,),
            (IndicatorType.IPV4_ADDR, IndicatorType.IPV6_ADDR),
            (IndicatorType.IPV4_NET, IndicatorType.IPV6_NET),
            (IndicatorType.AUTONOMOUS_SYSTEM,),
            (IndicatorType.FILE_NAME,),
        )
    )
    for kind in kinds
}
_HASH_RANK: Final = 0


class Claim(msgspec.Struct, frozen=True, gc=False):
    """One value that a pattern says is bad."""

    kind: IndicatorType
    value: str


Claims = tuple[Claim, ...]


class Unusable(msgspec.Struct, frozen=True, gc=False):
    """Why nothing is taken from a pattern. ``is_readable`` tells one that we cannot carry from a broken one."""

    detail: str
    is_readable: bool


def claims_of(pattern: str) -> Claims | Unusable:
    """The values that a pattern says are bad, in its order and without repeats."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return Unusable(f"the pattern has {len(pattern)} characters, and {MAX_PATTERN_LENGTH} is the most", False)
    try:
        answer = Pattern(pattern).visit(_Claiming())
    except ParseException as error:
        return Unusable(f"the pattern is not STIX 2.1's: line {error}", False)
    except RecursionError:
        return Unusable("the pattern is nested too deeply", False)
    if isinstance(answer, Unusable):
        return answer
    if not answer:
        return Unusable("the pattern names no value of a type that the exchange carries", True)
    return tuple(dict.fromkeys(answer))


_COMPOUND: Final = Unusable(
    "the pattern needs several observations together, and none of its parts is bad by itself", True
)


class _Claiming(STIXPatternVisitor):  # type: ignore[misc]
    """Folds a parse tree into claims, from the leaves up."""

    def visitPattern(self, context: Any) -> Claims | Unusable:
        return self._of(context.observationExpressions())

    def visitObservationExpressions(self, context: Any) -> Claims | Unusable:
        return _COMPOUND if context.FOLLOWEDBY() else self._of(context.observationExpressionOr())

    def visitObservationExpressionOr(self, context: Any) -> Claims | Unusable:
        if not context.OR():
            return self._of(context.observationExpressionAnd())
        sides = [self._of(side) for side in context.observationExpressionOr()]
        usable = [side for side in sides if not isinstance(side, Unusable)]
        return tuple(claim for side in usable for claim in side) if usable else _COMPOUND

    def visitObservationExpressionAnd(self, context: Any) -> Claims | Unusable:
        return _COMPOUND if context.AND() else self._of(context.observationExpression())

    def visitObservationExpressionSimple(self, context: Any) -> Claims | Unusable:
        return self._of(context.comparisonExpression())

    def visitObservationExpressionCompound(self, context: Any) -> Claims | Unusable:
        return self._of(context.observationExpressions())

    def visitObservationExpressionStartStop(self, context: Any) -> Claims | Unusable:
        return self._of(context.observationExpression())

    def visitObservationExpressionWithin(self, context: Any) -> Claims | Unusable:
        return self._of(context.observationExpression())

    def visitObservationExpressionRepeated(self, context: Any) -> Claims | Unusable:  # noqa: ARG002
        return _COMPOUND

    def visitComparisonExpression(self, context: Any) -> Claims:
        if not context.OR():
            return self._claims(context.comparisonExpressionAnd())
        return tuple(claim for side in context.comparisonExpression() for claim in self._claims(side))

    def visitComparisonExpressionAnd(self, context: Any) -> Claims:
        if not context.AND():
            return self._claims(context.propTest())
        left, right = (self._claims(side) for side in context.comparisonExpressionAnd())
        return _better(left, right)

    def visitPropTestParen(self, context: Any) -> Claims:
        return self._claims(context.comparisonExpression())

    def visitPropTestEqual(self, context: Any) -> Claims:
        if context.NOT() or context.NEQ():
            return ()
        return _claims_at(context.objectPath().getText(), [context.primitiveLiteral().getText()])

    def visitPropTestSet(self, context: Any) -> Claims:
        if context.NOT():
            return ()
        literals = [literal.getText() for literal in context.setLiteral().primitiveLiteral()]
        return _claims_at(context.objectPath().getText(), literals)

    def visitPropTestIsSubset(self, context: Any) -> Claims:
        if context.NOT():
            return ()
        return _claims_at(context.objectPath().getText(), [context.StringLiteral().getText()])

    def defaultResult(self) -> Claims:
        return ()

    def aggregateResult(self, aggregate: Claims, next_result: Claims) -> Claims:  # noqa: ARG002
        return ()

    def _of(self, context: Any) -> Claims | Unusable:
        answer: Claims | Unusable = context.accept(self)
        return answer

    def _claims(self, context: Any) -> Claims:
        answer: Claims = context.accept(self)
        return answer


def _better(left: Claims, right: Claims) -> Claims:
    """What identifies the one thing that both sides describe."""
    if not left or not right:
        return left or right
    left_rank = min(_RANK[claim.kind] for claim in left)
    right_rank = min(_RANK[claim.kind] for claim in right)
    if left_rank == right_rank:
        return left + right if left_rank == _HASH_RANK else ()
    return left if left_rank < right_rank else right


def _claims_at(path: str, literals: list[str]) -> Claims:
    kind = _kind_of(path)
    values = [_value(literal) for literal in literals]
    if kind is IndicatorType.AUTONOMOUS_SYSTEM:
        return tuple(Claim(kind, f"AS{value}") for value in values)
    if kind is not None:
        return tuple(Claim(kind, value) for value in values)
    if path in _OPEN_PATHS:
        return tuple(Claim(its_kind, value) for value in values if (its_kind := detect(value)) in _RANK and its_kind)
    return ()


@lru_cache(4096)
def _kind_of(path: str) -> IndicatorType | None:
    if path.startswith("file:hashes"):
        algorithm = path.removeprefix("file:hashes").strip(".'").replace("-", "").replace("_", "").upper()
        return _HASHES.get(algorithm)
    return _PATHS.get(path)


def _value(literal: str) -> str:
    """A literal without quotes and escapes (STIX 2.1, section 9.5: ``\\'`` and ``\\\\``)."""
    if not literal.startswith("'"):
        return literal
    return literal[1:-1].replace("\\'", "'").replace("\\\\", "\\")
