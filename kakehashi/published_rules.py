"""Reads a nation's ``policy.v1``, and the rules that follow from it, for commands."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchange.authority.policy_record import NotApproved
    from exchange.authority.policy_watch import Published
    from exchange.authority.roster import Roster
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings
    from streams.rules.rulebook import History


@dataclass(frozen=True)
class PublishedRules:
    """One reading of the topic, to its end, by one nation's roster."""

    settings: "Settings"
    roster: "Roster"
    cluster: "Cluster"
    published: "Published"

    @cached_property
    def history(self) -> "History":
        """The rules that were, are and will be in force."""
        from streams.rules.policy_set import load
        from streams.rules.rulebook import history_of

        settings = self.settings
        shipped = load(self.roster.nation, settings.policy_folder, version=settings.policy_version)
        return history_of(shipped, self.published)

    @property
    def refused(self) -> "tuple[NotApproved, ...]":
        """The records that do nothing, and why."""
        return *self.published.refused, *self.history.refused


def settings_and_roster(nation: str) -> "tuple[Settings, Roster]":
    """The settings, and a nation's roster. Raises ConfigurationError for a nation that does not take part."""
    from exchange.authority.roster import load_roster
    from exchange.settings import Settings

    settings = Settings.from_env(os.environ)
    settings.partners(nation)
    return settings, load_roster(nation, settings.officers)


def published_rules(nation: str) -> PublishedRules:
    """Read the topic. Raises BrokerUnavailable if the nation's cluster does not answer."""
    from exchange.authority.policy_watch import PolicyWatch
    from kakehashi.clusters import cluster_of

    settings, roster = settings_and_roster(nation)
    cluster = cluster_of(nation, settings, os.environ)
    watch = PolicyWatch(cluster, lambda: roster, settings.partners(nation), settings.policy_lead_s * 1000)
    return PublishedRules(settings, roster, cluster, watch.read())
