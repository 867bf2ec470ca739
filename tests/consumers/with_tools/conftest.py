"""The cluster of a SOC, for tests that run the commands themselves."""

from tests.kakehashi.conftest import soc

__all__ = ["soc"]
