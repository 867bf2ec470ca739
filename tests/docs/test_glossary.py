"""The glossary has one entry for each thing, in both languages, and covers the words of the contract."""

import re
from typing import Final

from schemas.vocabulary import CommandKind, Outcome, RecordKind
from tests.docs.pages import ROOT, tables

PAGE: Final = ROOT / "docs" / "glossary.md"
HEAD: Final = ["term", "日本語", "meaning", "from", "not"]
JAPANESE: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
ENDS: Final = {"expired": "expire", "revoked": "revoke", "recalled": "recall"}


def entries() -> list[list[str]]:
    """The rows of all tables of the page."""
    found = tables(PAGE)
    assert all(rows[0] == HEAD for rows in found)
    return [row for rows in found for row in rows[1:]]


def test_no_term_has_two_entries_in_either_language() -> None:
    for column in (0, 1):
        terms = [row[column] for row in entries()]
        assert len(set(terms)) == len(terms)


def test_every_term_is_defined_in_english_and_in_japanese() -> None:
    for term, japanese, meaning, _, _ in entries():
        english, _, translated = meaning.partition("<br>")
        assert english.endswith("."), term
        assert JAPANESE.search(japanese), term
        assert translated.endswith("。"), term


def test_no_term_is_a_word_to_avoid_for_itself() -> None:
    for term, _, _, _, avoided in entries():
        assert term.strip("*") not in avoided.split(", ")


def test_the_words_of_the_contract_have_entries() -> None:
    terms = {row[0].strip("*") for row in entries()}
    kinds = {ENDS.get(kind, str(kind)) for kind in RecordKind}
    assert kinds | {*map(str, Outcome)} | {*map(str, CommandKind)} <= terms
