"""Takes the mails of a Maildir as reports in prose, each once: ``maildir:/FOLDER``, with folders ``new`` and ``cur``.

A mail is taken once the reviewed list names it (``produce --dry-run --json`` writes the list); until then it waits in
``new``. When its reports are durable it is moved to ``cur`` as seen. A run that was killed between the two finds it
again, and knows it by its content. The list is read at each look, so it may grow while the Maildir is followed.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationError
from producers.disk import writing
from producers.live.documents import Document, LiveInput
from producers.reviewed import reviewed_files

SCHEMES: Final = ("maildir:",)
_SEEN: Final = ":2,S"


def delivered(place: LiveInput) -> Generator[Document, None, None]:
    """The mails in ``new``, in the order of their names; one is moved away once it was read.

    Raises ConfigurationError if it is no Maildir, or without a reviewed list, but for a dry run; TransientError if a
    mail cannot be moved.
    """
    folder = Path(place.address.partition(":")[2])
    new, seen = folder / "new", folder / "cur"
    if not new.is_dir() or not seen.is_dir():
        raise ConfigurationError(f"{folder} is no Maildir: it has no folders new and cur")
    if place.is_rehearsal:
        yield from map(Document, _mails(new))
        return
    if place.reviewed is None:
        raise ConfigurationError(
            f"of the mails in {folder} nothing is published without a review: write the list with --dry-run --json, "
            "remove what is no indicator, and name it with --reviewed"
        )
    reviewed = reviewed_files(place.reviewed)
    for mail in _mails(new):
        if mail.name in reviewed:
            yield Document(mail, reviewed=reviewed[mail.name])
            with writing(mail):
                mail.rename(seen / (mail.name if ":2," in mail.name else f"{mail.name}{_SEEN}"))


def _mails(new: Path) -> list[Path]:
    with writing(new):
        return sorted(each for each in new.iterdir() if each.is_file() and not each.name.startswith("."))
