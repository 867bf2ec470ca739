"""Recorded feeds of which every piece is counted."""
