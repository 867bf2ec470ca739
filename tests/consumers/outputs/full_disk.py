"""Outputs on a full disk: ``python -m … FOLDER``, on a small file system of its own if this machine permits one.

Otherwise the process may write no file at all, which the outputs cannot tell from a full disk. For each output it
prints what it found, as a line of JSON: it is empty if all is as it has to be.
"""

import errno
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from consumers.outputs.known import outputs
from consumers.outputs.protocol import Change, Held, Output, OutputUnavailable, Put, Target
from tests.consumers.outputs.http_receivers import fresh
from tests.consumers.outputs.test_output_laws import entries_of, removal, whole

_SIZE: Final = "4m"
_BEFORE, _AFTER = Held("picture", "all", 1), Held("picture", "all", 2)


def main(folder: Path) -> None:
    """All outputs that write to a disk, one as a folder too, and the ledger of one that pushes."""
    has_own_disk = not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", folder], capture_output=True, check=False
    ).returncode
    for name, output in outputs().items():
        if output.place in {"FILE", "DIR"}:
            for as_folder in {output.place == "DIR", output.place == "DIR" or name == "stix"}:
                place = folder / f"{name}-{as_folder}"
                if as_folder:
                    place.mkdir()
                _say(name, _tried(output, Target("JPN", str(place)), folder, has_own_disk=has_own_disk))
    (folder / "secret").write_text("a secret of the tests")
    pushed = Target("JPN", fresh("webhook")[0], {"secret": str(folder / "secret")}, folder)
    _say("webhook", _tried(outputs()["webhook"], pushed, folder, has_own_disk=has_own_disk))


def _tried(output: Output, target: Target, folder: Path, *, has_own_disk: bool) -> list[str]:
    """Fill the disk under it while something leaves and something comes."""
    before, after = entries_of(output, (0, 1)), entries_of(output, (1, 2))
    changes: list[Change] = [*map(removal, entries_of(output, (0,))), *map(Put, entries_of(output, (2,)))]
    writer, wrong = output.open(target), list[str]()
    writer.write(iter(before), _BEFORE)
    with _no_room(folder) if has_own_disk else files_of_at_most(0):
        for _ in range(2):
            try:
                writer.apply(changes, _AFTER, whole(after))
                wrong.append("it has written on a full disk")
            except OutputUnavailable as error:
                wrong += [] if target.place in f"{error}" or "outputs" in f"{error}" else [f"{error} names no file"]
        found = list(writer.check(iter(before)))
        wrong += [] if output.place == "URL" or not found else [f"it was changed: {found}"]
        wrong += [] if writer.held() == _BEFORE else ["it has moved on"]
    writer.close()
    writer = output.open(target)
    wrong += [] if writer.held() == _BEFORE else ["the next process does not know it"]
    writer.apply(changes, _AFTER, whole(after))
    wrong += [] if writer.held() == _AFTER and not list(writer.check(iter(after))) else ["it does not go on"]
    writer.close()
    return wrong


@contextmanager
def _no_room(folder: Path) -> Iterator[None]:
    """The last byte of the file system is taken."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4_096)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    yield
    filler.unlink()


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The disk is full behind so many bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def _say(name: str, wrong: list[str]) -> None:
    sys.stdout.write(json.dumps({"output": name, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
