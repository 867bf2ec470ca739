"""Readers: one file for each format, each with a ``READER``; and what readers share."""
