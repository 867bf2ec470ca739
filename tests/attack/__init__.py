"""Attacks on two real clusters, each with the answer that is expected: ``make attack``. See docs/threats.md."""
