"""Made-up officers of a nation, seeded: they recall and revoke, and two of them lift again what stands for a while."""

from collections.abc import Sequence
from random import Random
from typing import Final
from uuid import UUID

from consumers.desk.commands import command
from schemas.records import Command
from schemas.vocabulary import CommandKind, EndReason
from tests.officers import ALICE, BOB

MOST: Final = 40  # about so many vetoes stand, once it continues: the more there are, the more often one is lifted


class Officers:
    """What they say, one word after the other. The same seed and the same indicators make the same words."""

    def __init__(self, random: Random, nation: str) -> None:
        self._random, self._nation = random, nation
        self._vetoes: list[Command] = []
        self._lifted: set[tuple[str, str]] = set()

    def word(self, names: Sequence[str], now_ms: int) -> tuple[str, Command]:
        """Who states what next, of one of these indicators or of one that they have reported. Now and then it is what
        stands already, or the same person's word again."""
        random, person = self._random, self._random.choice([ALICE, BOB])
        if self._vetoes and random.randrange(MOST) < len(self._vetoes):
            veto = random.choice(self._vetoes)
            self._lifted.add((veto["command_id"], person))
            if all((veto["command_id"], each) in self._lifted for each in (ALICE, BOB)):
                self._vetoes.remove(veto)
            return person, self._made(CommandKind.LIFT, veto["indicator_id"], now_ms, about=veto["command_id"])
        kind, code = random.choice(
            [(CommandKind.RECALL, EndReason.RECALLED_BY_HAND)] * 2 + [(CommandKind.REVOKE, EndReason.FALSE_POSITIVE)]
        )
        made = self._made(kind, random.choice(names), now_ms, reason_code=str(code))
        self._vetoes.append(made)
        return person, made

    def _made(self, kind: CommandKind, name: str, now_ms: int, *, about: str = "", reason_code: str = "") -> Command:
        command_id = str(UUID(int=self._random.getrandbits(128)))
        return command(
            kind,
            self._nation,
            name,
            reason="for a test",
            now_ms=now_ms,
            about=about,
            reason_code=reason_code,
            command_id=command_id,
        )
