"""Tests of the sharing rules and what decides by them."""
