"""Reads the links: ``policy/links/<nation>/<partner>.toml`` is the agreement of ``nation`` with ``partner``.

A nation without a link file is no partner: nothing is released to it, and nothing of it is taken.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.agreement import Agreement
from schemas.codec import LATER_RELEASES, RECEIPT, RELEASED_INDICATOR
from schemas.markings import NATIONAL_EYES_ONLY, Caveat, Tlp

POLICY_FOLDER: Final = Path(__file__).resolve().parents[1] / "policy"
LINKS: Final = "links"
SUFFIX: Final = ".toml"
# Labels that no agreement can let pass: the originator's consent, or the meaning, is missing.
NEVER_AGREED: Final = frozenset(
    {*NATIONAL_EYES_ONLY, Caveat.NO_FORWARDING, Caveat.NO_DISTRIBUTION, Caveat.EMBARGO, Caveat.UNRECOGNISED}
)

_NATION: Final = re.compile(r"[A-Z]{3}")
_NEEDED: Final = (RELEASED_INDICATOR, RECEIPT)
_SCHEMAS: Final = (*_NEEDED, *LATER_RELEASES)
_TLP: Final = tuple(tlp.label for tlp in Tlp if tlp not in (Tlp.UNMARKED, Tlp.RED))
_CAVEATS: Final = tuple(str(caveat) for caveat in Caveat if caveat not in NEVER_AGREED)
_LISTS: Final[Mapping[str, tuple[str, ...] | None]] = {
    "schemas": _SCHEMAS,
    "tlp": _TLP,
    "caveats": _CAVEATS,
    "officers": None,  # names of persons
}


class BadLinks(ValueError):
    """Links that are not valid. The message names every file and every mistake in it, one a line."""


def link_path(nation: str, partner: str) -> str:
    """The path of a link below the policy folder."""
    return f"{LINKS}/{nation}/{partner}{SUFFIX}"


def read_links(texts: Mapping[str, str]) -> dict[tuple[str, str], Agreement]:
    """The links among these texts, which are by their path below the policy folder; by nation and partner.

    Raises ``BadLinks`` with all mistakes of all files.
    """
    found: dict[tuple[str, str], Agreement] = {}
    wrong: list[str] = []
    for path in sorted(path for path in texts if path.startswith(f"{LINKS}/")):
        agreement = _read(path, texts[path])
        if isinstance(agreement, Agreement):
            found[agreement.nation, agreement.partner] = agreement
        else:
            wrong += [f"{path}: {mistake}" for mistake in agreement]
    if wrong:
        raise BadLinks("\n".join(wrong))
    return found


def all_agreed(nation: str, partner: str) -> Agreement:
    """The widest agreement that there can be."""
    return Agreement(nation, partner, frozenset(_SCHEMAS), frozenset(_TLP), frozenset(_CAVEATS))


def link_texts(folder: Path, nation: str = "") -> dict[str, str]:
    """The texts of all links below a policy folder, or of one nation's, by their path below it; no hidden files.

    Raises ``OSError`` or ``UnicodeDecodeError`` for a file that cannot be read.
    """
    files = sorted((folder / LINKS).glob(f"{nation or '*'}/*"))
    files = [path for path in files if path.is_file() and not path.relative_to(folder).as_posix().count("/.")]
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def _read(path: str, text: str) -> Agreement | list[str]:
    """The agreement in a file, or all its mistakes."""
    nation, partner, wrong = "", "", []
    parts = path.split("/")
    if len(parts) == 3 and parts[2].endswith(SUFFIX):
        nation, partner = parts[1], parts[2].removesuffix(SUFFIX)
    if not (_NATION.fullmatch(nation) and _NATION.fullmatch(partner) and nation != partner):
        wrong.append(f"a link is {LINKS}/<nation>/<partner>{SUFFIX}, of two different ISO 3166-1 alpha-3 codes")
    try:
        fields = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [*wrong, str(error)]
    wrong += [f"unknown field {name!r}: known are {', '.join(_LISTS)}" for name in sorted(fields.keys() - _LISTS)]
    lists = {name: _list_of(fields, name, known, wrong) for name, known in _LISTS.items()}
    missing = [name for name in _NEEDED if name not in lists["schemas"]]
    if missing:
        wrong.append(f"schemas lacks {', '.join(missing)}, without which nothing can be exchanged")
    return wrong or Agreement(nation, partner, **lists)


def _list_of(
    fields: Mapping[str, object], name: str, known: tuple[str, ...] | None, wrong: list[str]
) -> frozenset[str]:
    listed = fields.get(name)
    if not isinstance(listed, list) or not all(isinstance(item, str) and item for item in listed):
        wrong.append(f'{name} is missing or no list of texts: write {name} = ["…"], or [] for none')
        return frozenset()
    for item in sorted(set(listed) - set(listed if known is None else known)):
        wrong.append(f"{name}: {item!r} cannot be agreed: possible are {', '.join(known or ())}")
    return frozenset(listed)
