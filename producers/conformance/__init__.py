"""The joint standard as data, and its checks as pure functions over what was read of a feed (docs/adr/0062)."""
