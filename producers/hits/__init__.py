"""Hits of tools on what the exchange has delivered to them, read as sightings of a partner's indicators."""
