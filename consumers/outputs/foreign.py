"""Refuses a target that the output did not write: replaced, somebody else's file would be lost.

A file is the output's own by the position in it or in the note beside it, which names the output. A folder is by a
mark, because a crash during the first write leaves files without a position.
"""

from pathlib import Path
from typing import Final

from consumers.outputs.protocol import Output, Target, Writer
from consumers.outputs.replace_file import is_scratch, replaced

_MARK: Final = ".kakehashi-output"
_MARKED: Final = "kakehashi output "
ON_A_DISK: Final = frozenset({"FILE", "DIR"})


def foreign(output: Output, target: Target, writer: Writer) -> str:
    """Why the target must not be written, and what to do; empty if it is new, empty, or the output's own."""
    path = Path(target.place)
    if output.place not in ON_A_DISK or not path.exists() or _is_empty(path):
        return ""
    held, marked = writer.held(), _marked(path)
    named = marked or ("" if held is None else held.output)
    if named not in ("", output.name):
        return f"{path} was written by the output {named}, which {output.name} would replace: name another path"
    if marked or held is not None:
        return ""
    if path.is_dir():
        return f"{path} has files that this output did not write: name another folder, or empty this one"
    return f"{path} was not written by this output, or was changed since: name another path, or delete the file"


def mark(output: Output, target: Target) -> None:
    """Note that a folder is the output's own. Raises OutputUnavailable if the disk refuses."""
    path = Path(target.place)
    if output.place in ON_A_DISK and path.is_dir() and not (path / _MARK).exists():
        with replaced(path / _MARK) as file:
            file.write(f"{_MARKED}{output.name}\n".encode())


def _marked(path: Path) -> str:
    """The name of the output whose folder it is; empty if it has no mark."""
    try:
        return (path / _MARK).read_text("utf-8", "replace").removeprefix(_MARKED).strip()
    except OSError:
        return ""


def _is_empty(path: Path) -> bool:
    if path.is_dir():
        return all(is_scratch(each) for each in path.iterdir())
    return path.is_file() and path.stat().st_size == 0
