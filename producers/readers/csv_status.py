"""Whether a column of a CSV list ends its row's assertion: a flag, or a column of statuses or verdicts.

===================================================  ======================  ===================
column                                               cells that end the row  how
===================================================  ======================  ===================
``active``, ``enabled``, ``valid``, ``有効``           no                      its time is over
``malicious``, ``is_bad``, ``悪性``                    no                      it was wrong
``deleted``, ``revoked``, ``false_positive``, ``削除`` yes, or a date          it was wrong
``expired``, ``inactive``, ``retired``, ``無効``       yes, or a date          its time is over
``status``, ``verdict``, ``…_state``, ``判定``         ``_WRONG``, ``_OVER``   by the word
===================================================  ======================  ===================

A host that is ``offline`` is not taken back: its source still calls it a threat.
"""

from typing import Final

from producers.markings.folding import words
from producers.readers.list_times import list_milliseconds
from schemas.vocabulary import Withdrawal

NO: Final = frozenset({"false", "no", "n", "0", "f", "いいえ", "無", "×", "nein", "non", "falsch", "faux"})
YES: Final = frozenset({"true", "yes", "y", "1", "t", "x", "はい", "有", "○", "✓", "ja", "oui", "wahr", "vrai", "si"})


def _key(text: str) -> str:
    """A name or a status as they are compared: without case, accents, blanks and punctuation."""
    return "".join(words(text))


def _keys(*texts: str) -> frozenset[str]:
    return frozenset(_key(word) for text in texts for word in text.split())


_WRONG_IF_NO: Final = _keys("malicious is-malicious is-bad is-threat 悪性")
_OVER_IF_NO: Final = _keys(
    "active is-active enabled is-enabled valid is-valid live 有効 aktiv gültig actif actif valide activo"
)
_WRONG_IF_YES: Final = _keys(
    "deleted is-deleted revoked is-revoked withdrawn is-withdrawn retracted removed is-removed delisted is-delisted",
    "false-positive is-false-positive fp is-fp benign is-benign whitelisted is-whitelisted whitelist",
    "allowlisted allowlist deleted-at revoked-at withdrawn-at removed-at",
    "delisted-at deleted-on revoked-on removed-on delisted-on",
    "clean is-clean harmless is-harmless",
    "削除 削除済 削除日 取消 取り消し 撤回 誤検知 過検知 除外",
    "widerrufen gelöscht entfernt fehlalarm révoqué supprimé retiré faux-positif revocado eliminado falso-positivo",
)
_OVER_IF_YES: Final = _keys(
    "expired is-expired inactive is-inactive retired disabled is-disabled archived 失効 無効",
    "abgelaufen inaktiv deaktiviert expiré périmé inactif désactivé caducado vencido",
)
_STATUSES: Final = tuple(
    _keys(
        "status verdict state disposition assessment judgement judgment resolution determination reputation",
        "判定 状態 ステータス 状況 評価 zustand bewertung urteil beurteilung statut état évaluation estado stato",
    )
)
_WRONG: Final = _keys(
    "benign clean harmless whitelisted whitelist allowlisted allowlist not-malicious",
    "false-positive confirmed-false-positive fp legitimate legit safe good goodware no-threat trusted",
    "revoked withdrawn retracted deleted removed rejected dismissed invalid cancelled canceled delisted",
    "無害 誤検知 過検知 正常 安全 削除 削除済 削除済み 取消 取消済 取り消し 撤回 対象外 除外 白 シロ",
    "問題なし 異常なし 該当なし",
    "widerrufen zurückgezogen gelöscht entfernt harmlos unbedenklich gutartig fehlalarm falsch-positiv legitim",
    "révoqué révoquée retiré retirée supprimé supprimée annulé annulée bénin bénigne inoffensif sain",
    "faux-positif légitime",
    "revocado revocada retirado retirada eliminado eliminada benigno benigna inofensivo falso-positivo legítimo",
    "revocato revocata ritirato ritirata eliminato eliminata innocuo legittimo",
)
_OVER: Final = _keys(
    "inactive not-active no-longer-active expired retired disabled obsolete deprecated",
    "archived taken-down sinkholed deactivated 失効 無効 期限切れ 解除 停止",
    "inaktiv abgelaufen veraltet deaktiviert ungültig inactif inactive expiré expirée périmé périmée désactivé",
    "inactivo inactiva caducado caducada expirado expirada vencido inattivo inattiva scaduto scaduta",
)


def is_status(name: str) -> bool:
    """Whether a column of this name may end the assertions of its rows."""
    word = _key(name)
    return word in _WRONG_IF_NO | _OVER_IF_NO | _WRONG_IF_YES | _OVER_IF_YES or word.endswith(_STATUSES)


def ending_of(name: str, cell: str) -> Withdrawal | None:
    """How the cell of a column ends the row's assertion; ``None`` if it does not."""
    word, stated = _key(name), cell.strip().lower()
    if word in _WRONG_IF_NO | _OVER_IF_NO:
        wrong = Withdrawal.REVOKED if word in _WRONG_IF_NO else Withdrawal.LAPSED
        return wrong if stated in NO else None
    if word in _WRONG_IF_YES | _OVER_IF_YES:
        is_so = stated in YES or (not stated.isdigit() and list_milliseconds(stated) is not None)
        return (Withdrawal.REVOKED if word in _WRONG_IF_YES else Withdrawal.LAPSED) if is_so else None
    if not word.endswith(_STATUSES):
        return None
    value = _key(cell)
    return Withdrawal.REVOKED if value in _WRONG else Withdrawal.LAPSED if value in _OVER else None
