"""What a nation sees, as a local copy that can be searched: its own indicators and each partner's."""
