"""What a new cluster is formatted with."""

from localkafka.properties import new_cluster_id, second_address


def test_a_cluster_id_is_never_read_as_an_option() -> None:
    ids = {new_cluster_id() for _ in range(2_000)}
    assert len(ids) == 2_000
    assert not [name for name in ids if name.startswith("-")], "the storage tool refused one in 64"


def test_only_clients_of_the_second_address_are_sent_another_way() -> None:
    found = second_address(1, 2, link=3, advertised="jpn.example:4")
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2,LINK://127.0.0.1:3"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:1,LINK://jpn.example:4"
