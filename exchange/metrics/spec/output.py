"""The metrics of outputs and of the picture that they follow."""

from typing import Final

from exchange.metrics.kinds import Counter, Gauge, Role, closed, labels
from exchange.metrics.labels import ORIGIN, OUTPUT, NotCarried, TurnOutcome

_ROLES: Final = (Role.OUTPUT,)
_OF_A_PICTURE: Final = (Role.OUTPUT, Role.TAXII)

OUTPUT_UNAPPLIED_RECALLS: Final = Gauge(
    "output_unapplied_recalls",
    labels(OUTPUT),
    unit="recalls",
    roles=_OF_A_PICTURE,
    help="Recalls that are in the picture and not yet applied by the output, of every output that follows the picture, "
    "also of one that does not run.",
    act="Above 0: the target still holds what should not have been shared. See `output_turns_total` and the log; start "
    "the output if it is down. One that is gone for good: `kakehashi output forget`.",
)
OUTPUT_BEHIND_SECONDS: Final = Gauge(
    "output_behind_seconds",
    labels(OUTPUT),
    unit="seconds",
    roles=_OF_A_PICTURE,
    help="For how long the picture has had changes that the target has not; 0 if it has them all.",
    act="Grows: as `output_unapplied_recalls`. The target may block what is no longer valid.",
)
OUTPUT_INDICATORS: Final = Gauge(
    "output_indicators",
    labels(OUTPUT),
    unit="indicators",
    roles=_ROLES,
    help="Indicators that the target holds.",
    act="0, or a sudden fall: compare with `picture_indicators`, and with `kakehashi output check`.",
)
OUTPUT_LEFT_OUT: Final = Gauge(
    "output_left_out_indicators",
    labels(OUTPUT, closed("reason", NotCarried, "why it is left out")),
    unit="indicators",
    roles=_ROLES,
    help="Live indicators that the target does not hold, by reason.",
    act="`value` or `limit` grows: the format cannot carry them; use another output for them.",
)
OUTPUT_DIFFERENCES: Final = Gauge(
    "output_differences",
    labels(OUTPUT),
    unit="differences",
    roles=_ROLES,
    help="Indicators that the tool did not have in its memory when it was last asked for a sample, once an hour; only "
    "for outputs that ask it (`suricata` with `socket`).",
    act="Above 0: the tool was made to load its files again, and is asked once more after a minute. If it stays: "
    "compare the paths and limits in its configuration with the output's page.",
)
OUTPUT_TURNS: Final = Counter(
    "output_turns_total",
    labels(OUTPUT, closed("outcome", TurnOutcome, "how it ended")),
    unit="turns",
    roles=_ROLES,
    help="Attempts to bring the target up to date.",
    act="`failed` grows: the log has the reason, for example a full disk or a receiver that does not answer.",
)
PICTURE_INDICATORS: Final = Gauge(
    "picture_indicators",
    labels(ORIGIN),
    unit="indicators",
    roles=_OF_A_PICTURE,
    help="Live indicators in the picture, by the nation that they come from.",
    act="0 while `partner.<origin>.indicator` has records: see `picture_behind_seconds`.",
)
PICTURE_BEHIND_SECONDS: Final = Gauge(
    "picture_behind_seconds",
    labels(ORIGIN),
    unit="seconds",
    roles=_OF_A_PICTURE,
    help="Age of the time up to which the picture has everything that was committed.",
    act="Above some minutes: no process keeps the picture, or its cluster does not answer; see the log.",
)
PICTURE_GAP: Final = Gauge(
    "picture_gap_seconds",
    labels(ORIGIN),
    unit="seconds",
    roles=_OF_A_PICTURE,
    help="Time at which the picture last read a topic anew because changes were missed, in seconds since 1970; 0 if "
    "never.",
    act="Changed: the picture was away for longer than the topic keeps deletions, or the topic was made anew. It has "
    "repaired itself.",
)
PICTURE_REBUILDS: Final = Counter(
    "picture_rebuilds_total",
    labels(),
    unit="rebuilds",
    roles=_OF_A_PICTURE,
    help="Times at which the picture's file could not be used and was made anew.",
    act="Above 0: the log has the reason; check the disk.",
)
PICTURE_DUE_ERASURES: Final = Gauge(
    "picture_due_erasures",
    labels(),
    unit="erasures",
    roles=_OF_A_PICTURE,
    help="1 while the picture's files may still hold recalled content, else 0.",
    act="1 for long: an output has not applied a recall (`output_unapplied_recalls`), or a reader holds the file open.",
)
