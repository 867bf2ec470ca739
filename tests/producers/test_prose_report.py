"""Reports in prose: what their author has marked as dangerous, nothing of the rest, and nothing without a review."""

import json
import re
from email.message import EmailMessage
from pathlib import Path

import pytest

from exchange.errors import ConfigurationError, Refused
from producers.readers.reading import Defaults
from producers.reviewed import reviewed_values
from producers.spool.spool import Spool
from schemas.vocabulary import RejectReason
from tests.producers.producing import run, values_in
from tests.producers.reading_feeds import FEEDS, left_out, observations, readings, recorded, refusals

FORMAT = "prose-report"


def found_in(text: str, **defaults: object) -> list[str]:
    return [row.value for row in observations(readings(FORMAT, text.encode(), **defaults))]


@pytest.mark.parametrize("file", ["keydnap.adoc", "bandook.adoc"])
def test_a_recorded_report_gives_its_defanged_values_and_hashes_and_none_of_its_links(file: str) -> None:
    text = (FEEDS / "report" / file).read_text("utf-8")
    defanged = set(re.findall(r"hxxps?://[^\s|`\"]+|[\w.-]+\[\.\][\w-]+(?::\d+)?", text))
    hashes = set(re.findall(r"\b[0-9a-fA-F]{40}\b", text))
    found = observations(recorded(f"report/{file}", FORMAT))
    assert {row.value for row in found if row.kind.label == "file-sha1"} == hashes
    others = {row.value.rstrip("/") for row in found if row.kind.label != "file-sha1"}
    assert others == {value.rstrip("/") for value in defanged}
    assert not [row for row in found if "welivesecurity" in row.value or "github" in row.value]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It calls hxxp://bad[.]example[.]com/a.php, then stops.", ["hxxp://bad[.]example[.]com/a.php"]),
        ("(198.51.100[.]7)", ["198.51.100[.]7"]),
        ("| `bad[.]example[.]com` | c2 |", ["bad[.]example[.]com"]),
        ("**bad[.]example[.]com**", ["bad[.]example[.]com"]),
        ("mail from bad[at]example[.]com", ["bad[at]example[.]com"]),
        ("C2は「bad[.]example[.]com」です。", ["bad[.]example[.]com"]),
        ("see https://www.example.com/report", []),
        ("our resolver 192.0.2.53 answers", []),
        ("an array a[.] of things", []),
        ("sha256 " + "0" * 64, ["0" * 64]),
    ],
)
def test_a_value_is_taken_if_it_is_defanged_or_a_hash_of_a_file(text: str, expected: list[str]) -> None:
    assert found_in(f"# made up\n{text}\n") == expected


def test_a_bare_md5_may_be_something_else_and_is_taken_if_its_type_is_stated() -> None:
    [refused] = refusals(readings(FORMAT, b"# x\n" + b"0" * 32 + b"\n"))
    assert refused.reason is RejectReason.UNKNOWN_TYPE
    assert found_in("# x\n" + "0" * 32 + "\n", columns=("md5",)) == ["0" * 32]


def test_each_value_counts_once_at_its_first_position() -> None:
    found = readings(FORMAT, b"# x\nbad[.]example[.]com\n\nhere bad.example[.]com again\n")
    assert [(row.place.line, row.observation.value) for row in found if hasattr(row, "observation")] == [
        (2, "bad[.]example[.]com")
    ]
    assert "repeated" in {piece.rule for piece in left_out(found)}


def test_of_a_page_only_what_is_seen_is_read() -> None:
    page = (
        "<!DOCTYPE html><html><head><script>var a = 'evil[.]example[.]org'</script>"
        '<style>.x { background: "evil[.]example[.]org" }</style></head>\n<body><p>It calls bad[.]<b>example</b>[.]com'
        '</p>\n<p>and <a href="http://evil.example.org">198.51.100[.]7</a></p></body></html>'
    )
    found = readings(FORMAT, page.encode())
    assert [row.value for row in observations(found)] == ["bad[.]example[.]com", "198.51.100[.]7"]


def a_mail(subject: str, body: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["Subject"] = "analyst@example.com", subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    message.add_attachment(b"evil[.]example[.]org", maintype="application", subtype="pdf", filename="a.pdf")
    return message.as_bytes()


def test_of_a_mail_its_text_is_read_and_its_attachments_are_counted() -> None:
    found = readings(FORMAT, a_mail("made up", "それは bad[.]example[.]com と通信する。\n"))
    assert [row.value for row in observations(found)] == ["bad[.]example[.]com"]
    assert [piece.detail for piece in left_out(found) if piece.rule == "attachment"] == ["a.pdf"]


@pytest.mark.parametrize(
    "content",
    [
        a_mail("[TLP:RED] made up", "bad[.]example[.]com"),
        a_mail("made up", "TLP:RED\n\nbad[.]example[.]com"),
        a_mail("made up", "bad[.]example[.]com", X_TLP="red"),
        b'<html><head><meta name="tlp" content="red"></head><body>bad[.]example[.]com</body></html>',
        b"<html><!-- TLP:RED --><body>bad[.]example[.]com</body></html>",
        b"# made up\nbad[.]example[.]com\n\nTLP:RED\n",
    ],
)
def test_a_marking_anywhere_in_a_report_counts_for_all_of_it(content: bytes) -> None:
    [seen] = observations(readings(FORMAT, content))
    assert seen.marking.tlp == "TLP:RED"


def test_nothing_is_published_without_a_review_and_only_what_was_agreed_to(sensor_spool: Spool, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    report.write_text("# x\nbad[.]example[.]com and harmless[.]example[.]org\n")
    [unreviewed] = run(sensor_spool, report).unreviewed
    assert "without a review" in unreviewed
    with pytest.raises(Refused, match="without a review"):
        run(sensor_spool, report, snapshot="all that it asserts")
    assert values_in(sensor_spool) == []
    summary = run(sensor_spool, report, defaults=Defaults(reviewed=frozenset({"bad.example.com"})))
    assert values_in(sensor_spool) == ["bad[.]example[.]com"]
    assert summary.left_out["not-reviewed"] == 1


def test_the_reviewed_list_is_a_line_each_or_what_a_dry_run_prints(tmp_path: Path) -> None:
    path = tmp_path / "list"
    pieces = [
        {"value": "bad.example.com", "outcome": "release"},
        {"value": "worse.example.com", "outcome": "hold"},
        {"value": "", "outcome": "skip"},
    ]
    path.write_text("# agreed\nhxxp://bad[.]example[.]com/a\n" + "\n".join(map(json.dumps, pieces)) + "\n")
    assert reviewed_values(path) == {"http://bad.example.com/a", "bad.example.com", "worse.example.com"}
    path.write_text("not a value\n")
    with pytest.raises(ConfigurationError, match=":1:"):
        reviewed_values(path)


def test_text_in_another_encoding_and_a_report_without_an_end_are_refused_whole() -> None:
    [refused] = refusals(readings(FORMAT, "# 報告\nbad[.]example[.]com\n".encode("cp932")))
    assert refused.reason is RejectReason.UNREADABLE_LINE
    [too_large] = refusals(readings(FORMAT, b"# x\n" * (5 << 20)))
    assert too_large.reason is RejectReason.TOO_LARGE
