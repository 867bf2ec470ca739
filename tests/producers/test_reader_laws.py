"""The laws of every reader: lazy, bounded, nothing dropped, positions in order, no exception, and the same twice."""

import io
import re
from collections.abc import Iterator
from random import Random

import pytest

from producers.inputs import OpenInput
from producers.readers.formats import readers, recognised
from producers.readers.reader import Head, Reader
from producers.readers.reading import Aside, Defaults, LeftOut, Reading, Rejected, Seen
from tests.alone import alone
from tests.fuzz.mutate import spoilt
from tests.producers.reading_feeds import FEEDS, an_input, manifest, observations

MEBIBYTE = 1 << 20
SPOILT_CASES = 150

each_reader = pytest.mark.parametrize("reader", readers().values(), ids=lambda reader: reader.name)


def read(reader: Reader, content: bytes) -> list[Reading]:
    return list(reader.read(an_input(content), Defaults()))


def samples(reader: Reader) -> Iterator[bytes]:
    """Its example, and the recorded feeds in its format."""
    yield reader.example
    for file in dict.fromkeys(entry["file"] for entry in manifest() if entry["format"] == reader.name):
        yield an_input((FEEDS / file).read_bytes()).stream.read(4 * MEBIBYTE)


@each_reader
def test_it_describes_itself_in_lines_that_fit_a_table(reader: Reader) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", reader.name)
    for text in (reader.reads, reader.unit, *reader.leaves_out, *reader.leaves_out.values()):
        assert text.strip()
        assert not set(text) & {"\n", "|"}


@each_reader
def test_its_example_is_recognised_and_holds_an_observation(reader: Reader) -> None:
    assert recognised(Head(reader.example)) == reader.name
    assert observations(read(reader, reader.example))


@each_reader
def test_it_is_lazy(reader: Reader) -> None:
    source = an_input(reader.example + b"\n" * MEBIBYTE)
    before = source.bytes_read
    reader.read(source, Defaults())
    assert source.bytes_read == before


class Endless(io.RawIOBase):
    """An example, then 400 MiB without a line break, that never is in memory."""

    def __init__(self, beginning: bytes) -> None:
        self.beginning, self.left = beginning, 400 * MEBIBYTE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.beginning:
            got, self.beginning = self.beginning[: len(buffer)], self.beginning[len(buffer) :]
        else:
            got = b"[" * min(len(buffer), self.left)
            self.left -= len(got)
        buffer[: len(got)] = got
        return len(got)


def _readings_of_endless(name: str) -> int:
    reader = readers()[name]
    source = OpenInput("endless", io.BufferedReader(Endless(reader.example)))
    return sum(1 for _ in reader.read(source, Defaults()))


@each_reader
def test_it_holds_a_bounded_amount_of_its_input(reader: Reader) -> None:
    found, cost = alone(_readings_of_endless, reader.name)
    assert found
    assert cost.memory < 256 * MEBIBYTE


@each_reader
def test_each_piece_is_an_observation_a_refusal_or_left_out_by_a_declared_rule(reader: Reader) -> None:
    for content in samples(reader):
        source = an_input(content)
        found = list(reader.read(source, Defaults()))
        assert_sound(reader, found)
        numbers = {reading.place.line for reading in found}
        if 0 in numbers:
            continue  # the whole input was refused
        missing = set(range(1, source.records + 1)) - numbers
        lines = content.split(b"\n")
        assert not [number for number in missing if b"".join(lines[number - 1 : number]).strip()]


@each_reader
def test_spoilt_bytes_never_raise(reader: Reader) -> None:
    random = Random(f"laws {reader.name}")
    seeds = [content[:32_768] for content in samples(reader)]
    for _ in range(SPOILT_CASES):
        assert_sound(reader, read(reader, spoilt(random, random.choice(seeds), seeds)))


@each_reader
def test_reading_twice_gives_the_same(reader: Reader) -> None:
    for content in samples(reader):
        assert read(reader, content) == read(reader, content)


def assert_sound(reader: Reader, found: list[Reading]) -> None:
    """Every reading is one of the three, and positions never decrease."""
    assert all(isinstance(reading, Seen | Rejected | LeftOut | Aside) for reading in found)
    assert {reading.rule for reading in found if isinstance(reading, LeftOut)} <= set(reader.leaves_out)
    numbers = [reading.place.line for reading in found]
    assert numbers == sorted(numbers)
