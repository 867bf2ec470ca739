"""What the lines of a report state about sharing the report.

A report is about something else, and its words (secret, internal, shared) mostly belong to that. A line counts if it is
a field (``Classification: internal``), a heading (``Confidential``), or a sentence about the report or its readers.
Such a line is understood, or it holds.
"""

import re
from collections.abc import Iterable
from typing import Final

from producers.markings.folding import folded, words
from producers.markings.machine_tags import words_restrict
from producers.markings.marked import NOTHING, Marked, joined, unrecognised
from producers.markings.properties import is_about_sharing, scheme_of
from producers.markings.schemes import bare_colours, labels_in
from producers.markings.understanding import (
    meaning_of,
    of_field,
    of_heading_alone,
    of_prose,
    of_running_text,
    quoted,
    sentences,
)

_FIELD: Final = re.compile(r"([^:：=]{1,40}?)[\s*_]*[:：=][\s*_]*(\S.{0,119})")
_AROUND: Final = "|*_#>-• \t"
_MOST_WORDS_OF_A_NAME: Final = 4
_MOST_WORDS_OF_READERS: Final = 6
_LONGEST_LINE: Final = 4_096
_LONGEST_NAME: Final = 40
# Explanations that nothing is restricted, as the definition of TLP:CLEAR has them.
_UNLIMITED: Final = re.compile(r"\b(?:not|no|without|any) (?:\w+ )?(?:limit|restrict)\w*")
_ABOUT: Final = r"(?:re)?(?:shar|distribut|dissemin|forward|releas|disclos|circulat|publish|reproduc|cop(?:y|ie))\w*"
_OF_THE_REPORT: Final = re.compile(
    r"\b(?:this|these|the (?:enclosed|attached|following|above|included|present)) (?:\w+ ){0,2}(?:report|document"
    r"|information|advisory|bulletin|notice|alert|briefing|e ?mail|message|data|list|paper|material|content|indicator"
    r"|ioc|intelligence|feed)s? (?:is|are|may|must|shall|should|can|cannot|contains?|has|remains?|was)\b"
    r"|^(?:please|recipients?|shar(?:e|ing)|(?:re)?distribution|dissemination|circulation|disclosure|handling"
    r"|reproduction|not for|not to be|no part|you (?:may|must|can|cannot|should)|restricted|limited|for)\b"
)
_RESTRICTS: Final = re.compile(
    r"\b(?:is|are|contains?|remains?)(?: (?!no\b|not\b)\w+){0,2} (?:confidential|classified|secret|sensitive"
    r"|restricted|proprietary|embargo\w*|privileged|internal)\b"
    rf"|\b(?:not|never|cannot|no)(?: \w+){{0,4}} {_ABOUT}|\bonly(?: \w+){{0,3}} {_ABOUT}"
    rf"|\b{_ABOUT}(?: \w+){{0,6}} (?:only|prohibited|forbidden|limited|restricted|without)\b"
    rf"|^(?:limited|restricted) {_ABOUT}|\b(?:only|solely|exclusively) (?:for|to|by|with|within)\b"
    r"|\bwithin (?:the|your|their|our)(?: own)? organi[sz]ations?\b"
)
# What advisories ask their readers not to pass on, and what they call their indicators.
_OF_OTHERS: Final = re.compile(
    rf"\b{_ABOUT} (?:(?:any|your|their|user) )?(?:passwords?|credentials)\b"
    rf"|\b{_ABOUT} (?:suspicious|phishing|spam) (?:e ?)?(?:mails?|messages?)\b"
    r"|\bclassified as (?:high|medium|low|malware|malicious|suspicious|ransomware|phishing|trojans?)\b"
)
# What no one writes about something else.
_OF_ITSELF: Final = re.compile(
    r"^(?:shared|provided|distributed|disclosed|supplied|released) (?:\w+ ){0,2}"
    r"(?:under (?:an? )?nda|in (?:strict )?confidence)\b"
    r"|\bconfidentiality notice\b|\btreat(?:ed)? (?:\w+ ){0,2}as (?:\w+ )?(?:confidential|secret|sensitive|internal)\b"
    r"|^internal (?:do not|only|use)\b|\bfor (?:the )?(?:exclusive|sole|internal) use (?:of|by)\b"
)
_STRICT: Final = frozenset({"red", "amber"})
_LIMIT: Final = "(?:禁止|厳禁|禁じ|限り|限る|限定|のみ|不可|無断|許可な|許可を得ず|遠慮|控え|しないで|お断り)"
_PASSING_ON: Final = "(?:開示|共有|配布|配付|公開|提供|転送|転載|引用|複製|複写|展開|漏洩|頒布|持ち出し|お渡し)"
_JAPANESE: Final = re.compile(
    rf"(?:本|当|この)(?:資料|レポート|報告|文書|情報|メール|書|データ|リスト|ドキュメント|ファイル|内容).*{_LIMIT}"
    r"|(?:お客様|会員|契約者|購読者|関係者|参加組織|加盟|メンバー|受領者|(?:組織|社|部|グループ)内)(?:様|各位)?(?:限定|のみ|限り|に限)"
    rf"|{_PASSING_ON}.{{0,12}}(?:遠慮|控え|お断り|禁)|第三者.{{0,12}}{_PASSING_ON}|秘密保持|守秘義務"
    r"|(?:共有|公開|配布|配付|開示|展開|提供|利用)(?:範囲|区分|条件|制限|可否)(?:は|が|:)"
    r"|(?:取扱い?|取り扱い)には?(?:十分に?)?(?:ご)?注意|口外無用|他言無用|(?:二次利用|転用).{0,4}(?:禁|不可)|提供先限定"
    r"|(?:社|部|組織|庁|省)内(?:利用|使用)に?限|外部への(?:提供|開示|共有|配布|公開|転送|持ち出し)"
)


def of_report_line(text: str, where: str, *, is_value: bool = False) -> Marked:
    """What a line states about all of its report. One in capitals may be a heading by itself (``INTERNAL``).

    ``is_value``: it is a cell with others beside it, so what it is alone (``Internal``) may be about one of them.
    """
    if text.isupper() or not text.isascii():
        found = of_prose(text, where)
    else:
        found = of_running_text(text, where).join(NOTHING if is_value else of_heading_alone(text, where))
    field = _FIELD.fullmatch(text.strip(_AROUND))
    if field is not None:
        found = found.join(of_named(field[1], field[2], where))
    return found.join(joined(_of_sentence(each, where) for each in sentences(text[:_LONGEST_LINE])))


def of_names_and_values(texts: Iterable[tuple[str, str]]) -> Marked:
    """What texts state of which one is the name of a scheme, and others its values: as a layout puts them apart.

    ``texts`` are lines and cells, each with its position.
    """
    kept = [(text, where) for text, where in texts if len(text) <= _LONGEST_NAME]
    schemes = {scheme_of(text) for text, _ in kept if _is_name(text)} - {""}
    values = [(text, where) for text, where in kept if bare_colours(words(text))]
    return joined(of_field(f"{scheme}:{text}", where) for scheme in sorted(schemes) for text, where in values)


def _is_name(text: str) -> bool:
    labels = labels_in(words(text))
    return labels.unknown and not labels.rest


def of_named(name: str, value: str, where: str) -> Marked:
    """A field in running text. Its name may mean something else (``Distribution: by mail``): then its value restricts,
    or it states nothing."""
    if len(words(name)) > _MOST_WORDS_OF_A_NAME or not is_about_sharing(name):
        return NOTHING
    scheme = scheme_of(name)
    found = meaning_of(f"{scheme}:{value}" if scheme else value, where)
    if found is not None:
        return found
    return (
        unrecognised(f"{name}: {value}", quoted(where, f"{name}: {value}"))
        if words_restrict(f"{name} {value}")
        else NOTHING
    )


def _of_sentence(text: str, where: str) -> Marked:
    if not text.isascii() and _JAPANESE.search(folded(text)):
        return unrecognised(text, quoted(where, text))
    found = words(text)
    labels = labels_in(found)
    if labels.are_any:
        return NOTHING  # understood already: the rest explains the label
    if labels.unknown and not _STRICT.isdisjoint(found):
        return unrecognised(text, quoted(where, text))  # "marked amber under TLP"
    line = _OF_OTHERS.sub(" ", _UNLIMITED.sub(" ", " ".join(found)))
    names_readers = found[-1:] == ("only",) and len(found) <= _MOST_WORDS_OF_READERS and words_restrict(line)
    if _OF_ITSELF.search(line):
        return unrecognised(text, quoted(where, text))
    is_restricted = _OF_THE_REPORT.search(line) is not None and _RESTRICTS.search(line) is not None
    return unrecognised(text, quoted(where, text)) if names_readers or is_restricted else NOTHING
