"""A TAXII 2.1 server over the picture (OASIS Standard, 10 June 2021)."""
