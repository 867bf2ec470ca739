"""Finds the indicators that a person means by an id or a value."""

from typing import Final

from consumers.queries.values import national_records
from exchange.errors import Refused
from exchange.kafka.clients import Cluster
from schemas.identity import indicator_id, indicator_key, key_of_id
from schemas.normalise import Canonical, Invalid, canonical, detect
from schemas.vocabulary import TYPE_BY_LABEL, IndicatorType

_ID: Final = "indicator--"


def ids_of(words: str, type_: str = "") -> list[str]:
    """The ids that a person may mean by an id or a value, defanged or not: to look for.

    A value has the type with the label ``type_``, or the one that it looks like. If it looks like none, as a name under
    a top-level domain that no one has delegated, each type that accepts it is meant. Raises Refused if none does.
    """
    if words.startswith(_ID):
        return [_checked(words)]
    return [indicator_id(indicator_key(*each)) for each in _readings(words, type_)]


def id_of(cluster: Cluster, words: str, type_: str, shards: int) -> str:
    """The one id that a person means: to act on. Of several types it is the only one that the nation has reported.

    Raises Refused if that is not one, NotFound and BrokerUnavailable if the national records cannot be read.
    """
    ids = ids_of(words, type_)
    if words.startswith(_ID) or type_ or detect(words) is not None:
        return ids[0]
    reported = list(national_records(cluster, ids, shards))
    if len(reported) != 1:
        held = "more than one of them" if reported else "none of them"
        raise Refused(
            f"{words} can be of type {_types(words, type_)}, and {cluster.nation} has reported {held}: check the "
            "spelling, and give --type or its id"
        )
    return reported[0]


def named(words: str, type_: str = "") -> str:
    """What was looked for, for a person: an id, or a value with its types."""
    return words if words.startswith(_ID) else f"{words} as {_types(words, type_)} (--type names another type)"


def _types(words: str, type_: str) -> str:
    return " or ".join(kind.label for kind, _ in _readings(words, type_))


def _readings(words: str, type_: str) -> list[Canonical]:
    guess = TYPE_BY_LABEL[type_] if type_ else detect(words)
    found = [canonical(kind, words) for kind in (IndicatorType if guess is None else (guess,))]
    accepted = list(dict.fromkeys(each for each in found if not isinstance(each, Invalid)))
    if not accepted:
        what = f"a valid value of type {type_}" if type_ else "a valid value of any type"
        raise Refused(
            f"{words} is neither an indicator's id nor {what}: give its id; an invalid value that was reported is in "
            "quarantine (`kakehashi quarantine list --nation NATION`)"
        )
    return accepted


def _checked(words: str) -> str:
    try:
        return indicator_id(key_of_id(words))
    except ValueError as error:
        raise Refused(f"{words} is no indicator's id: {error}") from error
