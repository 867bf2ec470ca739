"""The attacks are well described; what comes of them shows `make attack`."""

from tests.attack.run import ATTACKS


def test_every_attack_has_a_name_of_its_own_and_one_expected_answer() -> None:
    names = [(each.who, each.what) for each in ATTACKS]
    assert len(names) == len(set(names))
    assert all(each.expected for each in ATTACKS)
