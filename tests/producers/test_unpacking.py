"""Compressed inputs: each kind is its content, cut and damaged ones keep what came before, and bombs end early."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

import producers.unpacking
from producers.inputs import OpenInput, Plain
from producers.spool.spool import Spool
from tests.alone import alone
from tests.producers.producing import reports_in, run
from tests.producers.reading_feeds import an_input

PLAIN = b"".join(b"%d.example.com\n" % number for number in range(60_000))
MEBIBYTE = 1 << 20


def zipped(content: bytes, *more: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of one file, and of more empty ones."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("list.txt", content)
        for name in more:
            archive.writestr(name, "b.example.com\n")
    return packed.getvalue()


def streamed_zip(content: bytes) -> bytes:
    """As a program writes it that cannot seek: sizes stand behind the file."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            self.content += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("list.txt", "w") as file:
        file.write(content)
    return pipe.content


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
    "zip": zipped,
    "zip-stored": lambda content: zipped(content, method=zipfile.ZIP_STORED),
    "zip-streamed": streamed_zip,
}
each = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
each_stream = pytest.mark.parametrize("pack", list(PACKERS.values())[:4], ids=list(PACKERS)[:4])


@each
def test_each_kind_is_its_content(pack: Callable[[bytes], bytes]) -> None:
    source = an_input(pack(PLAIN))
    assert source.stream.read() == PLAIN
    assert not source.damage


@each_stream
def test_streams_that_follow_one_another_are_one_content(pack: Callable[[bytes], bytes]) -> None:
    source = an_input(pack(b"a.example.com\n") + pack(PLAIN))
    assert source.stream.read() == b"a.example.com\n" + PLAIN
    assert not source.damage


@each
def test_what_comes_before_a_cut_is_read_and_the_cut_is_known(pack: Callable[[bytes], bytes]) -> None:
    noise = os.urandom(2 * MEBIBYTE)
    packed = pack(noise)
    source = an_input(packed[: len(packed) // 2])
    got = source.stream.read()
    assert noise.startswith(got)
    assert len(got) > len(noise) // 4
    assert "cut" in source.damage


@each
def test_one_byte_at_a_time_gives_the_same(pack: Callable[[bytes], bytes]) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(1, size or 0))

    plain, got = Plain(Slow(pack(PLAIN[:3000]))), b""
    while more := plain.read(7):
        got += more
    assert (got, plain.damage) == (PLAIN[:3000], "")


@pytest.mark.parametrize("beginning", [b"P", b"PK", b"B", b"BZ", b"(", b"\xfd", b"PKI.example\n", b"BZ.example\n"])
def test_text_that_begins_like_a_compressed_stream_is_text(beginning: bytes) -> None:
    source = an_input(beginning)
    assert (source.stream.read(), source.damage) == (beginning, "")


@each
def test_the_same_content_is_the_same_input_however_it_is_packed(
    pack: Callable[[bytes], bytes], sensor_spool: Spool, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_bytes(PLAIN[:3000])
    (tmp_path / "packed").write_bytes(pack(PLAIN[:3000]))
    first = run(sensor_spool, tmp_path / "list.txt")
    second = run(sensor_spool, tmp_path / "packed")
    assert (first.observations, second.observations, len(second.skipped)) == (PLAIN[:3000].count(b"\n"), 0, 1)
    assert len(reports_in(sensor_spool)) == first.reports


@pytest.mark.parametrize(
    ("packed", "detail"),
    [
        (zipped(PLAIN, "more.txt"), "several files"),
        (zipped(b"", method=zipfile.ZIP_STORED), "empty"),
        (zipped(PLAIN, method=zipfile.ZIP_BZIP2), "method 12"),
        (zipped(PLAIN)[:6] + b"\x01\x00" + zipped(PLAIN)[8:], "encrypted"),
        (b"PK\x03\x04", "no file"),
    ],
)
def test_an_archive_that_is_not_one_file_states_why(packed: bytes, detail: str) -> None:
    source = an_input(packed)
    source.stream.read()
    assert detail in source.damage


def test_an_xz_stream_that_wants_too_much_memory_is_damage() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 29}]
    compressor = lzma.LZMACompressor(lzma.FORMAT_XZ, filters=filters)
    source = an_input(compressor.compress(b"x\n") + compressor.flush())
    assert source.stream.read() == b""
    assert "damaged" in source.damage


def _bomb(packed: bytes) -> tuple[int, str]:
    """What is read of a bomb, if 8 MiB are harmless."""
    producers.unpacking.HARMLESS_BYTES = 8 * MEBIBYTE  # type: ignore[misc]
    source, size = OpenInput("bomb", io.BytesIO(packed)), 0
    while got := source.stream.read(MEBIBYTE):
        size += len(got)
    return size, source.damage


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd", "zip"])
def test_a_bomb_ends_early_in_bounded_memory(name: str) -> None:
    (size, damage), cost = alone(_bomb, PACKERS[name](bytes(64 * MEBIBYTE)))
    assert "bomb" in damage
    assert size <= 12 * MEBIBYTE
    assert cost.memory < 32 * MEBIBYTE
