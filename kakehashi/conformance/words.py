"""The words of a report that are not the standard's own, in both languages."""

from typing import Final

from producers.conformance.judge import Example, Met, Outcome
from producers.conformance.profile import LegalStatus, Starts
from producers.conformance.report import Report
from producers.conformance.standard import Level, Shown, Status, Text
from schemas.topics import SENSOR_REPORTS

LANGUAGES: Final = ("en", "ja")

RESULTS: Final = {
    Met.MET: Text("met", "適合"),
    Met.NOT_MET: Text("not met", "不適合"),
    Met.NOT_APPLICABLE: Text("not applicable", "対象外"),
    Met.CANNOT_BE_JUDGED: Text("cannot be judged", "判定不能"),
}
LEVELS: Final = {Level.MUST: Text("must", "必須"), Level.SHOULD: Text("should", "推奨")}
STATUSES: Final = {Status.DRAFT: Text("draft, not approved", "案、未承認")}
LEGAL: Final = {
    LegalStatus.IN_FORCE: Text("in force", "施行済み"),
    LegalStatus.BILL: Text("bill", "法案"),
    LegalStatus.DRAFT: Text("draft", "案"),
}
STARTS: Final = {
    Starts.AWARE: Text("becoming aware", "認知"),
    Starts.SIGNIFICANT: Text("finding it significant", "重大性の判明"),
    Starts.RANSOM_PAID: Text("paying a ransom", "身代金の支払い"),
}
SHOWN: Final = {
    Shown.FILE: Text("inputs, before they are published", "発行前の入力"),
    Shown.TOPIC: Text("what the sensor has published", "センサーが発行したもの"),
    Shown.COMPARISON: Text("the source's list beside it", "情報源のリストとの比較"),
}
OUTCOMES: Final = {
    Outcome.MET: Text("Every must is met.", "全ての必須要件に適合している。"),
    Outcome.MET_AS_FAR_AS_JUDGED: Text(
        "Every must that this input can show is met. The others are not shown by it.",
        "この入力から判定できる必須要件には全て適合している。その他はこの入力からは示されない。",
    ),
    Outcome.NOT_SHOWN: Text(
        "No must is known to fail, and some that this input should show could not be judged.",
        "不適合の必須要件は認められないが、この入力から判定すべきものの一部が判定できなかった。",
    ),
    Outcome.NOT_MET: Text("At least one must is not met.", "少なくとも一つの必須要件に適合していない。"),
}
_PARTITION: Final = "partition "
_OFFSETS: Final = Text("{}, partition {}, offset {}", "{}、パーティション {}、オフセット {}")
_OBSERVATIONS: Final = Text(f"{_OFFSETS.en}, observation {{}}", f"{_OFFSETS.ja}、観測 {{}}")
NO_NOTIFICATION: Final = Text(
    "Clocks of the law run beside this report. Publishing indicators does not replace a notification. The clocks are "
    "from secondary sources: check them before you rely on them.",
    "法令の期限は本報告書とは別に進行する。インディケータの発行は法令上の報告に代わらない。期限は二次資料によるため、"
    "依拠する前に確認すること。",
)
UNSIGNED: Final = Text("not signed: it proves nothing", "署名なし。証拠とならない")


def place_of(example: Example, report: Report, language: str) -> str:
    """Where something was found: ``feed.csv:7``, or a report by its partition and offset."""
    if not example.where:
        return {"en": "the feed", "ja": "フィード全体"}[language]
    if Shown.FILE in report.shown or not example.where.startswith(_PARTITION):
        return f"{example.where}:{example.at}" if example.at else example.where
    words = _OFFSETS if example.index < 0 else _OBSERVATIONS
    partition = example.where.removeprefix(_PARTITION)
    return words.of(language).format(SENSOR_REPORTS, partition, example.at, example.index)


def level_counts(report: Report, level: Level) -> dict[Met, int]:
    """How many requirements of a level have each result."""
    found = [each.result for each in report.results if each.level is level]
    return {met: found.count(met) for met in Met}
