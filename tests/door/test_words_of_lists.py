"""What lists say in the words of several languages: in comments, in names of columns and files, and in their cells."""

import io
from collections.abc import Iterator

import pytest

from producers.inputs import OpenInput
from producers.readers.formats import AUTO, readings_of
from producers.readers.reading import Aside, LeftOut, Withdrawn
from tests.door.outcomes import Outcome, defaults_of, outcome_of

D = "bad.kakenet-mal.org"
GREEN, NOBODY, HELD = "TLP:GREEN", "TLP:GREEN to nobody", "TLP:GREEN + UNRECOGNISED"
BENIGN = "TLP:GREEN + BENIGN"
FOREIGN = "TLP:GREEN + FOREIGN HANDLING"


def _pieces(name: str, content: str | bytes, *, is_pipe: bool = False) -> Iterator[Outcome]:
    """What is asserted, withdrawn or refused."""
    stream: io.BytesIO = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    if is_pipe:
        stream.seekable = lambda: False  # type: ignore[method-assign]
    readings, _ = readings_of(OpenInput(name, stream), AUTO, defaults_of({"confidence": 60}))
    for each in readings:
        if not isinstance(each, Aside | LeftOut) or isinstance(each, Withdrawn):
            yield outcome_of(each)


@pytest.mark.parametrize(
    ("comment", "marking"),
    [
        *(("Nicht zur Weitergabe bestimmt", HELD), ("Weitergabe nur mit Zustimmung", HELD), ("Nur intern", NOBODY)),
        *(("Nur für den internen Gebrauch", NOBODY), ("Verschlusssache", HELD)),
        *(("Ne pas partager hors du ministère", HELD), ("Réservé aux membres", HELD), ("Usage interne", NOBODY)),
        *(("Uso interno", NOBODY), ("No compartir", NOBODY), ("Non divulgare", NOBODY), ("Não partilhar", NOBODY)),
        *(("転載・再配布はご遠慮ください", HELD), ("省内での利用に限る", HELD), ("持出厳禁", HELD), ("他言無用", HELD)),
        *(("外部への公開はしないでください", HELD), ("社内用資料", HELD)),
        *(("Please keep this list within your organisation", HELD), ("Recipients may not pass this on", HELD)),
        *(("Handle via COMINT channels", HELD), ("Do not use outside of the ministry", HELD), ("REL UK", HELD)),
        *(("&#37096;&#22806;&#31192;", NOBODY), ("TLP&colon;RED", "TLP:RED")),
        *(("Not for Japan", HELD), ("excluded: JPN", HELD), ("Do not give it to Japan", HELD), ("5EYES", FOREIGN)),
        *(("TS//SCI", NOBODY), ("Not seen in Japan", GREEN)),
        # What is no restriction
        *(
            ("Release date: 2026-11-20", GREEN),
            ("Released on 2026-11-20 08:00 UTC", GREEN),
            ("Release: v2026.11", GREEN),
        ),
        *(("Feel free to share", GREEN), ("Quelle: eigene Sensoren", GREEN), ("Mise à jour quotidienne", GREEN)),
        *(("Lista actualizada cada hora", GREEN), ("最終更新: 2026年11月20日", GREEN), ("外部からの攻撃元一覧", GREEN)),
    ],
)
def test_a_comment_restricts_in_the_words_of_its_language(comment: str, marking: str) -> None:
    [found] = _pieces("list.txt", f"# {comment}\n{D}\n")
    assert (found["value"], found["marking"]) == (D, marking)


@pytest.mark.parametrize(
    ("column", "cell", "marking"),
    [
        # A column whose name is a restriction
        *(("internal_only", "true", NOBODY), ("classified", "y", NOBODY), ("UKEO", "Y", "TLP:GREEN + UK EYES ONLY")),
        *(("ukeyesonly", "○", "TLP:GREEN + UK EYES ONLY"), ("noforn", "no", GREEN), ("internal_only", "false", GREEN)),
        *(
            ("owner_only", "1", HELD),
            ("nofwd", "x", HELD),
            ("FOUO", "x", FOREIGN),
            ("draft", "yes", "TLP:GREEN + DRAFT"),
        ),
        *(("red", "1", GREEN), ("wildcard", "yes", GREEN), ("severity", "red", GREEN), ("外部提供", "否", HELD)),
        # A column whose name is about sharing
        *(
            ("mention de protection", "DR", HELD),
            ("nivel de confidencialidad", "alto", HELD),
            ("viewers", "desk", HELD),
        ),
        *(("community", "NATO", FOREIGN), ("permissible actions", "passive only", HELD), ("privacy level", "3", HELD)),
        *(("allowed_countries", "GBR;USA", HELD), ("not for", "JPN", HELD), ("MISP distribution", "0", NOBODY)),
        # What the source says about the value
        *(
            ("block", "no", BENIGN),
            ("action", "allow", BENIGN),
            ("対応", "遮断不要", BENIGN),
            ("action", "block", GREEN),
        ),
        *(
            ("comment", "false positive", BENIGN),
            ("comment", "INTERNAL", NOBODY),
            ("comment", "internal network", GREEN),
        ),
    ],
)
def test_a_column_counts_by_its_name_and_its_cell(column: str, cell: str, marking: str) -> None:
    [found] = _pieces("list.csv", f"domain,{column},family\n{D},{cell},x\n")
    assert (found["value"], found["marking"]) == (D, marking)


@pytest.mark.parametrize(
    ("column", "cell", "withdrawal"),
    [
        *(("Status", "widerrufen", "revoked"), ("statut", "révoqué", "revoked"), ("Zustand", "abgelaufen", "lapsed")),
        *(("Bewertung", "harmlos", "revoked"), ("reputation", "good", "revoked"), ("delisted", "yes", "revoked")),
        *(("estado", "inactivo", "lapsed"), ("除外", "○", "revoked"), ("評価", "無害", "revoked")),
        *(("statut", "actif", None), ("reputation", "bad", None), ("actif", "oui", None), ("aktiv", "nein", "lapsed")),
    ],
)
def test_a_status_withdraws_in_the_words_of_its_language(column: str, cell: str, withdrawal: str | None) -> None:
    [found] = _pieces("list.csv", f"domain,{column},family\n{D},{cell},x\n")
    assert found.get("withdrawal") == withdrawal


@pytest.mark.parametrize(
    "column", ["expiration_date", "expires_at", "valid to", "Gültig bis", "Ablaufdatum", "date d'expiration", "失効日"]
)
def test_the_end_of_validity_is_read_under_its_usual_names(column: str) -> None:
    [found] = _pieces("list.csv", f"domain,{column}\n{D},2020-01-01\n")
    assert found["valid_until"] == 1_577_836_800_000


@pytest.mark.parametrize(
    ("name", "marking"),
    [
        *(("confidential/iocs.txt", NOBODY), ("internal.txt", NOBODY), ("【取扱注意】一覧.txt", HELD)),
        *(("benign-domains.txt", BENIGN), ("exclusions.txt", BENIGN), ("ホワイトリスト.txt", BENIGN)),
        *(("除外リスト.txt", BENIGN), ("liste blanche.txt", BENIGN)),
        *(("clean/iocs.txt", GREEN), ("incident/iocs.txt", GREEN), ("stix-benign-2026.txt", GREEN), ("red.txt", GREEN)),
    ],
)
def test_the_names_of_file_and_folder_restrict(name: str, marking: str) -> None:
    [found] = _pieces(name, f"{D}\n")
    assert found["marking"] == marking


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "iso2022_jp", "gb18030"])
@pytest.mark.parametrize("line", ["# 部外秘", "部外秘"])
@pytest.mark.parametrize("is_pipe", [False, True])
def test_a_comment_in_another_encoding_may_state_anything_so_it_holds(encoding: str, line: str, is_pipe: bool) -> None:
    refused, found = _pieces("list.txt", f"{line}\n{D}\n".encode(encoding), is_pipe=is_pipe)
    assert (refused["refused"], found["marking"]) == ("unreadable-line", HELD)


def test_a_comment_in_another_encoding_holds_a_table_too() -> None:
    content = f"domain,note\n{D},x\n".encode() + "# Réservé\n".encode("cp1252")
    assert [each.get("marking") for each in _pieces("list.csv", content)] == [HELD, None]


def test_a_row_in_another_encoding_is_refused_alone() -> None:
    content = f"domain,note\n{D},x\n".encode() + "evil.kakenet-mal.org,部外者\n".encode("cp932")
    assert [each.get("marking") for each in _pieces("list.csv", content)] == [GREEN, None]


@pytest.mark.parametrize("sign", ["!", "-", "+", "~", "@@"])
def test_a_value_behind_a_sign_may_be_an_exception_so_it_is_refused(sign: str) -> None:
    first, second = _pieces("list.txt", f"{D}\n{sign}good.kakenet-mal.org\n")
    assert first["value"] == D
    assert second["refused"] == "unknown-type"
