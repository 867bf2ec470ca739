"""Indicators of a picture as objects of STIX 2.1. Pure: no clock, no disk, no network."""
