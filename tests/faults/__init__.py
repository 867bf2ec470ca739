"""Kills, pauses and restarts in the middle of real work: nothing lost, nothing twice."""
