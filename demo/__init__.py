"""Two nations on this machine, end to end, on recorded feeds: what ``make demo`` runs."""
