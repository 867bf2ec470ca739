"""Text in the form in which the words of markings are compared.

Folded are: compatibility forms (full-width), case, look-alike letters of other scripts, accents, invisible characters,
and everything between words. So ``ＴＬＰ：ＲＥＤ``, ``tlp‑red`` with a non-breaking hyphen, ``"TLP.Red"`` and
``ТLР RЕD`` with Cyrillic letters are all the words ``tlp red``.
"""

import html
import re
import unicodedata
from typing import Final

from producers.markings.remembered import remembered
from producers.markings.taxonomy import lookalikes

_WORD: Final = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+")
_SPELLED: Final = re.compile(r"(?<![^\s])(?:[a-z0-9] ){2,}[a-z0-9](?![^\s])")
_LOOKALIKES: Final = {ord(other): letter for letter, others in lookalikes().items() for other in others}
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Me", "Cs", "Co", "Cn"})


@remembered(65_536)
def folded(text: str) -> str:
    """The same text in lower case, without width, accents, look-alikes and invisible characters.

    Character references of HTML and XML are decoded: ``&#37096;&#22806;&#31192;`` is 部外秘.
    """
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LOOKALIKES)
    return "".join(letter for character in plain for letter in _bare(character))


def _bare(character: str) -> str:
    """A Latin letter without its accent; empty for invisible characters; Japanese unchanged."""
    if unicodedata.category(character) in _INVISIBLE:
        return ""
    base = unicodedata.normalize("NFD", character)[0]
    return base if base.isascii() else character


@remembered(65_536)
def words(text: str) -> tuple[str, ...]:
    """The words of a text, folded. Latin ones end at another script; spelled ones (``T.L.P``) are joined."""
    line = " ".join(_WORD.findall(folded(text)))
    return tuple(_SPELLED.sub(lambda found: found[0].replace(" ", ""), line).split())
