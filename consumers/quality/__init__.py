"""How good each sensor is, by what others and officers made of what it reported (docs/adr/0065)."""
