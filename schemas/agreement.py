"""The agreement with one partner: the data of a link between two nations.

The rules, the bridge's guard and the receiving nation's guard all decide by it, each with code of its own. So it is
data and nothing else: ``schemas.links`` reads it from ``policy/links/<nation>/<partner>.toml``.
"""

import msgspec


class Agreement(msgspec.Struct, frozen=True):
    """What may pass between ``nation`` and ``partner`` (ISO 3166-1 alpha-3), in either direction.

    ``schemas`` are schema names as ``schemas.codec`` has them. ``tlp`` and ``caveats`` are labels as their owners
    spell them. ``officers`` are the persons of the nation's roster who may let something go to this partner; empty:
    all that the roster allows to.
    """

    nation: str
    partner: str
    schemas: frozenset[str]
    tlp: frozenset[str]
    caveats: frozenset[str]
    officers: frozenset[str] = frozenset()
