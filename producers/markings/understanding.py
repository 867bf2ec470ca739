"""Understands what a source wrote about sharing, by the kind of place where it was found.

=========  ===========================================================  ==============================================
place      examples                                                     what is not understood
=========  ===========================================================  ==============================================
field      a cell of a marking column, a marking definition's text      all of it holds
tag        a MISP tag, a STIX label, a CSV list's tags                  holds if it looks like a restriction
comment    a comment or a title line of a list, a sheet's headline      holds if it looks like a restriction
prose      a description, an event's title, an attribute's comment      holds if a scheme is named (``TLP:PURPLE``)
=========  ===========================================================  ==============================================

``where`` names the place for people; it is kept with what was found there.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from producers.markings.folding import folded, words
from producers.markings.machine_tags import effect_of_tag, is_harmless_tag, looks_restricting
from producers.markings.marked import NOTHING, Marked, joined, of_caveat, unrecognised
from producers.markings.phrases import Strength, effect_of_whole, effects_in
from producers.markings.remembered import remembered
from producers.markings.schemes import Labels, bare_colours, labels_in, nations_in
from producers.markings.taxonomy import Effect
from schemas.markings import Caveat, SourceMarking, understand

_SILENT: Final = frozenset({"", "-", "--", "none", "null", "na", "n/a", "nan", "なし"})
_SEPARATORS: Final = re.compile("[;,、，；\n]")
_NAMED: Final = re.compile(r"(?<![a-z0-9])(?:tlp|pap|pfc)[ \t]*[:=]|traffic.?light.?protocol[ \t]*[:=]")
_END_OF_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+|(?<=[。！？])")
_MOST_WORDS_OF_A_LABEL: Final = 4
_COPYRIGHT: Final = re.compile(
    r"^\W*(?:copyright|©|\(c\)|cc0|creative commons (?:zero|attribution)|public domain)", re.IGNORECASE
)
_SHOWN: Final = 60
# Before a text: in brackets, or in capitals with a sign behind it (``[Confidential] …``, ``SECRET: …``, ``【秘】…``).
_BANNER: Final = re.compile(
    r"\W{0,3}(?:[\[(<［（【「]\s*([^\])>］）】」]{1,40})[\])>］）】」]|([A-Z][A-Z -]{1,30}?)\s*(?:[:|：]|[-–—]\s))"
)
# A list of what is good: no one reports it as a threat.
_OF_GOOD: Final = re.compile(
    r"(?<![a-z])(?:(?:white|allow|safe|good|benign)[ _-]?(?:lists?|listed|ware)|false.?positives?"
    r"|benign[ _-](?:domains?|ips?|urls?|hash(?:es)?|hosts?|files?)|exclusions?|exceptions?"
    r"|positivliste|ausnahmen|listes?[ _-]blanches?|listas?[ _-]blancas?)(?![a-z])"
    r"|(?:ホワイト|許可|除外|例外|良性|無害)(?:リスト|一覧)",
    re.IGNORECASE,
)
# Statements about the data. As a folder's name, these only describe its location.
_ABOUT_DATA: Final = frozenset({Caveat.BENIGN, Caveat.INCIDENT})
_LONGEST_HEADING: Final = 60
_MOST_WORDS_OF_A_TITLE: Final = 6


@remembered(16_384)
def of_field(text: str, where: str) -> Marked:
    """A text that states how far something may travel: every part of it must be understood."""
    if text.strip().lower() in _SILENT:
        return NOTHING
    return joined(_of_part(part, where) for part in _SEPARATORS.split(text) if part.strip())


@remembered(16_384)
def of_statement(text: str, where: str) -> Marked:
    """A STIX statement: a field that may have other words beside understood ones; a copyright line is silent."""
    found = meaning_of(text, where)
    if found is not None:
        return found
    silent = text.strip().lower() in _SILENT or (_COPYRIGHT.match(text) and not looks_restricting(text))
    return NOTHING if silent else unrecognised(text, quoted(where, text))


@remembered(65_536)
def of_tag(text: str, where: str) -> Marked:
    """A tag: a marking, or a label. Words of a taxonomy that do not limit sharing stay labels."""
    tag = text.strip()
    if is_harmless_tag(tag):
        return Marked(labels=(tag,)).join(of_prose(tag, where))
    understood = meaning_of(tag, where)
    if understood is not None:
        found = _whole(tag, understood, where)
        return found if found.marking != NOTHING.marking else Marked(labels=(tag,)).join(found)
    if looks_restricting(tag):
        return unrecognised(tag, quoted(where, tag))
    return Marked(labels=(tag,)) if tag else NOTHING


@remembered(4_096)
def of_comment(text: str, where: str) -> Marked:
    """A line about a list rather than of it."""
    found = _found(text, where, Strength.EXACT, is_prose=len(words(text)) > _MOST_WORDS_OF_A_LABEL)
    if found is not None:
        return found
    return unrecognised(text, quoted(where, text)) if looks_restricting(text) else NOTHING


def of_heading(text: str, where: str) -> Marked:
    """A line that is about all of a list: also one that is a colour of TLP alone, or such a word as INTERNAL."""
    colours = bare_colours(words(text))
    if colours:
        return _of_labels(Labels(tlp=colours), text, where)
    found = of_comment(text, where)
    is_of_good = _OF_GOOD.match(text.strip()) and len(words(text)) <= _MOST_WORDS_OF_A_TITLE
    return found.join(of_caveat(Caveat.BENIGN, quoted(where, text))) if is_of_good else found


@remembered(4_096)
def of_prose(text: str, where: str) -> Marked:
    """A text about something else, in which a restriction may occur nevertheless, or as a banner before it.

    A text that is nothing else than a heading (``INTERNAL``, ``false positive``) is one.
    """
    whole = _of_whole(text, where) if len(text) <= _LONGEST_HEADING else NOTHING
    return of_running_text(text, where).join(whole)


def of_running_text(text: str, where: str) -> Marked:
    """The same; but a line of a longer text, or a cell of a table, is no heading by itself."""
    banner = _BANNER.match(text)
    found = _found(text, where, Strength.ANYWHERE, is_prose=True) or NOTHING
    if banner is None:
        return found
    effects = effects_in(words(banner[1] or banner[2]), Strength.EXACT)
    return found.join(joined(of_effect(effect, text, where) for effect in effects))


def of_heading_alone(text: str, where: str) -> Marked:
    """A line that is a heading and nothing else (``Confidential``); one about data (``Incident``) may be a title."""
    found = _of_whole(text, where) if len(text) <= _LONGEST_HEADING else NOTHING
    return found if set(understand(found.marking).caveats).isdisjoint(_ABOUT_DATA) else NOTHING


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text."""
    return filter(None, _END_OF_SENTENCE.split(text))


def of_file_names(names: Iterable[str]) -> Marked:
    """What the names of an input state: its own, and those that its archive gives its content."""
    return joined(map(of_file_name, names))


def of_file_name(name: str) -> Marked:
    """What the name of an input and of its folder states: ``[TLP RED] case.json``, ``TLP-RED/case.json``.

    A name that is a heading (``internal/case.json``) restricts; of one that speaks about the data nothing is known.
    """
    path = PurePath(name)
    found = joined(of_running_text(part.replace("_", " "), "file name") for part in (path.parent.name, path.name))
    for part in (path.parent.name, path.name.partition(".")[0]):
        found = found.join(of_heading_alone(part, "file name"))
    return found.join(of_caveat(Caveat.BENIGN, f"file name {path.name!r}") if _OF_GOOD.search(path.name) else NOTHING)


def of_nations(names: tuple[str, ...], where: str) -> Marked:
    """A list of recipients, each an ISO 3166-1 alpha-3 code or a nation's common short form."""
    nations = tuple(name for text in names for name in (nations_in(words(text)) or (text.strip().upper(),)))
    return Marked(SourceMarking(releasable_to=nations), (where,))


def of_effect(effect: Effect, text: str, where: str) -> Marked:
    """The effect of a word of a taxonomy; ``text`` is the word as the source wrote it."""
    origin = quoted(where, text)
    if effect.hold:
        return Marked(unrecognised(text, origin).marking, (origin,))
    marking = SourceMarking(
        tlp=effect.tlp,
        pap=effect.pap,
        releasable_to=() if effect.nobody else None,
        caveats=(effect.caveat,) if effect.caveat else (),
    )
    origins = (origin,) if marking != NOTHING.marking else ()
    return Marked(marking, origins, confidence=effect.confidence, withdrawn=text if effect.withdrawn else "")


def _of_whole(text: str, where: str) -> Marked:
    """The meaning of a text that is a heading, and nothing else. A colour alone may be one of many things."""
    found = words(text)
    effect = None if bare_colours(found) else effect_of_whole(found)
    return NOTHING if effect is None else of_effect(effect, text, where)


def _of_part(part: str, where: str) -> Marked:
    colours = bare_colours(words(part))
    if colours:
        return _of_labels(Labels(tlp=colours), part, where)
    understood = meaning_of(part, where)
    return unrecognised(part, quoted(where, part)) if understood is None else _whole(part, understood, where)


def meaning_of(text: str, where: str) -> Marked | None:
    """The meaning of a text that is a marking, a machine tag or a heading; ``None`` if nothing in it is known."""
    effect = effect_of_tag(text)
    if effect is None:
        return _found(text, where, Strength.EXACT)
    return _of_labels(labels_in(words(text)), text, where).join(of_effect(effect, text, where))


def _whole(text: str, understood: Marked, where: str) -> Marked:
    """The same; but a label with another word (``tlp:green+strict``) is unknown, so it holds, too."""
    labels = labels_in(words(text))
    if not (labels.tlp or labels.pap) or not labels.rest or effect_of_tag(text) is not None:
        return understood
    return understood if effects_in(labels.rest, Strength.EXACT) else understood.join(unrecognised(text, where))


def _found(text: str, where: str, strength: Strength, *, is_prose: bool = False) -> Marked | None:
    """Labels of the schemes, and phrases that restrict; ``None`` if there are neither."""
    labels = labels_in(words(text))
    if is_prose and labels.unknown and not any(map(_names_unknown, sentences(text))):
        labels = Labels(labels.tlp, labels.pap, labels.releasable_to, False, labels.rest)
    effects = effects_in(labels.rest, strength)
    if not (labels.are_any or labels.unknown or effects):
        return None
    return _of_labels(labels, text, where).join(joined(of_effect(effect, text, where) for effect in effects))


def _names_unknown(sentence: str) -> bool:
    """Whether a sentence has a label that is not known, and not only the name of a scheme."""
    return labels_in(words(sentence)).unknown and _NAMED.search(folded(sentence)) is not None


def _of_labels(labels: Labels, text: str, where: str) -> Marked:
    origin = quoted(where, text)
    each = [Marked(SourceMarking(tlp=tlp), (origin,)) for tlp in labels.tlp]
    each += [Marked(SourceMarking(pap=pap), (origin,)) for pap in labels.pap]
    if labels.releasable_to is not None:
        each.append(Marked(SourceMarking(releasable_to=labels.releasable_to), (origin,)))
    if labels.unknown:
        each.append(unrecognised(text, origin))
    return joined(each)


def quoted(where: str, text: str) -> str:
    """The name of a place with the beginning of its text."""
    return f'{where} "{" ".join(text.split())[:_SHOWN]}"'
