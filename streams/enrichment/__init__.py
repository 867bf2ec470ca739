"""The reference data of enrichment: each module is one source, loaded once, then pure."""
