"""The page of a conformance report, its signature, and what `kakehashi conformance verify` refuses."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exchange.authority.private_key import make_key
from exchange.authority.sensor_keys import SensorKey, sensor_entry
from exchange.errors import Exit
from kakehashi.conformance.page import BEGIN
from producers.conformance.standard import standard
from schemas.signing import public_of
from tests.docs.pages import ROOT
from tests.kakehashi.conforming import ENERGY, GOOD, LINE, code, run


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.csv"
    path.write_text(GOOD, "utf-8")
    return path


class Parsed(HTMLParser):
    """The tags of a page, its texts, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Remember it."""
        self.texts.append(data)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_loads_nothing_runs_nothing_and_can_be_read_by_all(feed: Path, tmp_path: Path, language: str) -> None:
    feed.write_text(GOOD.replace("TLP:AMBER", ""), "utf-8")
    path = tmp_path / "report.html"
    run(feed, *ENERGY, "--html", path, "--lang", language)
    parsed = Parsed(path.read_text("utf-8"))
    assert {tag for tag, _ in parsed.tags}.isdisjoint({"img", "link", "iframe", "object", "form", "input", "base"})
    for tag, attributes in parsed.tags:
        assert not {"src", "onclick", "style"} & attributes.keys()
        assert (attributes.get("href") or "#").startswith("#")
        assert tag != "script" or attributes["type"] == "application/json"
    by_tag = dict(parsed.tags)
    assert by_tag["html"]["lang"] == language
    assert [tag for tag, _ in parsed.tags].count("h1") == 1
    heads = [attributes for tag, attributes in parsed.tags if tag == "th"]
    assert heads
    assert all(each.get("scope") in ("col", "row") for each in heads)
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    linked = {str(each["href"])[1:] for tag, each in parsed.tags if tag == "a"}
    assert linked <= set(ids)
    assert linked > {"results"}
    for each in standard().requirements:
        assert each.id in ids


SENTENCE = re.compile(r"\b[a-z]+(?: [a-z]+){2,}")
CITED = re.compile(r"STIX 2\.1, [^;]+|kakehashi conformance verify[^;]*")


def test_the_japanese_page_has_no_english_sentence(feed: Path, tmp_path: Path) -> None:
    feed.write_text(GOOD + "domain,bad..example,TLP:PURPLE,,,,,,,\nip,192.0.2.1,,,,,,,,\n", "utf-8")
    path = tmp_path / "report.html"
    for profile in ("energy", "technology"):
        run(feed, "--profile", profile, "--html", path, "--lang", "ja", "--aware-at", "2h", "--ransom-paid-at", "2h")
        texts = Parsed(path.read_text("utf-8").partition("<body>")[2].partition(BEGIN)[0]).texts
        assert [text for text in texts if SENTENCE.search(CITED.sub("", text))] == []
        assert any("共同の共有委員会" in text for text in texts)
        assert any("影響を及ぼし得るか、利用者" in text for text in texts)


def _luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of ``#rrggbb``."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_text_has_the_contrast_that_wcag_demands_in_both_schemes() -> None:
    """Success criterion 1.4.3, level AA: 4.5 to 1 on the page's and on the boxes' background."""
    style = (ROOT / "kakehashi" / "conformance" / "page.css").read_text("utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6})", text)) for text in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 2
    for colours in schemes:
        for text in ("ink", "soft", "link", "good", "bad", "doubt", "none"):
            for back in ("back", "pale"):
                dark, light = sorted(_luminance(colours[name]) for name in (text, back))
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, back)


def test_what_a_file_is_called_cannot_change_the_page(tmp_path: Path) -> None:
    path = tmp_path / "<script>alert(1)<!--&\u202e.csv"
    path.write_text(GOOD, "utf-8")
    page = tmp_path / "report.html"
    run(path, *ENERGY, "--html", page)
    text = page.read_text("utf-8")
    assert "<script>alert" not in text
    assert "\u202e" not in text.partition(BEGIN)[0]
    assert text.count("<script") == 1


@pytest.fixture
def signed(feed: Path, tmp_path: Path) -> tuple[Path, Path, dict[str, str]]:
    """A report as a page and as JSON, signed by a sensor of the roster."""
    key = make_key(tmp_path / "edge-1.key")
    officers = tmp_path / "officers"
    officers.mkdir()
    (officers / "GBR.toml").write_text(sensor_entry(SensorKey("edge-1", public_of(key))), "utf-8")
    page = tmp_path / "report.html"
    line = run(feed, *ENERGY, "--html", page, "--sign-key", tmp_path / "edge-1.key", "--json").stdout
    (tmp_path / "report.json").write_text(line, "utf-8")
    return page, tmp_path / "report.json", {"KAKEHASHI_OFFICERS": str(officers)}


def test_a_report_is_verified_with_its_key_its_page_and_its_feed(
    signed: tuple[Path, Path, dict[str, str]], feed: Path
) -> None:
    page, line, environ = signed
    for report in (page, line):
        result = run("verify", report, feed, "--nation", "GBR", **environ)
        assert (code(result), "WRONG" in result.stdout) == (Exit.OK, False)
        assert "by the sensor edge-1" in result.stdout
        assert "SHA-256" in result.stdout
    assert "was not compared" in run("verify", line, "--nation", "GBR", **environ).stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (BEGIN, BEGIN + "</script>" + BEGIN, "does not hold one report"),
        (BEGIN, BEGIN + "{", "is no conformance report"),
        ("Every must that this input can show is met.", "Every must is met.", "it is not what its report states"),
        ('"outcome":"met-as-far-as-judged"', '"outcome":"met"', "it is not what its report states"),
        ("✓", "✗", "it is not what its report states"),
        ("</body>", "<p>Approved by the regulator</p></body>", "it is not what its report states"),
    ],
)
def test_a_page_that_was_changed_is_refused(
    signed: tuple[Path, Path, dict[str, str]], feed: Path, old: str, new: str, why: str
) -> None:
    page, _, environ = signed
    text = page.read_text("utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1), "utf-8")
    result = run("verify", page, feed, "--nation", "GBR", **environ)
    assert (code(result), why in result.stdout) == (Exit.REFUSED, True)


def test_a_report_that_was_changed_or_is_by_no_one_known_is_refused(
    signed: tuple[Path, Path, dict[str, str]], feed: Path, tmp_path: Path
) -> None:
    _, line, environ = signed
    original = line.read_text("utf-8")
    line.write_text(original.replace('"failed":0', '"failed":1', 1), "utf-8")
    changed = run("verify", line, feed, "--nation", "GBR", **environ)
    assert (code(changed), "it was changed" in changed.stdout) == (Exit.REFUSED, True)
    line.write_text(original, "utf-8")
    stranger = run("verify", line, feed, "--nation", "JPN", **environ)
    assert (code(stranger), "of no one on JPN's roster" in stranger.stdout) == (Exit.REFUSED, True)
    roster = Path(environ["KAKEHASHI_OFFICERS"]) / "GBR.toml"
    roster.write_text(roster.read_text("utf-8") + "revoked = 2999-01-01\n", "utf-8")
    revoked = run("verify", line, feed, "--nation", "GBR", **environ)
    assert (code(revoked), "is revoked" in revoked.stdout) == (Exit.REFUSED, True), "its time is its own word"
    unsigned = tmp_path / "unsigned.json"
    unsigned.write_text(run(feed, *ENERGY, "--json").stdout, "utf-8")
    nothing = run("verify", unsigned, feed, "--nation", "GBR", **environ)
    assert (code(nothing), "it proves nothing" in nothing.stdout) == (Exit.REFUSED, True)


def test_a_report_of_another_format_names_the_software_that_verifies_it(
    signed: tuple[Path, Path, dict[str, str]], feed: Path
) -> None:
    _, line, environ = signed
    report = json.loads(line.read_text("utf-8"))
    report["report"] |= {"format_version": 1, "software": "kakehashi 0.0.9", "of_then": True}
    line.write_text(json.dumps(report), "utf-8")
    result = run("verify", line, feed, "--nation", "GBR", **environ)
    assert code(result) == Exit.REFUSED
    assert "of version 1, and this software reads version 2: verify it with kakehashi 0.0.9" in result.stdout


def test_a_feed_that_was_changed_left_out_or_added_is_refused(
    signed: tuple[Path, Path, dict[str, str]], feed: Path, tmp_path: Path
) -> None:
    page, _, environ = signed
    other = tmp_path / "other.csv"
    other.write_text(GOOD + LINE, "utf-8")
    for files in ((other,), (feed, other)):
        result = run("verify", page, *files, "--nation", "GBR", **environ)
        assert (code(result), "is not one of the report's files" in result.stdout) == (Exit.REFUSED, True)
    assert "was not given" in run("verify", page, other, "--nation", "GBR", **environ).stdout


def test_a_key_can_be_named_instead_of_a_roster(signed: tuple[Path, Path, dict[str, str]], feed: Path) -> None:
    page, _, environ = signed
    entry = (Path(environ["KAKEHASHI_OFFICERS"]) / "GBR.toml").read_text("utf-8")
    key = entry.partition('key = "')[2].partition('"')[0]
    assert code(run("verify", page, feed, "--public-key", key)) == Exit.OK
    assert code(run("verify", page, feed, "--public-key", "ed25519:AAAA")) == Exit.USAGE
    assert code(run("verify", page, feed)) == Exit.USAGE
