"""What a new cluster is formatted with."""

from exchange.brokers.properties import new_cluster_id


def test_a_cluster_id_is_never_read_as_an_option() -> None:
    ids = {new_cluster_id() for _ in range(2_000)}
    assert len(ids) == 2_000
    assert not [name for name in ids if name.startswith("-")], "the storage tool refused one in 64"
