"""The joint standard's two pages say the same under the same numbers, and what their data says."""

import re
from typing import Final

import pytest

from kakehashi.conformance.words import LANGUAGES, LEVELS
from producers.conformance.standard import standard
from tests.docs.pages import tables, tokens
from tools.standard import FOLDER, PAGES, SCHEMAS, page_with_data

NUMBER: Final = re.compile(r"KKH-[A-Z]{3}-\d{2}")
JAPANESE: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def levels(language: str) -> dict[str, str]:
    """Each requirement's level as its page has it, in English."""
    english = {words.of(language): str(level) for level, words in LEVELS.items()}
    rows = [row for rows in tables(PAGES[language]) if len(rows[0]) == 6 for row in rows[1:]]
    found = [(row[0], english[row[1]]) for row in rows if NUMBER.fullmatch(row[0])]
    assert len(dict(found)) == len(found), "a number is there once"
    return dict(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_what_its_data_says(language: str) -> None:
    text = PAGES[language].read_text("utf-8")
    assert page_with_data(text, language) == text, "run `make standard`"
    assert f"| {standard().version} |" in text


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_that_of_the_code(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == SCHEMAS[name](), "run `make standard`"


def test_both_languages_have_the_same_requirements_with_the_same_levels() -> None:
    assert levels("en") == levels("ja") == {each.id: str(each.level) for each in standard().requirements}


def test_both_languages_have_the_same_chapters_tables_and_lists() -> None:
    shapes = {}
    for language in LANGUAGES:
        parsed = tokens(PAGES[language])
        headings = [parsed[at + 1].content.split()[0] for at, each in enumerate(parsed) if each.type == "heading_open"]
        lists = sum(each.type == "list_item_open" for each in parsed)
        sizes = [(len(rows), len(rows[0])) for rows in tables(PAGES[language])]
        shapes[language] = (headings[1:], lists, sizes)
    assert shapes["en"] == shapes["ja"]


def test_each_sentence_of_the_standard_is_in_both_languages() -> None:
    for each in standard().requirements:
        for text in (each.text, each.why, each.remedy):
            assert text.en.rstrip('".').isascii() or "…" in text.en, text.en
            assert text.en.endswith("."), text.en
            assert JAPANESE.search(text.ja), text.ja
            assert text.ja.endswith(("。", "ため。")), text.ja


def test_a_page_without_its_comments_is_refused() -> None:
    text = PAGES["en"].read_text("utf-8").replace("<!-- end of clocks -->", "")
    with pytest.raises(ValueError, match="clocks"):
        page_with_data(text, "en")
