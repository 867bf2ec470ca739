"""Two nations on this machine, end to end, on recorded feeds: the program of ``make demo``."""
