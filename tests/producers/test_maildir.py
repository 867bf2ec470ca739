"""A watched Maildir: a mail is read once it was reviewed, exactly once, whatever happens."""

import json
import signal
from pathlib import Path

import pytest

from exchange.errors import ConfigurationError, Exit
from producers.live import maildir
from producers.live.documents import LiveInput
from tests.kakehashi.command import kakehashi
from tests.polling import eventually
from tests.producers.following import Follower


def a_mail(*values: str) -> str:
    return "From: analyst@example.com\nTo: desk@example.com\nSubject: made up\n\n" + "\n".join(values) + "\n"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for name in ("new", "cur", "tmp"):
        (tmp_path / "mail" / name).mkdir(parents=True)
    return tmp_path / "mail"


def reviewed(folder: Path, **values: list[str]) -> None:
    """The list: of each mail the values that a person agrees to."""
    lines = [
        json.dumps({"file": f"/mail/new/{name}", "value": value, "outcome": "release" if value else "skip"})
        for name, agreed in values.items()
        for value in (*agreed, None)
    ]
    (folder / "reviewed.part").write_text("\n".join(lines) + "\n")
    (folder / "reviewed.part").rename(folder / "reviewed")


def test_a_mail_waits_for_its_review_and_is_then_read_once_over_kills(box: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    reviewed(folder)
    (box / "new" / "m1").write_text(a_mail("hxxp://a[.]example[.]com/", "hxxp://b[.]example[.]com/"))
    (box / "new" / "m2").write_text(a_mail("hxxp://a[.]example[.]com/"))
    follower = Follower(folder, f"maildir:{box}")
    with follower:
        reviewed(folder, m1=["http://a.example.com/"])
        follower.waits_for(1)
        follower.end(signal.SIGKILL)
        reviewed(folder, m1=["http://a.example.com/"], m2=[])
        follower.start()
        eventually(lambda: not list((box / "new").iterdir()), 20, "both mails were moved")
        follower.end()
    assert follower.values() == ["hxxp://a[.]example[.]com/"]
    assert sorted(path.name for path in (box / "cur").iterdir()) == ["m1:2,S", "m2:2,S"]


def test_a_mail_that_was_read_and_not_moved_does_not_count_again(box: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    reviewed(folder, m1=["http://a.example.com/"])
    follower = Follower(folder, f"maildir:{box}")
    for _ in range(2):
        (box / "new" / "m1").write_text(a_mail("hxxp://a[.]example[.]com/"))  # as if the rename had not happened
        with follower:
            eventually(lambda: not list((box / "new").iterdir()), 20, "the mail was moved")
            follower.end()
    assert follower.values() == ["hxxp://a[.]example[.]com/"]


def test_a_dry_run_shows_the_mails_and_leaves_them(box: Path, tmp_path: Path) -> None:
    (box / "new" / "m1").write_text(a_mail("hxxp://a[.]example[.]com/"))
    given = ("produce", "--nation", "GBR", "--sensor", "desk", "--dry-run", "--json", f"maildir:{box}")
    shown = kakehashi(*given, within=tmp_path)
    assert shown.returncode == Exit.OK, shown.stderr
    pieces = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [piece["value"] for piece in pieces if piece["value"]] == ["http://a.example.com/"]
    assert {Path(piece["file"]).name for piece in pieces} == {"m1"}
    assert [path.name for path in (box / "new").iterdir()] == ["m1"]


def test_what_is_no_maildir_or_has_no_review_is_stated(box: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no Maildir"):
        list(maildir.delivered(LiveInput(f"maildir:{tmp_path}", tmp_path / "in")))
    with pytest.raises(ConfigurationError, match="without a review"):
        list(maildir.delivered(LiveInput(f"maildir:{box}", tmp_path / "in")))
