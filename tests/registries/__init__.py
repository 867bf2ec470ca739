"""The exchange on two real schema registries: run by `make registries`, not by `make test`."""
