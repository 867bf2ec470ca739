"""Whether a column of a CSV list ends its row's assertion: a flag, or a column of statuses or verdicts.

===================================================  ======================  ===================
column                                               cells that end the row  how
===================================================  ======================  ===================
``active``, ``enabled``, ``valid``, ``有効``           no                      its time is over
``malicious``, ``is_bad``, ``悪性``                    no                      it was wrong
``deleted``, ``revoked``, ``false_positive``, ``削除`` yes, or a date          it was wrong
``expired``, ``inactive``, ``retired``, ``無効``       yes, or a date          its time is over
``status``, ``verdict``, ``…_state``, ``判定``         ``_WRONG``, ``_OVER``   as the word says
===================================================  ======================  ===================

A host that is ``offline`` is not taken back: its source still calls it a threat.
"""

from typing import Final

from producers.readers.list_times import list_milliseconds
from producers.readers.type_words import folded
from schemas.vocabulary import Withdrawal

_NO: Final = frozenset({"false", "no", "n", "0", "f", "いいえ", "無", "×"})
_YES: Final = frozenset({"true", "yes", "y", "1", "t", "x", "はい", "有", "○", "✓"})
_WRONG_IF_NO: Final = frozenset({"malicious", "ismalicious", "isbad", "isthreat", "悪性"})
_OVER_IF_NO: Final = frozenset({"active", "isactive", "enabled", "isenabled", "valid", "isvalid", "live", "有効"})
_WRONG_IF_YES: Final = frozenset(
    {
        *(
            "deleted",
            "isdeleted",
            "revoked",
            "isrevoked",
            "withdrawn",
            "iswithdrawn",
            "retracted",
            "removed",
            "isremoved",
        ),
        *("falsepositive", "isfalsepositive", "fp", "isfp", "benign", "isbenign", "whitelisted", "iswhitelisted"),
        *("deletedat", "revokedat", "withdrawnat", "removedat", "deletedon", "revokedon"),
        *("削除", "削除済", "取消", "取り消し", "撤回", "誤検知", "過検知"),
    }
)
_OVER_IF_YES: Final = frozenset(
    {"expired", "isexpired", "inactive", "isinactive", "retired", "disabled", "isdisabled", "archived", "失効", "無効"}
)
_STATUSES: Final = (
    *(
        "status",
        "verdict",
        "state",
        "disposition",
        "assessment",
        "judgement",
        "judgment",
        "resolution",
        "determination",
    ),
    *("判定", "状態", "ステータス", "状況"),
)
_WRONG: Final = frozenset(
    {
        *("benign", "clean", "harmless", "whitelisted", "whitelist", "allowlisted", "allowlist", "notmalicious"),
        *("falsepositive", "confirmedfalsepositive", "fp", "legitimate", "safe", "good", "goodware", "nothreat"),
        *("revoked", "withdrawn", "retracted", "deleted", "removed", "rejected", "dismissed", "invalid", "cancelled"),
        *(
            "無害",
            "誤検知",
            "過検知",
            "正常",
            "安全",
            "削除",
            "削除済",
            "削除済み",
            "取消",
            "取り消し",
            "撤回",
            "対象外",
            "白",
            "シロ",
            "問題なし",
            "異常なし",
            "該当なし",
        ),
    }
)
_OVER: Final = frozenset(
    {
        *("inactive", "notactive", "nolongeractive", "expired", "retired", "disabled", "obsolete", "deprecated"),
        *("archived", "takendown", "sinkholed", "deactivated", "失効", "無効", "期限切れ", "解除", "停止"),
    }
)


def is_status(name: str) -> bool:
    """Whether a column of this name may end the assertions of its rows."""
    word = folded(name)
    return word in _WRONG_IF_NO | _OVER_IF_NO | _WRONG_IF_YES | _OVER_IF_YES or word.endswith(_STATUSES)


def ending_of(name: str, cell: str) -> Withdrawal | None:
    """How the cell of a column ends the row's assertion; ``None`` if it does not."""
    word, stated = folded(name), cell.strip().lower()
    if word in _WRONG_IF_NO | _OVER_IF_NO:
        wrong = Withdrawal.REVOKED if word in _WRONG_IF_NO else Withdrawal.LAPSED
        return wrong if stated in _NO else None
    if word in _WRONG_IF_YES | _OVER_IF_YES:
        is_so = stated in _YES or (not stated.isdigit() and list_milliseconds(stated) is not None)
        return (Withdrawal.REVOKED if word in _WRONG_IF_YES else Withdrawal.LAPSED) if is_so else None
    if not word.endswith(_STATUSES):
        return None
    value = folded(cell)
    return Withdrawal.REVOKED if value in _WRONG else Withdrawal.LAPSED if value in _OVER else None
