"""The shipped policy sets and engines on them, loaded once: both are immutable but for the engine's memory."""

import pytest

from streams.rules.engine import Engine
from streams.rules.policy_set import PolicySet, load


@pytest.fixture(scope="session", params=["GBR", "JPN"])
def policy_set(request: pytest.FixtureRequest) -> PolicySet:
    """The shipped set of each nation."""
    return load(str(request.param))


@pytest.fixture(scope="session")
def engine(policy_set: PolicySet) -> Engine:
    """An engine on the shipped set of each nation."""
    return Engine(policy_set)
