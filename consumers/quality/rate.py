"""Drafts the ratings of a nation's sensors from their scores. Pure. Officers sign them with a policy set (ADR 69).

No one outside the nation makes a sensor look bad: LOW needs indicators that were revoked, by the nation's officers or
by their own sources. A partner's disputes only keep a sensor from a good rating. A sensor without a key is not rated:
others can report in its name.
"""

import json
from collections.abc import Collection, Mapping
from typing import Final

from consumers.quality.score import ONE, Score
from exchange.metrics.labels import SensorShare
from schemas.ratings import LISTED, Rating

ENOUGH: Final = 50
"""Indicators, weighted by age, that a rating needs."""
BAD: Final = 0.05
"""The share of revoked indicators from which on a sensor is rated LOW."""
CLEAN: Final = 0.01
"""The share of revoked or disputed indicators below which a sensor may be rated HIGH."""
CONFIRMED: Final = 0.25
"""The share that other sensors report too, from which on a sensor may be rated HIGH."""


def rating_of(score: Score) -> Rating:
    """The rating that a score suggests."""
    if score.indicators < ENOUGH * ONE:
        return Rating.UNRATED
    if score.share(SensorShare.REVOKED) >= BAD:
        return Rating.LOW
    doubted = score.share(SensorShare.REVOKED) + score.share(SensorShare.DISPUTED)
    if doubted < CLEAN and score.share(SensorShare.CORROBORATED) >= CONFIRMED:
        return Rating.HIGH
    return Rating.MEDIUM if doubted < BAD else Rating.UNRATED


def drafted(scores: Mapping[str, Score], with_key: Collection[str]) -> dict[str, Rating]:
    """The rating of each sensor that has a key; no one else's reports are surely its own."""
    return {sensor: rating_of(score) for sensor, score in sorted(scores.items()) if sensor in with_key}


def as_text(scores: Mapping[str, Score], with_key: Collection[str]) -> str:
    """``policy/ratings/<nation>.toml``: the sensors by rating, each with its reasons."""
    ratings = drafted(scores, with_key)
    lines = [
        "# Drafted from scores by `kakehashi sensor score --nation NATION --ratings`; who is not listed is unrated."
    ]
    for rating in LISTED:
        listed = [sensor for sensor, found in ratings.items() if found is rating]
        lines += [f"{rating} = [", *(f"  {_quoted(sensor)},  # {_reasons(scores[sensor])}" for sensor in listed), "]"]
    for sensor in sorted(scores):
        if sensor not in with_key:
            lines.append(f"# not rated, since it has no key on the roster: {_quoted(sensor)}")
        elif ratings[sensor] is Rating.UNRATED:
            lines.append(f"# unrated: {_quoted(sensor)}, {_reasons(scores[sensor])}")
    return "\n".join(lines) + "\n"


def _quoted(sensor: str) -> str:
    """A name as TOML has it, on one line: JSON's escapes are TOML's, which also escapes DEL."""
    return json.dumps(sensor, ensure_ascii=False).replace("\x7f", "\\u007f")


def _reasons(score: Score) -> str:
    shares = (SensorShare.REVOKED, SensorShare.DISPUTED, SensorShare.CORROBORATED)
    return ", ".join(
        [f"{score.indicators / ONE:,.1f} indicators", *(f"{each} {score.share(each):.1%}" for each in shares)]
    )
