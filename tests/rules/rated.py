"""Policy sets with ratings of sensors, and with rules that an officer may write about them."""

from collections.abc import Iterable

from schemas.links import POLICY_FOLDER
from schemas.ratings import ratings_path
from streams.rules.policy_set import PolicySet, compiled, read_texts

OWN_RULES = "national/GBR/v1/ratings.cedar"


def rated(*rules: str, joint: str = "", **listed: Iterable[str]) -> PolicySet:
    """GBR's shipped set with these sensors by rating, and with more rules of its own."""
    texts = dict(read_texts("GBR", POLICY_FOLDER))
    names = {rating: ", ".join(f'"{sensor}"' for sensor in sensors) for rating, sensors in listed.items()}
    texts[ratings_path("GBR")] = "".join(f"{rating} = [{sensors}]\n" for rating, sensors in names.items())
    if rules:
        texts[OWN_RULES] = "\n".join(rules)
    if joint:
        texts["joint/v1/more.cedar"] = joint
    return compiled(texts, "GBR")


def a_rule(condition: str, *, name: str = "a-rule", effect: str = 'hold") @reviewers("1") @deadline_hours("72') -> str:
    """A rule of an officer, of any effect: ``permit``, ``withhold`` or ``hold``."""
    notes = f'@id("{name}") @title("a test") @title_ja("試験") @basis("a test") @owner("a test")'
    if effect == "permit":
        return f'{notes} @obligations("expire-after-days:365") permit (principal, action, resource) {condition};'
    return f'{notes} @outcome("{effect}") forbid (principal, action, resource) {condition};'
