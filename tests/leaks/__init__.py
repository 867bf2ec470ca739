"""The leak hunt: made-up indicators by the million, against an oracle that has never seen a policy."""
