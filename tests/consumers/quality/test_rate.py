"""Ratings that scores suggest: what makes a sensor low, and who cannot."""

import pytest

from consumers.quality.rate import as_text, rating_of
from consumers.quality.score import ONE, Score
from schemas.ratings import Rating, read_ratings


def a_score(
    indicators: int = 100, *, revoked: int = 0, disputed: int = 0, corroborated: int = 0, refused: int = 0
) -> Score:
    return Score(
        indicators * ONE,
        revoked=revoked * ONE,
        disputed={"false-positive": disputed * ONE},
        corroborated={"already": corroborated * ONE},
        refused={"over-quota": refused * ONE, "bad-signature": refused * ONE},
    )


@pytest.mark.parametrize(
    ("score", "rating"),
    [
        (a_score(49, revoked=49), Rating.UNRATED),
        (a_score(revoked=5), Rating.LOW),
        (a_score(revoked=4), Rating.MEDIUM),
        (a_score(), Rating.MEDIUM),
        (a_score(corroborated=25), Rating.HIGH),
        (a_score(corroborated=25, revoked=1), Rating.MEDIUM),
    ],
)
def test_a_score_of_enough_indicators_suggests_a_rating(score: Score, rating: Rating) -> None:
    assert rating_of(score) is rating


def test_neither_disputes_nor_refused_reports_make_a_sensor_low() -> None:
    assert rating_of(a_score(disputed=100)) is Rating.UNRATED
    assert rating_of(a_score(refused=1_000_000)) is Rating.MEDIUM


def test_the_draft_is_read_as_the_ratings_that_it_shows_and_names_those_that_it_leaves_out() -> None:
    scores = {
        'b"\n\x7f友': a_score(revoked=10),
        "fine": a_score(corroborated=50),
        "new": a_score(1),
        "keyless": a_score(revoked=90),
    }
    text = as_text(scores, {*scores} - {"keyless"})
    assert read_ratings({"ratings/GBR.toml": text}, "GBR").by_sensor == {'b"\n\x7f友': Rating.LOW, "fine": Rating.HIGH}
    assert '"fine",  # 100.0 indicators, revoked 0.0%, disputed 0.0%, corroborated 50.0%' in text
    assert '# not rated, since it has no key on the roster: "keyless"' in text
    assert '# unrated: "new", 1.0 indicators' in text
