"""Losses of a listener's senders: none is silent for long, and a flood of them is bounded."""

from producers.live.losses import AGAIN_S, MOST, OTHERS, Losses


def test_the_same_loss_is_reported_again_after_ten_minutes() -> None:
    losses = Losses()
    assert [losses.reported("192.0.2.1 broke off", at) for at in (0, 1, AGAIN_S - 1)] == [
        "192.0.2.1 broke off",
        None,
        None,
    ]
    assert losses.reported("192.0.2.1 broke off", AGAIN_S) == "192.0.2.1 broke off"


def test_a_flood_of_losses_is_bounded_and_ends() -> None:
    losses = Losses()
    found = [losses.reported(f"{number} broke off", 0) for number in range(2 * MOST)]
    assert found[MOST:] == [OTHERS, *[None] * (MOST - 1)]
    assert losses.reported("192.0.2.1 broke off", AGAIN_S) == "192.0.2.1 broke off"
