"""The links of this installation: which nations are partners, and the agreement with each."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from exchange.errors import ConfigurationError
from schemas.agreement import Agreement
from schemas.links import LINKS, POLICY_FOLDER, BadLinks, link_texts, read_links

Links = Mapping[tuple[str, str], Agreement]


def load_links(folder: Path) -> Links:
    """All links below a policy folder, by nation and partner; none if it has no folder ``links``.

    Raises ConfigurationError with the mistakes of all files in one message.
    """
    try:
        return read_links(link_texts(folder))
    except BadLinks as error:
        raise ConfigurationError(
            f"these links are not valid ({folder / LINKS}):\n  " + "\n  ".join(str(error).split("\n"))
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{folder / LINKS} cannot be read: {error}") from error


@cache
def shipped_links() -> Links:
    """Those that come with the software."""
    return load_links(POLICY_FOLDER)
