"""Refuses a Python file of more than 300 lines.

``python -m tools.file_sizes`` checks the repository. ``LONGER`` lists today's longer files with sizes: such a file may
shrink and must not grow, and leaves the list when it is short enough. No file is added to it.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SKIPPED: Final = frozenset({".venv", ".git"})
MOST_LINES: Final = 300
LONGER: Final[Mapping[str, int]] = {}


def too_long(sizes: Mapping[str, int], longer: Mapping[str, int] = LONGER) -> Iterator[str]:
    """One sentence for each file that has more lines than it may have; ``sizes`` are lines by path."""
    for path, lines in sorted(sizes.items()):
        most = max(MOST_LINES, longer.get(path, 0))
        if lines > most:
            yield f"{path} has {lines} lines, and {most} are allowed: split it by responsibility"


def sizes_of(root: Path = ROOT) -> dict[str, int]:
    """The lines of every Python file of the repository, by its path."""
    paths = [path for path in root.rglob("*.py") if not SKIPPED & set(path.relative_to(root).parts)]
    return {path.relative_to(root).as_posix(): len(path.read_text("utf-8").splitlines()) for path in paths}


def main() -> int:
    """Print every file that is too long; 1 if there is any."""
    found = list(too_long(sizes_of()))
    for each in found:
        sys.stderr.write(f"{each}\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
