"""A receiver that was down while something was recalled: the recall comes first, and until then it is counted."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.outputs.carried import carried_by
from consumers.outputs.follow import Following
from consumers.outputs.known import outputs
from consumers.outputs.protocol import OutputUnavailable, Target
from consumers.picture.filters import Filter
from tests.builders import NOW_MS
from tests.consumers.outputs.http_receivers import Received, fresh
from tests.consumers.outputs.pushed import secret
from tests.consumers.picture.topics import NATION, World

OPTIONS = {"webhook": "secret", "splunk": "token", "kvstore": "token", "elastic": ""}
KINDS = {"elastic": "index"}


class Followed:
    """An output that follows a world's picture with a receiver on this machine."""

    def __init__(self, world: World, folder: Path, name: str) -> None:
        url, self.received = fresh(KINDS.get(name, name))
        url += "/collection" if name == "kvstore" else ""
        options = {OPTIONS[name]: secret(folder)} if OPTIONS[name] else {}
        self._target = Target(NATION, url, options, folder)
        self._world, self._output = world, outputs()[name]
        self.following = self.started()

    def started(self) -> Following:
        """The output in a new process."""
        carried = carried_by(self._output, self._target, Filter())
        name = f"{self._output.name}:{self._target.place}"
        self.following = Following(name, self._output, self._target, carried, self._world.path, self._world.clock_ms)
        return self.following

    def turn(self) -> None:
        with self._world.picture() as picture:
            self.following.turn(picture)

    def unapplied(self) -> int:
        """What `kakehashi_output_unapplied_recalls` shows."""
        with self._world.picture() as picture:
            return sum(each.unapplied_recalls for each in picture.followers())


@pytest.fixture(params=OPTIONS)
def followed(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Followed]:
    monkeypatch.setattr("consumers.outputs.push._WAITS_S", ())
    world = World(tmp_path)
    for number in range(5):
        world.gbr.release(f"h{number}.example")
    world.catch_up()
    found = Followed(world, tmp_path, request.param)
    found.turn()
    yield found
    found.following.close()


def bodies(received: Received) -> list[bytes]:
    """Of all requests that change something; a deletion may be in the method alone."""
    return [method.lower().encode() + body for method, _, _, body in received.requests if method in {"POST", "DELETE"}]


def test_recalls_come_first_after_an_outage_and_are_counted_until_then(followed: Followed) -> None:
    world, received = followed._world, followed.received
    assert (len(received.held), followed.unapplied()) == (5, 0)
    world.gbr.release("new.example")
    world.gbr.release("h1.example", version=NOW_MS + 1, record="recalled")
    world.gbr.release("h2.example", version=NOW_MS + 1, record="recalled")
    world.catch_up()
    received.answers.append(503)
    with pytest.raises(OutputUnavailable):
        followed.turn()
    assert followed.unapplied() == 2
    followed.following.close()
    received.requests.clear()
    followed.started()
    followed.turn()
    assert (len(received.held), followed.unapplied()) == (4, 0)
    first, *later = bodies(received)
    assert (b"remove" in first or b"delete" in first, b"new.example" in first) == (True, False)
    assert any(b"new.example" in each for each in later)
    world.catch_up()
    assert b"h1.example" not in world.bytes_on_disk()


def test_a_receiver_that_was_away_is_tried_again_until_it_is_current(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed.received.answers.append(503)
    followed._world.gbr.release("new.example")
    followed._world.catch_up()
    stopping, turns = threading.Event(), list[bool]()

    def written(_: Following, succeeded: bool) -> None:
        turns.append(succeeded)
        if succeeded:
            stopping.set()

    monkeypatch.setattr("consumers.outputs.follow._FIRST_RETRY_S", 0.05)
    thread = threading.Thread(target=followed.following.run, args=(stopping, written))
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
    assert turns == [False, True]
    assert len(followed.received.held) == 6
