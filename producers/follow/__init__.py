"""Follows files that are being written, through every way in which they are rotated."""
