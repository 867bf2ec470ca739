"""Undoes defanging, the marks that people put into an indicator so that no one clicks on it.

``hxxp``, ``[.]``, ``(dot)``, ``[at]``, ``[:]//`` and their kin have no standard and no library that meets
these requirements: linear time, and not a character changed that could have been meant.
"""

import re
from typing import Final

_OPEN: Final = r" ?[\[({] ?"
_CLOSE: Final = r" ?[\])}] ?"
# Every quantifier is bounded, so matching is linear in the text.
_MARK: Final = re.compile(
    rf"\.?{_OPEN}(?P<dot>\.|dot){_CLOSE}"
    rf"|{_OPEN}(?:(?P<at>@|at)|(?P<punctuation>:|://|:/|//|/)){_CLOSE}"
    r"|(?P<half>\[\.|\.\])"
    r"|\\(?P<escaped>[./])",
    re.IGNORECASE | re.ASCII,
)
_NAME_MARK: Final = re.compile(rf"{_OPEN}(?:\.|dot){_CLOSE}", re.IGNORECASE | re.ASCII)
_AUTHORITY_ENDS: Final = "/?#\\"
_SCHEMES: Final = {
    **dict.fromkeys(("hxxp", "hxtp", "htxp", "h**p", "h__p", "h--p", "hxxx", "hppt", "htpp"), "http"),
    **dict.fromkeys(("hxxps", "hxtps", "htxps", "h**ps", "h__ps", "h--ps", "hxxxs"), "https"),
    **dict.fromkeys(("fxp", "f*p"), "ftp"),
    **dict.fromkeys(("fxps", "f*ps"), "ftps"),
    "sfxp": "sftp",
    "txp": "tcp",
    "wxs": "wss",
}


def _meaning(mark: re.Match[str]) -> str:
    if mark["dot"] or mark["half"]:
        return "."
    if mark["at"]:
        return "@"
    return mark["punctuation"] or mark["escaped"]


def _may_be_marked(text: str) -> bool:
    """Whether any of the characters is there without which there is no mark."""
    return "[" in text or "(" in text or "\\" in text or "]" in text or "{" in text


def refanged(text: str) -> str:
    """For types whose canonical form has no brackets and no backslashes: every mark is one."""
    return _MARK.sub(_meaning, text) if _may_be_marked(text) else text


def refanged_name(text: str) -> str:
    """For file names, where brackets and backslashes may be meant: a bracketed dot alone is a mark."""
    return _NAME_MARK.sub(".", text)


def refanged_url(text: str) -> str:
    """A URL with its scheme spelt right, and its marks taken back if they can only be marks.

    In a scheme or a host no mark is part of a valid URL (``[::1]`` is not a mark, and a backslash is a
    validation error in the URL Standard), and whoever put one there put them everywhere. Behind a host that
    is untouched, brackets are the URL's own.
    """
    mark = _MARK.search(text) if _may_be_marked(text) else None
    before = text if mark is None else text[: mark.start()]
    scheme, colon, rest = before.partition(":")
    if mark is not None:
        host = rest.lstrip("/\\") if colon else before
        in_path = any(end in host for end in _AUTHORITY_ENDS)
        if not in_path or scheme.strip().lower() in _SCHEMES:
            text = refanged(text)
    scheme, colon, rest = text.partition(":")
    repaired = _SCHEMES.get(scheme.strip().lower())
    return f"{repaired}:{rest}" if repaired is not None and colon else text
