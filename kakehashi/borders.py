"""The borders that are not open, in a sentence each, for commands that show releases."""

from typing import TYPE_CHECKING

from kakehashi.terminal import utc

if TYPE_CHECKING:
    from exchange.authority.roster import Roster
    from exchange.kafka.clients import Cluster
    from exchange.settings import Settings


def closed_borders(cluster: "Cluster", roster: "Roster", settings: "Settings") -> dict[str, str]:
    """By partner: the border is not open now, by whom, since when, and why.

    Raises BrokerUnavailable if the nation's cluster does not answer.
    """
    from exchange.authority.policy_record import Border, Kind
    from exchange.authority.policy_watch import PolicyWatch

    partners = settings.partners(cluster.nation)
    published = PolicyWatch(cluster, lambda: roster, partners, settings.policy_lead_s * 1000).read()
    last = {each.record["partner"]: each for each in published.approved if each.kind is Kind.BORDER}
    return {
        partner: (
            f"The border to {partner} is {'in shadow' if each.record['state'] == Border.SHADOW else 'closed'} now, by "
            f"{', '.join(each.persons)} since {utc(each.appended_ms)} UTC ({each.record['reason']}): no content leaves."
        )
        for partner, each in last.items()
        if each.record["state"] != Border.OPEN
    }
