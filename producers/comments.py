"""Which lines of a list are comments."""

from typing import Final

# Of any script, and characters without a width.
_BLANKS: Final = "".join(filter(str.isspace, map(chr, range(0x3001)))) + "\u200b\u2060\ufeff"
_SIGNS: Final = ("#", "//")


def is_comment(text: str, signs: tuple[str, ...] = _SIGNS) -> bool:
    """Whether a line is a comment, also behind blanks of any kind."""
    return not "0" <= text[:1] <= "~" and text.lstrip(_BLANKS).startswith(signs)


def is_blank(text: str) -> bool:
    """Whether nothing of a line is visible."""
    return not text.strip(_BLANKS)
