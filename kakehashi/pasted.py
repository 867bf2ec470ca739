"""What a person pastes into another terminal first, so that the commands that we print work there."""

import shlex
import shutil
import sys
from pathlib import Path


def first_line(home: Path) -> str:
    """The line that names the home, and where `kakehashi` is: an environment of Python is active in one shell alone."""
    script = Path(sys.executable).parent / "kakehashi"
    named = f"export KAKEHASHI_HOME={shlex.quote(str(home))}"
    if sys.prefix == sys.base_prefix and shutil.which("kakehashi"):
        return named
    if script.exists():
        return f'{named} PATH={shlex.quote(str(script.parent))}:"$PATH"'
    return f'{named}; kakehashi() {{ {shlex.quote(sys.executable)} -m kakehashi "$@"; }}'
