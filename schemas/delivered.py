"""How an alert on an indicator that this exchange has delivered to a tool is recognised in the records of that tool.

Outputs write these names, and readers of the tools' logs look for them: such an alert is a sighting of a partner's
indicator, and never an observation of our own.
"""

from typing import Final

SURICATA_SIDS: Final = range(3_900_000, 3_900_100)
"""The ids of all rules that the Suricata output writes, or will write."""
ZEEK_SOURCE: Final = "kakehashi-"
"""``meta.source`` in Zeek begins like this; the origin follows, and of a URL its scheme: ``kakehashi-GBR-https``."""
