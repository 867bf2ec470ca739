"""Hits of tools on indicators that were delivered to them, read as sightings of a partner's indicators."""
