"""The reference data that enrichment looks things up in: each module is one source, loaded once, then pure."""
