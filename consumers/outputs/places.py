"""The targets of outputs that write to a disk, and what their users may choose."""

import re
from pathlib import Path
from typing import Final

from consumers.outputs.protocol import Target
from exchange.errors import ConfigurationError
from schemas.markings import Activity

_HOURS: Final = re.compile(r"[1-9][0-9]{0,3}")


def file_of(target: Target, name: str) -> Path:
    """The file of a target ``name:FILE``. Raises ConfigurationError if it cannot be one."""
    path = Path(target.place)
    if not path.parent.is_dir():
        raise ConfigurationError(f"{name}:{target.place}: the folder {path.parent} does not exist: make it first")
    if path.is_dir():
        raise ConfigurationError(f"{name}:{target.place}: this is a folder: name a file in it")
    return path


def folder_of(target: Target, name: str) -> Path:
    """The folder of a target ``name:DIR``. Raises ConfigurationError if there is none."""
    path = Path(target.place)
    if not path.is_dir():
        raise ConfigurationError(f"{name}:{target.place}: this folder does not exist: make it first")
    return path


def chosen(target: Target, name: str, option: str, choices: tuple[str, ...]) -> str:
    """An option's value; the first choice if it is not given. Raises ConfigurationError if it is not one of them."""
    value = target.options.get(option, choices[0])
    if value not in choices:
        raise ConfigurationError(f"{name}:{target.place}: {option}={value}: write one of {', '.join(choices)}")
    return value


def activity_of(target: Target, name: str, default: Activity) -> Activity:
    """The PAP activity by the option ``activity``. Raises ConfigurationError if there is no such activity."""
    labels = {each.label: each for each in Activity}
    first = (default.label, *(label for label in labels if label != default.label))
    return labels[chosen(target, name, "activity", first)]


def hours_of(target: Target, name: str, option: str, default: int) -> int:
    """An option that is a number of hours. Raises ConfigurationError if it is invalid."""
    hours = target.options.get(option, f"{default}")
    if _HOURS.fullmatch(hours) is None:
        raise ConfigurationError(
            f"{name}:{target.place}: {option}={hours}: write whole hours, 9999 at most, for example {default}"
        )
    return int(hours)


def secret_of(target: Target, name: str, option: str) -> str:
    """The text in the file that an option names, without blanks around it. Raises ConfigurationError if there is none.

    A secret is in a file, because all users of a machine see the options of its processes.
    """
    file = target.options.get(option, "")
    try:
        secret = Path(file).read_text("utf-8").strip() if file else ""
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{name}:{target.place}: {option}={file}: this file cannot be read: {error}"
        ) from error
    if not secret or not secret.isprintable():
        raise ConfigurationError(f"{name}:{target.place}: write {option}=FILE, a file with one line, the secret")
    return secret
