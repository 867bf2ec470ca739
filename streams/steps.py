"""The format of each step's state. Names and inputs are in ``schemas.topics``.

A shard is made by ``streams.worker.workshop`` and rebuilt by ``streams.repair.rebuild``, each with one function a kind.
"""

from collections.abc import Mapping
from typing import Final

from schemas.topics import StepKind
from streams.correlate import step as correlate
from streams.intake import step as intake
from streams.receive import step as receive
from streams.settle import step as settle

STATE_FORMATS: Final[Mapping[StepKind, int]] = {
    StepKind.INTAKE: intake.STATE_FORMAT,
    StepKind.CORRELATE: correlate.STATE_FORMAT,
    StepKind.RECEIVE: receive.STATE_FORMAT,
    StepKind.SETTLE: settle.STATE_FORMAT,
}
