"""Readers of sensors' own formats: each turns one input into observations and refusals, lazily."""
