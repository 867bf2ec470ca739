"""The joint standard as data, and its checks as pure functions over the facts read from a feed (docs/adr/0062)."""
