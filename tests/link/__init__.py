"""The link between two nations: its security on a broker with the authoriser on, its faults and its limits."""
