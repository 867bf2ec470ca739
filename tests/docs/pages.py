"""The project's pages as a reader finds them: their links, code, and tables, by a Markdown parser."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = tuple(
    sorted(
        path
        for pattern in ("*.md", "docs/**/*.md", "policy/README.md", "helm/README.md", "tests/feeds/README.md")
        for path in ROOT.glob(pattern)
    )
)
_MARKDOWN: Final = MarkdownIt("commonmark").enable("table")
_SHELL: Final = ("sh", "console")
_CONTROL: Final = frozenset("|&;()")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code. ``line`` is where it begins in its page, from 1."""

    language: str
    text: str
    line: int


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    """The page, parsed; inline content follows its block."""
    parsed: list[Token] = []
    for token in _MARKDOWN.parse(page.read_text("utf-8")):
        parsed.append(token)
        parsed.extend(token.children or ())
    return tuple(parsed)


def blocks(page: Path) -> list[Block]:
    """All fenced blocks."""
    return [
        Block(token.info.strip(), token.content, (token.map or [0])[0] + 1)
        for token in tokens(page)
        if token.type == "fence"
    ]


def code_spans(page: Path) -> list[str]:
    """What stands in backticks within the text."""
    return [token.content for token in tokens(page) if token.type == "code_inline"]


def links(page: Path) -> list[str]:
    """The targets of all links and pictures."""
    found = [token.attrGet("href") or token.attrGet("src") for token in tokens(page) if token.type in _LINKS]
    return [str(target) for target in found if target]


_LINKS: Final = ("link_open", "image")


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings: lower case, punctuation gone, blanks as hyphens."""
    parsed = tokens(page)
    headings = [parsed[at + 1].content for at, token in enumerate(parsed) if token.type == "heading_open"]
    return {_anchor(heading.replace("`", "")) for heading in headings}


def _anchor(heading: str) -> str:
    kept = (character for character in heading.lower() if character.isalnum() or character in " -_")
    return "".join(kept).strip().replace(" ", "-")


def tables(page: Path) -> list[list[list[str]]]:
    """All tables: rows of cells as they are written, the head first."""
    found: list[list[list[str]]] = []
    for at, token in enumerate(parsed := tokens(page)):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("td_open", "th_open"):
            found[-1][-1].append(parsed[at + 1].content)
    return found


def table(page: Path, *head: str) -> list[list[str]]:
    """The rows of the one table with these head cells."""
    (found,) = (rows for rows in tables(page) if rows[0][: len(head)] == list(head))
    return found[1:]


def shell_commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """Every simple command of the page's shell blocks, with the line of its block.

    In a ``console`` block these are the lines after ``$ ``; the rest is what the command says.
    """
    for block in blocks(page):
        if block.language in _SHELL:
            lines = _joined(block.text)
            if block.language == "console":
                lines = [line[2:] for line in lines if line.startswith("$ ")]
            for line in _without_documents(lines):
                for command in simple_commands(line):
                    yield block.line, command


def _joined(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def _without_documents(lines: list[str]) -> Iterator[str]:
    """The lines that are commands: what stands between ``<<END`` and ``END`` is data."""
    end = ""
    for line in lines:
        if end:
            end = "" if line == end else end
            continue
        yield line
        _, here, word = line.partition("<<")
        end = word.split()[0] if here else ""


def simple_commands(line: str) -> Iterator[list[str]]:
    """The simple commands of one line of shell, without assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    stream = iter(lexer)
    for word in stream:
        if set(word) <= _CONTROL:
            yield from _started(words)
            words = []
        elif set(word) <= _CONTROL | set("<>"):
            next(stream, None)  # the file
            if words and words[-1].isdigit():
                words.pop()  # the file's number
        else:
            words.append(word)
    yield from _started(words)


def _started(words: list[str]) -> Iterator[list[str]]:
    while words and "=" in words[0] and words[0].partition("=")[0].isidentifier():
        words = words[1:]
    if words:
        yield words
