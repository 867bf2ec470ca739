"""Names the encoding of bytes that are not in the stated one, only if following the advice cannot lose a marking.

Many byte strings are valid in several encodings. Read in the wrong one, a caveat becomes unknown letters.
So an encoding is named only if the text that it gives is plausible and no other's is; otherwise the operator is advised
to ask the source. Sources: JIS X 0208 (EUC and Shift-JIS), Windows code page 932, RFC 1468 (ISO-2022-JP), ISO 8859-1.
"""

import re
from itertools import groupby
from typing import Final

_ESCAPES: Final = re.compile("\x1b[$(]")  # RFC 1468: they switch character sets, and are valid ASCII
_C1_CONTROLS: Final = re.compile("[\x80-\x9f]")
_HALF_WIDTH: Final = range(0xFF61, 0xFFA0)
_KANA: Final = range(0x3041, 0x30FF)
_KANJI: Final = range(0x4E00, 0xA000)
# Punctuation, enclosed and full-width forms that Japanese text has beside kana and kanji.
_OTHERS: Final = (range(0x2010, 0x2700), range(0x3000, 0x3041), range(0x3200, 0x3400), range(0xFF01, 0xFF61))
_LONGEST_LATIN_RUN: Final = 2


def advice_on(content: bytes) -> str:
    """What to do about bytes that are not in the stated encoding, to be appended to a message."""
    found = _encoding_of(content)
    if found is None:
        return "; ask its source for the encoding, and state it with --encoding"
    encoding, name = found
    return f"; it can be read with --encoding {encoding} ({name})"


def misread(text: str, encoding: str) -> str:
    """Why decoded text shows that the encoding is wrong; empty if it does not."""
    if "\x1b" in text and _ESCAPES.search(text) and not encoding.lower().replace("-", "_").startswith("iso2022"):
        return "it has the escape sequences of ISO-2022-JP; it can be read with --encoding iso2022_jp"
    if encoding.lower().replace("_", "-") not in ("utf-8", "utf8") and _C1_CONTROLS.search(text):
        return f"as {encoding} it has control characters, so it is in another encoding"
    return ""


def _encoding_of(content: bytes) -> tuple[str, str] | None:
    euc, sjis = _decoded(content, "euc_jp"), _decoded(content, "cp932")
    if euc is not None and _is_japanese(euc) and any(ord(each) in _KANA for each in euc):
        return "euc_jp", "EUC-JP"
    if sjis is not None and _is_japanese(sjis):
        only_half_width = all(each.isascii() or ord(each) in _HALF_WIDTH for each in sjis)
        return None if only_half_width and euc is not None else ("cp932", "Shift-JIS of Windows")
    if euc is not None and _is_japanese(euc):
        return "euc_jp", "EUC-JP"
    runs = [len(list(run)) for is_high, run in groupby(content, lambda byte: byte > 0x7F) if is_high]
    if max(runs, default=0) <= _LONGEST_LATIN_RUN and not any(0x80 <= byte < 0xA0 for byte in content):
        return "latin-1", "Latin-1"
    return None


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_japanese(text: str) -> bool:
    """Whether all letters beside ASCII are of Japanese text, and at least two of them stand together."""
    if not all(each.isascii() or _is_japanese_letter(each) for each in text):
        return False
    runs = [list(run) for is_ascii, run in groupby(text, str.isascii) if not is_ascii]
    return any(len(run) > (_LONGEST_LATIN_RUN if ord(run[0]) in _HALF_WIDTH else 1) for run in runs) or any(
        ord(each) in _KANA for each in text
    )


def _is_japanese_letter(letter: str) -> bool:
    code = ord(letter)
    return any(code in block for block in (_KANJI, _KANA, _HALF_WIDTH, *_OTHERS))
